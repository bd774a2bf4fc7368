"""A call on the page, from the lobby to the end of it, in Chromium against the stub."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from agent import events

from .conftest import CallPage
from .page_stub import PageStub

pytestmark = pytest.mark.e2e

OpenPage = Callable[..., CallPage]

PICTURE = """() => {
  const video = document.querySelector("video"), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 36];
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  return [...context.getImageData(0, 0, 64, 36).data];
}"""
AUDIO_ENERGY = """async () => {
  for (const report of (await window.visavis.pc.getStats()).values())
    if (report.type === "inbound-rtp" && report.kind === "audio") return report.totalAudioEnergy;
}"""


def test_lobby_shows_persona_and_engines(open_page: OpenPage, stub: PageStub) -> None:
    page = open_page().open().page
    expect(page.get_by_role("radio", name="Mira")).to_be_checked()
    expect(page.locator(".persona-line").first).to_have_text(stub.personas[0]["description"])
    expect(page.get_by_role("button", name="Call Mira")).to_be_enabled()
    expect(page.locator("#poster")).to_be_visible()
    card = page.locator("#engines-card")
    expect(card).to_contain_text("Hears with pocketsphinx")
    expect(card).to_contain_text("Connect a language model and she talks freely.")
    expect(card).to_contain_text("Fetching Piper: 42 %")


def test_download_progress_is_followed(open_page: OpenPage, stub: PageStub) -> None:
    page = open_page().open().page
    stub.engines["tts"]["percent"] = 77.7
    expect(page.locator("#engines-card progress")).to_have_attribute("value", "77.7", timeout=6_000)
    stub.engines["tts"] = {"name": "flite", "state": "ready", "next": "Piper", "notice": "A small voice."}
    expect(page.locator("#engines-card")).to_contain_text("From the next call: Piper", timeout=6_000)
    expect(page.locator("#engines-card progress")).to_have_count(0)
    stub.engines["tts"]["problem"] = "the hub cannot be reached"
    fault = "Piper could not be fetched: the hub cannot be reached."
    expect(page.locator("#engines-card")).to_contain_text(fault, timeout=6_000)
    expect(page.locator("#engines-card")).not_to_contain_text("From the next call")


def test_call_brings_moving_picture_and_sound(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open().call()
    page = call_page.page
    assert stub.seen.sessions == [{"persona": {"id": "mira"}}]
    assert page.evaluate("window.visavis.sessionId") == "ses_1"
    expect(page.get_by_role("status")).to_have_text("Connected")
    first = page.evaluate(PICTURE)
    call_page.wait_for(lambda: page.evaluate(PICTURE) != first, "a picture that moves")
    call_page.wait_for(lambda: (page.evaluate(AUDIO_ENERGY) or 0) > 0, "sound")
    assert page.evaluate("document.querySelector('video').muted") is False
    offer = stub.seen.offers[0]
    assert "a=sendrecv" in offer and "a=recvonly" in offer and "webrtc-datachannel" in offer
    assert "a=candidate" in offer, "candidates must be inside the offer: there is no trickling"


def test_chosen_persona_is_called_and_remembered(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open()
    call_page.page.get_by_text("Dana", exact=True).click()
    expect(call_page.page.get_by_role("button", name="Call Dana")).to_be_visible()
    call_page.page.reload()
    expect(call_page.page.get_by_role("radio", name="Dana")).to_be_checked()
    call_page.call()
    assert stub.seen.sessions == [{"persona": {"id": "dana-buyer"}}]


def test_agent_words_appear_as_they_are_heard(open_page: OpenPage, stub: PageStub) -> None:
    page = open_page().open().call().page
    line = page.locator(".line.agent .words")
    stub.emit(events.ResponseTextDelta("res_1", "Words that nobody has heard yet."))
    stub.emit(events.AgentTranscriptDelta("res_1", "Good", 0, 200))
    expect(line).to_have_text("Good")
    stub.emit(events.AgentTranscriptDelta("res_1", "morning", 200, 500))
    stub.emit(events.AgentTranscriptDelta("res_1", ".", 500, 520))
    expect(line).to_have_text("Good morning.")
    stub.emit(events.AgentTranscriptDone("res_1", "Good morning.", ""))
    expect(page.locator("#announcer")).to_have_text("Mira: Good morning.")
    expect(line.locator("s")).to_have_count(0)


def test_cut_off_words_are_shown_as_such(open_page: OpenPage, stub: PageStub) -> None:
    page = open_page().open().call().page
    stub.emit(events.AgentTranscriptDelta("res_1", "It was built", 0, 700))
    stub.emit(events.UserTranscriptDelta("item_1", "wait"))
    stub.emit(events.AgentTranscriptDone("res_1", "It was built", "in 1862."))
    line = page.locator(".line.agent .words")
    expect(line.locator("s")).to_have_text("in 1862.")
    expect(line).to_have_text("It was built in 1862. cut off")
    expect(page.locator("#announcer")).to_have_text("Mira: It was built (cut off)")
    expect(page.locator(".captions > li")).to_have_count(2)


def test_partials_of_the_user_are_replaced(open_page: OpenPage, stub: PageStub) -> None:
    page = open_page().open().call().page
    words = page.locator(".line.user .words")
    stub.emit(events.UserTranscriptDelta("item_1", "how hold"))
    expect(words).to_have_text("how hold")
    stub.emit(events.UserTranscriptDelta("item_1", "how old is"))
    expect(words).to_have_text("how old is")
    expect(page.locator(".line.user")).to_have_class("line user live")
    stub.emit(events.UserTranscriptCompleted("item_1", "How old is it?", 0.9))
    expect(words).to_have_text("How old is it?")
    expect(page.locator(".line.user")).to_have_class("line user")
    stub.emit(events.UserTranscriptDelta("item_2", "hm"))
    expect(page.locator(".line.user")).to_have_count(2)
    stub.emit(events.UserTranscriptCompleted("item_2", "", 0.1))
    expect(page.locator(".line.user")).to_have_count(1)


def test_typed_message_goes_out_and_shows_once(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open().call()
    page = call_page.page
    page.get_by_role("textbox", name="Message").fill("Who keeps it?")
    page.keyboard.press("Enter")
    expect(page.locator(".line.user .words")).to_have_text("Who keeps it?")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    call_page.wait_for(lambda: bool(stub.seen.messages), "the message")
    message = stub.seen.messages[0]
    assert message["type"] == "response.create"
    assert message["response"] == {"mode": "talk", "text": "Who keeps it?", "queue": "replace"}
    stub.emit(events.UserTranscriptCompleted("item_9", "Who keeps it?", 1.0, typed=True))
    expect(page.locator(".line.user.live")).to_have_count(0)
    expect(page.locator(".line.user")).to_have_count(1)


def test_refused_message_is_marked(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open().call()
    call_page.page.get_by_role("textbox", name="Message").fill("too much")
    call_page.page.get_by_role("button", name="Send").click()
    call_page.wait_for(lambda: bool(stub.seen.messages), "the message")
    fault = {"code": "rate_limited", "message": "Too many messages.", "event_id": stub.seen.messages[0]["event_id"]}
    stub.emit(events.Error(fault))
    expect(call_page.page.locator(".line.user")).to_contain_text("not sent")
    expect(call_page.page.locator(".line.note")).to_have_text("Too many messages.")


def test_states_metrics_engines_and_warnings_are_shown(open_page: OpenPage, stub: PageStub) -> None:
    page = open_page().open().call().page
    stub.emit(events.AvatarState("thinking"))
    expect(page.locator("#activity")).to_have_text("Thinking")
    expect(page.locator("#thinking")).to_be_visible()
    stub.emit(events.AvatarState("speaking"))
    expect(page.locator("#activity")).to_have_text("Speaking")
    expect(page.locator("#thinking")).to_be_hidden()
    metrics = {
        "endpoint_ms": 241,
        "stt_ms": 12,
        "ttft_ms": None,
        "ttfb_ms": 46,
        "ttff_ms": 404,
        "voice_to_voice_ms": 412,
    }
    stub.emit(events.ResponseDone("res_1", "completed", 900, "Hello.", metrics), turn=3)
    expect(page.locator("#latency-brief")).to_have_text("412 ms")
    page.get_by_role("button", name="Answer").click()
    rows = page.get_by_role("region", name="Answer time").get_by_role("row")
    expect(rows.nth(0)).to_contain_text("End of turn")
    expect(rows.nth(0)).to_contain_text("241 ms")
    expect(rows.nth(2)).to_contain_text("–")
    expect(rows.nth(5)).to_contain_text("412 ms")
    expect(page.locator("#latency-note")).to_have_text("Turn 3")
    expect(page.locator("#latency-wire")).to_have_text(re.compile(r"^\d+ pictures a second, \d+ ms round trip"))
    stub.emit(events.EnginesChanged({"brain": {"name": "qwen3", "state": "ready", "notice": "Talks freely."}}))
    page.get_by_role("button", name="Engines").click()
    expect(page.get_by_role("region", name="Engines")).to_contain_text("Thinks with qwen3")
    stub.emit(events.Warning("llm_slow", "The language model is slow today."))
    expect(page.locator(".line.note")).to_have_text("The language model is slow today.")
    stub.emit(events.ResponseDone("res_2", "failed", 0, "", {}, {"code": "brain_failed", "message": "No answer came."}))
    expect(page.locator(".line.note").last).to_have_text("No answer came.")


def test_unknown_and_broken_events_change_nothing(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page()
    call_page.allowed.add("visavis: a message that is not JSON was left out")
    page = call_page.open().call().page
    stub.send_raw("{not json")
    stub.send_raw('{"type":"a.type.of.tomorrow","x":1}')
    stub.emit(events.AgentTranscriptDelta("res_1", "Still here.", 0, 100))
    expect(page.locator(".line.agent .words")).to_have_text("Still here.")
    assert call_page.state == "connected"


def test_mute_silences_the_microphone(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open().call()
    page = call_page.page
    peaks = stub.seen.user_peaks
    call_page.wait_for(lambda: max(peaks, default=0) > 500, "the beep of the fake microphone")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
    # The fake microphone beeps once a second: two seconds of nothing are no accident.
    page.wait_for_timeout(500)
    for _ in range(4):
        page.wait_for_timeout(500)
        assert max(peaks) < 50
    page.get_by_role("button", name="Unmute").click()
    call_page.wait_for(lambda: max(peaks) > 500, "the beep again")


def test_hang_up_ends_the_session_and_frees_the_microphone(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open().call()
    page = call_page.page
    stub.emit(events.AgentTranscriptDone("res_1", "Goodbye.", ""))
    expect(page.locator(".line.agent")).to_be_visible()
    track = page.evaluate_handle("window.visavis.pc.getSenders().find(({track}) => track).track")
    page.get_by_role("button", name="Hang up").click()
    call_page.until("ended")
    call_page.wait_for(lambda: stub.seen.deleted == ["ses_1"], "the end of the session")
    assert track.evaluate("track => track.readyState") == "ended"
    assert page.evaluate("window.visavis.pc.connectionState") == "closed"
    expect(page.locator(".line.agent")).to_have_text("MiraGoodbye.")
    expect(page.locator(".line.note")).to_contain_text("You hung up after 0:0")
    page.get_by_role("button", name="Choose someone else").click()
    expect(page.get_by_role("radio", name="Dana")).to_be_visible()
    call_page.call()
    assert len(stub.seen.sessions) == 2
    expect(page.locator(".line")).to_have_count(0)


def test_server_ends_the_call(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open().call()
    stub.emit(events.AgentTranscriptDone("res_1", "Anybody there?", ""))
    stub.emit(events.SessionEnded("idle_timeout", 120.0))
    call_page.until("ended")
    expect(call_page.page.locator(".line.note")).to_have_text("The call ended because it was quiet for a long time.")
    expect(call_page.page.get_by_role("button", name="Call again")).to_be_visible()


def test_leaving_the_page_ends_the_session(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page().open().call()
    call_page.page.goto(stub.url + "assets/icon.svg")
    for _ in range(100):
        if stub.seen.deleted:
            break
        call_page.page.wait_for_timeout(20)
    assert stub.seen.deleted == ["ses_1"]


def test_devices_can_be_chosen(open_page: OpenPage, stub: PageStub) -> None:
    call_page = open_page(permissions=["microphone"]).open().call()
    page = call_page.page
    page.get_by_role("button", name="Microphone and loudspeaker").click()
    names = page.get_by_label("Microphone", exact=True).locator("option").all_inner_texts()
    assert len(names) >= 3, names
    page.get_by_label("Microphone", exact=True).select_option(names[-1])
    label = "window.visavis.pc.getSenders().find(({track}) => track)?.track.label"
    call_page.wait_for(lambda: page.evaluate(label) == names[-1], f"the microphone {names[-1]}")
    speakers = page.get_by_label("Loudspeaker", exact=True)
    speakers.select_option(speakers.locator("option").all_inner_texts()[-1])
    sink = "document.querySelector('video').sinkId"
    call_page.wait_for(lambda: page.evaluate(sink) == speakers.input_value(), "the loudspeaker")
    page.keyboard.press("Escape")
    expect(page.locator("#devices")).to_be_hidden()
    assert call_page.state == "connected", "Esc closed the dialog, not the call"
    assert len(stub.seen.offers) == 1
