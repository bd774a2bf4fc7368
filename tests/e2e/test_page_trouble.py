"""What goes wrong, and what the page says and does then."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect

from agent import events

from .conftest import SWITCHES, CallPage
from .page_stub import PageStub, Refusal

pytestmark = pytest.mark.e2e

OpenPage = Callable[..., CallPage]

# Chromium itself writes these when a request fails, whatever the page does about it.
REFUSED = "Failed to load resource: net::ERR_CONNECTION_REFUSED"
RESET = "Failed to load resource: net::ERR_CONNECTION_RESET"
EMPTY = "Failed to load resource: net::ERR_EMPTY_RESPONSE"


def status_line(status: int, words: str) -> str:
    return f"Failed to load resource: the server responded with a status of {status} ({words})"


def without_microphone(error: str) -> str:
    return f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}'); }};"


@pytest.fixture(scope="module")
def strict_chromium(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    """Asks before it lends the microphone; nobody is there to say yes, so it says no."""
    switches = [switch for switch in SWITCHES if switch != "--use-fake-ui-for-media-stream"]
    browser = playwright.chromium.launch(executable_path=chromium_path, args=switches)
    yield browser
    browser.close()


def test_denied_microphone_still_lets_type(open_page: OpenPage, stub: PageStub, strict_chromium: Browser) -> None:
    call_page = open_page(browser=strict_chromium).open().call()
    page = call_page.page
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("The microphone is blocked")
    assert "a=sendrecv" not in stub.seen.offers[0].split("m=application")[0]
    expect(page.get_by_role("button", name="No microphone")).to_be_disabled()
    notice.get_by_role("button", name="Type instead").click()
    expect(notice).to_be_hidden()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    call_page.wait_for(lambda: bool(stub.seen.messages), "the typed message")
    assert stub.seen.messages[0]["response"]["text"] == "Hello"


def test_microphone_allowed_later_joins_the_call(open_page: OpenPage, stub: PageStub, strict_chromium: Browser) -> None:
    call_page = open_page(browser=strict_chromium).open().call()
    page = call_page.page
    page.context.grant_permissions(["microphone"], origin=stub.url.rstrip("/"))
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    call_page.wait_for(lambda: max(stub.seen.user_peaks, default=0) > 500, "the beep of the fake microphone", 20)
    call_page.until("connected")
    expect(page.get_by_role("alert")).to_be_hidden()
    assert len(stub.seen.sessions) == 1
    assert len(stub.seen.offers) == 2


@pytest.mark.parametrize(
    ("init", "title"),
    [
        (without_microphone("NotFoundError"), "No microphone found"),
        (without_microphone("NotReadableError"), "The microphone could not be opened"),
        ("Object.defineProperty(navigator, 'mediaDevices', {value: undefined});", "No microphone on this address"),
    ],
)
def test_no_microphone_says_why(open_page: OpenPage, stub: PageStub, init: str, title: str) -> None:
    page = open_page(init=init).open().call().page
    expect(page.get_by_role("alert")).to_contain_text(title)
    expect(page.get_by_role("textbox", name="Message")).to_be_enabled()


def test_unplugged_microphone_is_told(open_page: OpenPage) -> None:
    page = open_page().open().call().page
    sender = "window.visavis.pc.getSenders().find(({track}) => track)"
    page.evaluate(f"{sender}.track.dispatchEvent(new Event('ended'))")
    expect(page.get_by_role("alert")).to_contain_text("The microphone went away")


def test_hang_up_while_the_browser_asks_for_the_microphone(open_page: OpenPage, stub: PageStub) -> None:
    init = """
      const open = MediaDevices.prototype.getUserMedia;
      const asked = new Promise((resolve) => (window.allow = resolve));
      window.tracks = [];
      MediaDevices.prototype.getUserMedia = async function (wish) {
        await asked;
        const stream = await open.call(this, wish);
        window.tracks.push(...stream.getTracks());
        return stream;
      };
    """
    call_page = open_page(init=init).open()
    page = call_page.page
    page.locator("#call").click()
    call_page.until("asking")
    expect(page.get_by_role("status")).to_have_text("Allow the microphone")
    page.keyboard.press("Escape")
    call_page.until("ended")
    page.locator("#call").click()
    call_page.until("asking")
    page.evaluate("window.allow()")
    call_page.until("connected")
    assert len(stub.seen.sessions) == 1
    assert sorted(page.evaluate("window.tracks.map((track) => track.readyState)")) == ["ended", "live"]


def test_no_webrtc(open_page: OpenPage) -> None:
    call_page = open_page(init="delete window.RTCPeerConnection;").open()
    expect(call_page.page.get_by_role("alert")).to_contain_text("This browser cannot make calls")
    call_page.page.get_by_role("button", name="Call Mira").click()
    assert call_page.state == "idle"


@pytest.mark.parametrize(
    ("refusal", "words", "title", "advice"),
    [
        (Refusal(429, "concurrency_limit", "full"), "Too Many Requests", "All lines are busy", "in a minute"),
        (
            Refusal(503, "server_busy", "full", retry_after_s=20),
            "Service Unavailable",
            "All lines are busy",
            "in 20 seconds",
        ),
        (Refusal(401, "unauthorized", "a key is needed"), "Unauthorized", "The server wants a key", "A key is needed."),
        (Refusal(404, "persona_not_found", "gone"), "Not Found", "This persona is not there any more", "Choose"),
        (Refusal(500, "internal", "it broke"), "Internal Server Error", "The server could not start", "It broke."),
    ],
)
def test_session_refused(
    open_page: OpenPage, stub: PageStub, refusal: Refusal, words: str, title: str, advice: str
) -> None:
    stub.wishes.session = refusal
    call_page = open_page()
    call_page.allowed.add(status_line(refusal.status, words))
    page = call_page.open().page
    page.locator("#call").click()
    call_page.until("ended")
    expect(page.get_by_role("alert")).to_contain_text(title)
    expect(page.get_by_role("alert")).to_contain_text(advice)
    expect(page.get_by_role("radio", name="Dana")).to_be_visible()
    stub.wishes.session = None
    call_page.call()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_call_waits_for_a_server_that_warms_up(open_page: OpenPage, stub: PageStub) -> None:
    stub.wishes.session = Refusal(503, "not_ready", "warming", times=2, retry_after_s=1)
    call_page = open_page()
    call_page.allowed.add(status_line(503, "Service Unavailable"))
    page = call_page.open().page
    page.locator("#call").click()
    expect(page.get_by_role("alert")).to_contain_text("still warming up")
    call_page.until("connected")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_offer_refused(open_page: OpenPage, stub: PageStub) -> None:
    stub.wishes.offer = Refusal(422, "signalling_failed", "no common codec", times=1)
    call_page = open_page()
    call_page.allowed.add(status_line(422, "Unprocessable Content"))
    call_page.allowed.add(status_line(422, "Unprocessable Entity"))
    page = call_page.open().page
    page.locator("#call").click()
    call_page.until("ended")
    expect(page.get_by_role("alert")).to_contain_text("The server refused the connection")
    expect(page.get_by_role("alert")).to_contain_text("No common codec.")
    call_page.wait_for(lambda: stub.seen.deleted == ["ses_1"], "the end of the useless session")
    call_page.call()


def test_answer_that_is_no_sdp(open_page: OpenPage, stub: PageStub) -> None:
    stub.wishes.answer = "good morning"
    call_page = open_page().open()
    call_page.page.locator("#call").click()
    call_page.until("ended")
    expect(call_page.page.get_by_role("alert")).to_contain_text("Its answer could not be read.")


def test_server_away_before_the_call_is_told_and_found_again(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page()
    call_page.allowed |= {REFUSED, RESET, EMPTY}
    page = call_page.open().page
    stub.stop()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer", timeout=6_000)
    expect(page.get_by_role("status")).to_have_text("No server")
    stub.start()
    expect(page.get_by_role("alert")).to_be_hidden(timeout=6_000)
    expect(page.get_by_role("status")).to_have_text("Ready")


@pytest.mark.parametrize("breakage", ["close_wires", "silence_wires"])
def test_broken_wire_comes_back_to_the_same_session(open_page: OpenPage, stub: PageStub, breakage: str) -> None:
    call_page = open_page().open().call()
    page = call_page.page
    stub.emit(events.AgentTranscriptDelta("res_1", "Before the break", 0, 100))
    stub.emit(events.AgentTranscriptDone("res_1", "Before the", "break."))
    expect(page.locator(".unheard")).to_have_text("break.")
    getattr(stub, breakage)()
    call_page.until("reconnecting")
    expect(page.get_by_role("status")).to_have_text("Reconnecting")
    expect(page.get_by_role("textbox", name="Message")).to_be_disabled()
    call_page.until("connected")
    expect(page.locator("#face")).to_have_class("face live")
    assert len(stub.seen.sessions) == 1
    assert len(stub.seen.offers) == 2
    lines = ({"role": "agent", "text": "Before the", "cut": True}, {"role": "user", "text": "Hello?", "cut": False})
    stub.emit(events.SessionResumed(lines))
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator(".unheard")).to_have_text("break.")
    expect(page.locator(".line.user .words")).to_have_text("Hello?")
    stub.emit(events.AgentTranscriptDelta("res_2", "After it.", 0, 100))
    expect(page.locator(".line.agent .words").last).to_have_text("After it.")


def test_reconnect_tries_until_the_door_opens(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page()
    call_page.allowed.add(status_line(503, "Service Unavailable"))
    call_page.open().call()
    stub.wishes.offer = Refusal(503, "server_busy", "not now", times=2)
    stub.close_wires()
    call_page.until("reconnecting")
    call_page.until("connected")
    assert len(stub.seen.sessions) == 1


def test_server_that_stays_away_ends_the_call_and_can_be_called_again(open_page: OpenPage, stub: PageStub) -> None:
    stub.wishes.on_disconnect_s = 2
    call_page = open_page()
    call_page.allowed |= {REFUSED, RESET, EMPTY}
    page = call_page.open().call().page
    stub.emit(events.AgentTranscriptDone("res_1", "Remember this.", ""))
    expect(page.locator(".line.agent")).to_be_visible()
    stub.stop()
    call_page.until("reconnecting")
    call_page.until("ended")
    expect(page.get_by_role("alert")).to_contain_text("The connection was lost")
    expect(page.locator(".line.agent")).to_contain_text("Remember this.")
    stub.start()
    expect(page.get_by_role("status")).to_have_text("Call ended", timeout=6_000)
    page.get_by_role("button", name="Call again").click()
    call_page.until("connected")
    assert len(stub.seen.sessions) == 2


def test_restarted_server_has_forgotten_the_call(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page()
    call_page.allowed |= {REFUSED, RESET, EMPTY, status_line(404, "Not Found")}
    page = call_page.open().call().page
    stub.stop()
    stub.start()
    call_page.until("ended")
    expect(page.get_by_role("alert")).to_contain_text("The call is over")


def test_hang_up_while_reconnecting(open_page: OpenPage, stub: PageStub) -> None:
    stub.wishes.offer = None
    call_page = open_page()
    call_page.allowed.add(status_line(503, "Service Unavailable"))
    page = call_page.open().call().page
    stub.wishes.offer = Refusal(503, "server_busy", "not now")
    stub.close_wires()
    call_page.until("reconnecting")
    # A broken stream turns black: the still picture is what shows.
    expect(page.locator("#face")).to_have_class("face")
    expect(page.locator("#video")).to_have_css("opacity", "0")
    expect(page.locator("#activity")).to_have_text("Reconnecting")
    page.get_by_role("button", name="Hang up").click()
    call_page.until("ended")
    offers = len(stub.seen.offers)
    page.wait_for_timeout(1_500)
    assert len(stub.seen.offers) == offers
    assert call_page.state == "ended"


def test_blocked_autoplay_asks_for_a_tap(open_page: OpenPage) -> None:
    init = """
      const play = HTMLMediaElement.prototype.play;
      HTMLMediaElement.prototype.play = function () {
        if (this.muted || window.tapped) return play.call(this);
        return Promise.reject(new DOMException("", "NotAllowedError"));
      };
      addEventListener("click", ({target}) => (window.tapped = target.closest("#hear") !== null), true);
    """
    page = open_page(init=init).open().call().page
    button = page.get_by_role("button", name="Tap to hear")
    expect(button).to_be_visible()
    assert page.evaluate("document.querySelector('video').muted") is True
    button.click()
    expect(button).to_be_hidden()
    assert page.evaluate("document.querySelector('video').muted") is False


def test_missing_portrait_leaves_no_broken_picture(open_page: OpenPage, stub: PageStub) -> None:
    stub.wishes.has_portrait = False
    call_page = open_page()
    call_page.allowed.add(status_line(503, "Service Unavailable"))
    page = call_page.open().page
    expect(page.locator("#poster")).to_be_hidden()
    expect(page.locator(".persona-picture img").first).to_be_hidden()
    call_page.call()


def test_page_opened_while_the_server_warms_up(open_page: OpenPage, stub: PageStub) -> None:
    engines, stub.engines = stub.engines, {}
    stub.wishes.has_portrait = False
    call_page = open_page()
    call_page.allowed.add(status_line(503, "Service Unavailable"))
    page = call_page.open().page
    expect(page.get_by_role("status")).to_have_text("Warming up")
    expect(page.locator("#engines-card")).to_be_hidden()
    stub.engines, stub.wishes.has_portrait = engines, True
    expect(page.get_by_role("status")).to_have_text("Ready", timeout=6_000)
    expect(page.locator("#engines-card")).to_be_visible()
    expect(page.locator("#poster")).to_be_visible()
    expect(page.locator(".persona-picture img").first).to_be_visible()
