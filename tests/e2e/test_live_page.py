"""The page against the real server in Chromium: real speech in, a spoken and visible answer out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Playwright, expect

from agent.bench.command import mouth_box

from .browser import OUTPUT, STATS, Seen, arriving_fps, launch, record_voice, seen, watch
from .conftest import SWITCHES, CallPage
from .live_server import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

GREETING_S = 10.0
"""The longest greeting of the built-in persona and the start of a call, with room to spare."""
ANSWER_LIMIT_MS = 40_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_voice(tmp_path_factory.mktemp("voice") / "user.wav", [GREETING_S, "How does this work?", 1.0])


@pytest.fixture
def open_live(playwright: Playwright, chromium_path: str, server: LiveServer) -> Iterator[Callable[..., CallPage]]:
    """Opens the server's page in a browser of its own; complaints fail the test at its end."""
    made: list[tuple[Browser, CallPage]] = []

    def make(
        width_px: int = 1280, height_px: int = 800, microphone: Path | None = None, denied: bool = False
    ) -> CallPage:
        switches = [s for s in SWITCHES if not denied or s != "--use-fake-ui-for-media-stream"]
        browser = launch(playwright, chromium_path, switches, microphone)
        viewport = {"width": width_px, "height": height_px}
        context = browser.new_context(viewport=viewport, is_mobile=width_px < 500, has_touch=width_px < 500)
        made.append((browser, CallPage(context.new_page(), server)))
        return made[-1][1].open()

    yield make
    for browser, _ in made:
        browser.close()
    assert [page.complaints + page.strangers for _, page in made] == [[] for _ in made]


def picture(call_page: CallPage, name: str) -> None:
    OUTPUT.mkdir(exist_ok=True)
    call_page.page.screenshot(path=OUTPUT / f"{name}.png")


def wait_for_speech_to_end(call_page: CallPage) -> None:
    """Until the agent has spoken and is silent again."""
    activity = call_page.page.locator("#activity")
    expect(activity).to_have_text("Speaking", timeout=15_000)
    expect(activity).not_to_have_text("Speaking", timeout=ANSWER_LIMIT_MS)


def session_status(server: LiveServer, session_id: str) -> str:
    return str(httpx.get(f"{server.url}/v1/sessions/{session_id}").json()["status"])


def assert_lips_follow_the_voice(face: Seen) -> None:
    """Open and shut while there is sound, shut and still when there is none."""
    spoken, quiet = face.open[face.speaking], face.open[~face.speaking]
    assert len(spoken) > 50 and len(quiet) > 50
    assert np.std(spoken) > 5 * np.std(quiet) and np.mean(spoken) > np.mean(quiet), (
        f"mouth open {np.mean(spoken):.4f} +- {np.std(spoken):.4f} speaking, "
        f"{np.mean(quiet):.4f} +- {np.std(quiet):.4f} silent"
    )


def test_a_spoken_question_is_answered_aloud_with_moving_lips(
    open_live: Callable[..., CallPage], server: LiveServer, question: Path
) -> None:
    call_page = open_live(microphone=question)
    page = call_page.page
    picture(call_page, "desktop-1-before")
    call_page.call()
    session_id = page.evaluate("window.visavis.sessionId")
    watch(page, mouth_box("mira"))
    expect(page.locator(".line.agent .words")).to_have_count(1, timeout=10_000)

    heard = page.locator(".line.user .words")
    expect(heard).to_have_text("how does this work", timeout=20_000)
    answer = page.locator(".line.agent .words").nth(1)
    call_page.wait_for(lambda: len((answer.text_content() or "").split()) > 5, "the words of the answer")
    picture(call_page, "desktop-2-speaking")
    expect(page.locator("#activity")).not_to_have_text("Speaking", timeout=ANSWER_LIMIT_MS)
    page.wait_for_timeout(1500)
    picture(call_page, "desktop-3-listening")

    assert arriving_fps(page) == pytest.approx(25, abs=1.5)
    face = seen(page)
    assert face.sizes == {(1280, 720)}
    assert face.rms[face.speaking].max() > 0.05 and np.median(face.rms[~face.speaking]) < 0.001
    assert_lips_follow_the_voice(face)
    stats = page.evaluate(STATS)
    assert stats["video"]["frameWidth"] == 1280 and stats["audio"]["totalAudioEnergy"] > 0.01
    assert stats["video"]["framesDropped"] < 0.05 * stats["video"]["framesDecoded"]

    page.get_by_role("button", name="Hang up").click()
    call_page.until("ended")
    picture(call_page, "desktop-4-after")
    call_page.wait_for(lambda: session_status(server, session_id) == "ended", "the end of the session")
    assert httpx.get(f"{server.url}/readyz").json()["active_sessions"] == 0
    page.get_by_role("button", name="Choose someone else").click()
    expect(page.get_by_role("button", name="Call Mira")).to_be_enabled()


def test_typed_words_are_answered_when_the_microphone_is_denied(
    open_live: Callable[..., CallPage], server: LiveServer
) -> None:
    call_page = open_live(denied=True).call()
    page = call_page.page
    expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked")
    wait_for_speech_to_end(call_page)
    picture(call_page, "desktop-5-microphone-denied")
    page.get_by_role("textbox", name="Message").fill("What is the clock?")
    page.keyboard.press("Enter")
    expect(page.locator(".line.user .words")).to_have_text("What is the clock?")
    before = page.evaluate(STATS)["audio"]["totalAudioEnergy"]
    wait_for_speech_to_end(call_page)
    assert page.evaluate(STATS)["audio"]["totalAudioEnergy"] > before + 0.005
    answer = page.locator(".line.agent .words").nth(1)
    assert len((answer.text_content() or "").split()) > 5
    expect(page.locator("#latency-brief")).to_contain_text("ms")


def test_a_call_on_a_phone(open_live: Callable[..., CallPage], server: LiveServer, question: Path) -> None:
    call_page = open_live(390, 844, microphone=question)
    page = call_page.page
    picture(call_page, "phone-1-before")
    expect(page.get_by_role("button", name="Call Mira")).to_be_in_viewport(ratio=1)
    call_page.call()
    expect(page.locator("#activity")).to_have_text("Speaking", timeout=15_000)
    page.wait_for_timeout(2000)
    picture(call_page, "phone-2-greeting")
    for name in ("Hang up", "Mute", "Send"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    expect(page.locator("#video")).to_be_in_viewport(ratio=0.9)
    expect(page.locator(".line.user .words")).to_have_text("how does this work", timeout=20_000)
    answer = page.locator(".line.agent .words").nth(1)
    call_page.wait_for(lambda: len((answer.text_content() or "").split()) > 8, "the words of the answer")
    expect(answer).to_be_in_viewport()
    picture(call_page, "phone-3-answer")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Hang up").click()
    call_page.until("ended")
    picture(call_page, "phone-4-after")
