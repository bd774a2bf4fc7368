"""pipecat's own web client, from npm and unmodified, holds a spoken call with the real server.

Its page is served from another port of this machine, as a developer's own site would be.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Playwright

from .browser import launch, record_voice
from .conftest import SWITCHES
from .live_server import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SOURCES = Path(__file__).parent / "pipecat_client"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "visavis-tests"
NPM_LIMIT_S = 100
GREETING_S = 10.0

MEDIA = """async () => {
  const video = document.querySelector("video");
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(video.srcObject).connect(analyser);
  const sound = new Float32Array(analyser.fftSize);
  const seen = (window.media = { frames: 0, peak: 0, width: 0 });
  const look = () => {
    analyser.getFloatTimeDomainData(sound);
    seen.frames += 1;
    seen.peak = Math.max(seen.peak, ...sound);
    seen.width = video.videoWidth;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""


@pytest.fixture(scope="module")
def modules() -> Path:
    """The client's packages, installed once per lock file outside the repository."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("no Node and npm to install pipecat's client with")
    lock = (SOURCES / "package-lock.json").read_bytes()
    folder = CACHE / f"pipecat-client-{hashlib.sha256(lock).hexdigest()[:12]}"
    if (folder / "installed").exists():
        return folder / "node_modules"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=NPM_LIMIT_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm took longer than {NPM_LIMIT_S} s to install pipecat's client")
    if done.returncode:
        pytest.skip(f"npm could not install pipecat's client: {done.stderr.strip()[-200:]}")
    (folder / "installed").touch()
    return folder / "node_modules"


@pytest.fixture(scope="module")
def site(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The client's page on a port of its own."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("client.js", "index.html"):
        shutil.copy(SOURCES / name, folder)
    bundle = [str(modules / ".bin" / "esbuild"), "client.js", "--bundle", "--outfile=bundle.js", "--log-level=error"]
    subprocess.run(bundle, cwd=folder, env={**os.environ, "NODE_PATH": str(modules)}, check=True, timeout=60)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join(5)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_voice(tmp_path_factory.mktemp("voice") / "user.wav", [GREETING_S, "How does this work?", 1.0])


class Client:
    """pipecat's client in a page."""

    def __init__(self, page: Page, server: LiveServer) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"pageerror: {error}"))
        page.on("request", lambda request: self._on_request(request.url))
        page.add_init_script(f"window.server = {server.url.rstrip('/')!r}")

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"console.error: {message.text}")

    def _on_request(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.strangers.append(url)

    def told(self, what: str) -> list[Any]:
        """What the client's callback of that name was given, in order."""
        return [entry.get("data") for entry in self.page.evaluate("window.told") if entry["what"] == what]

    def native(self) -> list[str]:
        """Types of the server's own events that came as server messages."""
        return [m["event"]["type"] for m in self.told("serverMessage") if m.get("t") == "visavis"]

    def wait_for(self, is_true: Callable[[], Any], what: str, limit_s: float = 15) -> Any:
        for _ in range(int(limit_s / 0.05)):
            if found := is_true():
                return found
            self.page.wait_for_timeout(50)
        heard = [entry["what"] for entry in self.page.evaluate("window.told")]
        pytest.fail(f"waited {limit_s:.0f} s for {what}; the client told {heard}; {self.complaints}")


@pytest.fixture
def client(
    playwright: Playwright, chromium_path: str, server: LiveServer, site: str, question: Path
) -> Iterator[Client]:
    browser = launch(playwright, chromium_path, SWITCHES, question)
    client = Client(browser.new_page(), server)
    client.page.goto(site)
    yield client
    browser.close()
    assert client.complaints == [] and client.strangers == []


def test_it_holds_a_spoken_call(client: Client, server: LiveServer) -> None:
    page = client.page
    page.locator("#connect").click()
    ready = client.wait_for(lambda: client.told("botReady"), "bot-ready")[0]
    assert ready["version"].startswith("2."), ready
    client.wait_for(lambda: len(remote_tracks(client)) == 2, "both tracks")
    assert sorted(remote_tracks(client)) == ["audio", "video"]
    page.evaluate(MEDIA)
    client.wait_for(lambda: "response.created" in client.native(), "the start of the greeting")
    assert client.native()[0] == "session.created"
    client.wait_for(lambda: client.told("botStoppedSpeaking"), "the end of the greeting")

    heard = client.wait_for(lambda: [t for t in client.told("userTranscript") if t["final"]], "the transcript")
    assert [t["text"] for t in heard] == ["how does this work"]
    assert client.told("userStartedSpeaking")
    client.wait_for(lambda: len(client.told("botStoppedSpeaking")) == 2, "the end of the answer", 40)

    spoken = [o["text"] for o in client.told("botOutput") if o["spoken_status"] == "completed"]
    created = [o["text"] for o in client.told("botOutput") if o["spoken_status"] == "new"]
    assert spoken == created and len(spoken) >= 2, "each sentence is announced and then completed"
    words = [t["text"] for t in client.told("botTtsText")]
    assert words == " ".join(spoken).split()
    done = [m["event"] for m in client.told("serverMessage") if m["event"]["type"] == "response.done"]
    assert [e["status"] for e in done] == ["completed", "completed"]
    assert " ".join(e["heard_text"] for e in done) == " ".join(words)
    media = page.evaluate("window.media")
    assert media["width"] == 1280 and media["frames"] > 100 and media["peak"] > 0.05
    assert client.told("error") == [] and client.told("messageError") == [] and client.told("failed") == []

    page.evaluate("window.client.disconnectBot()")
    client.wait_for(lambda: client.told("botDisconnected"), "the bot to leave")
    client.wait_for(lambda: client.told("disconnected"), "the client to hang up")
    client.wait_for(lambda: active_sessions(server) == 0, "the end of the session")


def remote_tracks(client: Client) -> list[str]:
    return [track["kind"] for track in client.told("trackStarted") if not track["local"]]


def active_sessions(server: LiveServer) -> int:
    return int(httpx.get(f"{server.url}/readyz").json()["active_sessions"])


def test_it_starts_a_chosen_persona_and_types(client: Client, server: LiveServer) -> None:
    page = client.page
    page.locator("#start").click()
    client.wait_for(lambda: client.told("botReady"), "bot-ready")
    created = client.wait_for(
        lambda: [m["event"] for m in client.told("serverMessage") if m["event"]["type"] == "session.created"],
        "the session",
    )
    assert created[0]["session"]["persona"]["id"] == "dana-buyer"
    client.wait_for(lambda: client.told("botStartedSpeaking"), "the greeting")
    page.evaluate("window.client.sendText('what problems do you have')")
    client.wait_for(lambda: "conversation.item.input_audio_transcription.completed" in client.native(), "the turn")
    client.wait_for(lambda: len(client.told("botStartedSpeaking")) == 2, "the answer")
    page.evaluate("window.client.sendClientMessage('visavis', { type: 'session.end' })")
    client.wait_for(lambda: client.told("disconnected"), "the end")
    client.wait_for(lambda: active_sessions(server) == 0, "the end of the session")
