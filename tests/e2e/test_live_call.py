"""Real calls over loopback against the real server: the doors, a spoken turn, a barge-in, lips against sound."""

import asyncio

import httpx
import numpy as np
import pytest

from agent.bench.call import lip_lag_ms, offset_figures
from agent.bench.command import mouth_box
from agent.bench.recording import Recording
from agent.transport.client import Caller
from tests.fixtures.user_voice import speak

from .live_server import LiveServer

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with LiveServer(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
async def caller():
    caller = Caller()
    yield caller
    await caller.aclose()


def last(caller: Caller, event_type: str) -> dict:
    return next((e.body for e in reversed(caller.events) if e.body["type"] == event_type), {})


async def silence(caller: Caller, after: int = 0) -> None:
    """Wait until the response that runs is done."""
    await caller.wait_for("response.done", 30, after=after)


async def test_a_spoken_question_gets_a_spoken_answer(server, caller):
    question = await speak("How does this work?", 1.5)
    await caller.connect(server.url)
    await silence(caller)
    num_events = len(caller.events)
    await caller.play(question)
    heard = await caller.wait_for("conversation.item.input_audio_transcription.completed", 15, after=num_events)
    assert heard.body["transcript"] == "how does this work"
    await silence(caller, after=num_events)
    done = last(caller, "response.done")
    assert done["status"] == "completed" and len(done["heard_text"].split()) > 8
    assert all(done["metrics"][k] is not None for k in ("endpoint_ms", "stt_ms", "ttft_ms", "ttfb_ms", "ttfa_ms"))
    errors = [e.body for e in caller.events if e.body["type"] in ("error", "warning")]
    assert errors == []


async def test_a_barge_in_silences_the_agent_and_only_heard_words_count(server):
    sounds = []
    caller = Caller(on_sound=lambda s: sounds.append((s.arrived_s, float(np.abs(s.samples).max()))))
    try:
        stop = await speak("Wait, stop please, I have a question.", 1.5)
        await caller.connect(server.url)
        await silence(caller)
        num_events = len(caller.events)
        caller.send({"type": "response.create", "response": {"mode": "talk", "text": "how does this work"}})
        await caller.wait_for("output_audio_buffer.started", 10, after=num_events)
        await asyncio.sleep(1.5)
        await caller.play(stop)
        cleared = await caller.wait_for("output_audio_buffer.cleared", 10, after=num_events)
        done = await caller.wait_for("response.output_audio_transcript.done", 10, after=num_events)
        assert done.body["transcript"] and done.body["unheard"]
        full = done.body["transcript"] + " " + done.body["unheard"]
        await asyncio.sleep(0.3)
        late = [peak for t, peak in sounds if cleared.arrived_s + 0.1 < t < cleared.arrived_s + 0.3]
        assert late and max(late) < 60, "nothing of the old reply is audible any more"
        assert full.split()[:3] == done.body["transcript"].split()[:3]
    finally:
        await caller.aclose()


async def test_lips_move_with_the_sound_and_a_shift_of_two_frames_shows(server):
    """The outgoing stream as a caller decodes it: the mouth opens and shuts when the sound does."""
    recording = Recording(mouth_box("mira"), keeps_media=True)
    caller = Caller(on_sound=recording.on_sound, on_picture=recording.on_picture)
    try:
        await caller.connect(server.url)
        await silence(caller)
        recording.media_sound.clear()
        recording.media_mouth.clear()
        text = "Papa. Mama. Baba. Papa, mama, baba. Pam, Bob, mop, Pop. Papa. Mama. Baba. Mapa. Bama."
        num_events = len(caller.events)
        caller.send({"type": "response.create", "response": {"mode": "repeat", "text": text}})
        await silence(caller, after=num_events)
        await asyncio.sleep(0.5)
    finally:
        await caller.aclose()
    lips = lip_lag_ms(recording, caller.audio, caller.video)
    assert abs(lips["lag_ms"]) <= 40 and lips["correlation"] > 0.5, lips
    for shift in (-2, 2):
        moved = [(rtp + shift * 3600, v) for rtp, v in recording.media_mouth]
        shifted = Recording(recording.box, media_sound=recording.media_sound, media_mouth=moved)
        lag_ms = lip_lag_ms(shifted, caller.audio, caller.video)["lag_ms"]
        assert abs(lag_ms) > 40, f"a shift of {shift} frames must not pass, and it measured {lag_ms} ms"
    offset = offset_figures(caller.audio, caller.video)
    assert abs(offset["offset"]["mean_ms"]) <= 5 and offset["offset"]["sd_ms"] <= 5, offset


async def test_typed_words_work_without_a_microphone(server, caller):
    await caller.connect(server.url, persona="dana-buyer")
    created = await caller.wait_for("session.created", 10)
    assert created.body["session"]["persona"]["id"] == "dana-buyer"
    await silence(caller)
    num_events = len(caller.events)
    caller.send({"type": "response.create", "response": {"mode": "talk", "text": "what problems do you have"}})
    await silence(caller, after=num_events)
    assert last(caller, "response.done")["heard_text"]


async def test_h264_is_served_when_the_caller_wants_it(server, caller):
    await caller.connect(server.url, codec="H264")
    await caller.wait_for("output_audio_buffer.started", 10)
    assert caller.marks.first_picture_s is not None or await _picture(caller)


async def test_pipecats_door_speaks_rtvi(server, caller):
    await caller.connect(server.url, offer_door="pipecat")
    about = {"version": "2.0.0", "about": {"library": "test"}}
    caller.send({"label": "rtvi-ai", "type": "client-ready", "id": "1", "data": about})
    ready = await caller.wait_for("bot-ready", 10)
    assert ready.body["label"] == "rtvi-ai"
    await caller.wait_for("bot-started-speaking", 10)
    native = [e.body["data"]["event"]["type"] for e in caller.events if e.body.get("type") == "server-message"]
    assert "response.created" in native


async def test_health_readiness_metrics_and_personas(server):
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/healthz")).text == "ok\n"
        ready = (await http.get("/readyz")).json()
        assert ready["ready"] and ready["max_sessions"] == 4
        metrics = (await http.get("/metrics")).text
        assert "visavis_sessions_active" in metrics and "visavis_ttff_seconds" in metrics
        personas = (await http.get("/v1/personas")).json()["data"]
        assert personas[0]["id"] == "mira" and not any("{{" in p["description"] for p in personas)
        engines = (await http.get("/v1/engines")).json()["engines"]
        assert set(engines) == {"stt", "brain", "tts"} and all(e["notice"] for e in engines.values())


async def test_reconnecting_keeps_the_call(server):
    """A second offer on the same session replaces the connection; the conversation goes on."""
    first, second = Caller(), Caller()
    try:
        await first.connect(server.url)
        await silence(first)
        session = first.session

        async def again(offer: str) -> str:
            headers = {"content-type": "application/sdp", "authorization": f"Bearer {session['token']}"}
            async with httpx.AsyncClient() as http:
                reply = await http.post(session["webrtc_url"], content=offer, headers=headers)
            assert reply.status_code == 201, reply.text
            return reply.text

        await second.connect_by(again)
        resumed = await second.wait_for("session.resumed", 10)
        assert resumed.body["transcript"][0]["role"] == "agent"
    finally:
        await second.aclose()
        await first.aclose()


async def _picture(caller: Caller) -> bool:
    for _ in range(100):
        if caller.marks.first_picture_s is not None:
            return True
        await asyncio.sleep(0.05)
    return False
