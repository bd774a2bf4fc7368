"""Chromium for the browser tests: found, installed where that is allowed, or skipped with the reason."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from .page_stub import PageStub

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


class CallPage:
    """The page in a browser: what a test does with it, and every complaint of the browser."""

    def __init__(self, page: Page, stub: PageStub) -> None:
        self.page = page
        self.stub = stub
        self.complaints: list[str] = []
        self.allowed: set[str] = set()
        """Exact console texts that belong to what the test provokes."""
        self.strangers: list[str] = []
        """Requests to other hosts."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"pageerror: {error}"))
        page.on("request", lambda request: self._on_request(request.url))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and message.text not in self.allowed:
            self.complaints.append(f"console.{message.type}: {message.text}")

    def _on_request(self, url: str) -> None:
        if not url.startswith((self.stub.url, "data:", "blob:")):
            self.strangers.append(url)

    def open(self) -> CallPage:
        self.page.goto(self.stub.url)
        expect(self.page.locator(".persona").first).to_be_visible()
        return self

    def call(self) -> CallPage:
        """Press Call and wait until sound, picture and events flow."""
        self.page.locator("#call").click()
        self.until("connected")
        expect(self.page.locator("#face")).to_have_class("face live")
        return self

    @property
    def state(self) -> str:
        return str(self.page.evaluate("window.visavis.state"))

    def until(self, state: str, limit_s: float = 20) -> None:
        self.wait_for(lambda: self.state == state, f"state {state!r}", limit_s)

    def wait_for(self, is_true: Callable[[], bool], what: str, limit_s: float = 10) -> None:
        """Poll from outside: a strict content security policy forbids the browser's own wait_for_function."""
        for _ in range(int(limit_s / 0.02)):
            if is_true():
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"waited {limit_s:.0f} s for {what}; the page is {self.state!r}")


@pytest.fixture
def stub() -> Iterator[PageStub]:
    server = PageStub()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def open_page(chromium: Browser, stub: PageStub) -> Iterator[Callable[..., CallPage]]:
    """Makes pages: `open_page(browser=..., init="js", **context options)`. Complaints fail the test at its end."""
    made: list[CallPage] = []

    def make(browser: Browser = chromium, init: str = "", **options: Any) -> CallPage:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        if init:
            context.add_init_script(init)
        made.append(CallPage(context.new_page(), stub))
        return made[-1]

    yield make
    complaints = [complaint for call_page in made for complaint in call_page.complaints]
    strangers = [url for call_page in made for url in call_page.strangers]
    for call_page in made:
        call_page.page.context.close()
    assert complaints == [], complaints
    assert strangers == [], f"the page asked other hosts: {strangers}"
