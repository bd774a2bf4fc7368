"""Chromium for the browser tests: found, installed where that is allowed, or skipped with the reason."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Quiet, no network of its own, and a microphone that beeps.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
APT_LIMIT_S = 300


def find_chromium() -> str | None:
    """Path of an installed Chromium or Chrome; `VISAVIS_CHROMIUM` names another one."""
    named = os.environ.get("VISAVIS_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def install_chromium() -> str:
    """Install Debian's Chromium; returns "" or why it could not be done."""
    if os.environ.get("NO_APT") == "1":
        return "NO_APT=1 forbids installing it"
    if not shutil.which("apt-get"):
        return "there is no apt-get to install it with"
    if os.geteuid() != 0:
        return "installing it needs root; run: apt-get install chromium"
    print("installing Debian's chromium for the browser tests (NO_APT=1 forbids)")
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "--no-install-recommends", "chromium"]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=APT_LIMIT_S)
        except subprocess.TimeoutExpired:
            return f"{' '.join(command)} took longer than {APT_LIMIT_S} s"
        if done.returncode:
            return f"{' '.join(command)} failed: {done.stderr.strip()[-200:]}"
    return ""


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = find_chromium()
    reason = "" if path else install_chromium()
    path = path or find_chromium()
    if path is None:
        pytest.skip(f"no Chromium: {reason or 'it was installed and is not on the PATH'}")
    return path


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_path, args=SWITCHES)
    yield browser
    browser.close()
