"""The built page that is committed is the one that its sources make."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.web.generate import WIRE_TS, wire_ts

pytestmark = pytest.mark.e2e

WEB = Path(__file__).parents[2] / "agent" / "web"
DIST_JS_LIMIT_BYTES = 64_000
NPM_LIMIT_S = 100


def test_wire_is_generated_from_the_events() -> None:
    assert WIRE_TS.read_text(encoding="utf-8") == wire_ts(), "run: python -m agent.web.generate"


def test_every_event_that_the_page_uses_exists() -> None:
    known = set(re.findall(r'^ {2}type: "([^"]+)";', wire_ts(), re.MULTILINE))
    sources = "".join(path.read_text(encoding="utf-8") for path in (WEB / "page").glob("*.ts"))
    used = set(re.findall(r'(?:case|event\.type [!=]==) "([^"]+)"', sources))
    assert used and used <= known


def test_page_is_small() -> None:
    total = sum(path.stat().st_size for path in (WEB / "dist").glob("*.js"))
    assert total <= DIST_JS_LIMIT_BYTES


def test_page_needs_no_other_host() -> None:
    for path in (WEB / "dist").iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        allowed = {"http://localhost"} if path.name == "problem.js" else set()
        assert set(re.findall(r"https?://\w[\w.]*\w", text)) <= allowed, path.name
        assert not re.search(r"""\s(style|on\w+)=["']""", text), f"{path.name} has what the policy forbids"


def test_dist_is_built_from_the_sources(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("no Node: the committed page is served as it is")
    for name in ("package.json", "package-lock.json", "tsconfig.json", "copy.mjs"):
        shutil.copy(WEB / name, tmp_path)
    shutil.copytree(WEB / "page", tmp_path / "page")
    if (WEB / "node_modules").is_dir():
        (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    else:
        install = [npm, "ci", "--no-audit", "--no-fund", "--prefer-offline"]
        done = _run(install, tmp_path)
        if done.returncode:
            pytest.skip(f"npm could not install the compiler: {done.stderr.strip()[-200:]}")
    built = _run([npm, "run", "--silent", "build"], tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    assert _contents(tmp_path / "dist") == _contents(WEB / "dist"), "run: npm run build in agent/web"


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=NPM_LIMIT_S, env={**os.environ, "CI": "1"}
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"took longer than {NPM_LIMIT_S} s")


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
