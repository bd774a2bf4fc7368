"""What can go wrong with a call, each as a stranger would see it: coded, said, recoverable."""

import asyncio
import os
import signal
import sys

import httpx
import pytest

from agent.transport.client import Caller
from tests.fixtures.llm_server import LlmServer

from .live_server import ROOT, LiveServer

pytestmark = pytest.mark.e2e

BAD_RESPONSES = ('{"mode":"sing","text":"x"}', '{"mode":"talk","text":""}', '{"mode":"talk","text":7}', "[]")
GOOD_HEADERS = {"content-type": "application/sdp"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with LiveServer(tmp_path_factory.mktemp("home")) as server:
        yield server


def errors(caller: Caller, after: int = 0) -> list[str]:
    return [e.body["error"]["code"] for e in caller.events[after:] if e.body["type"] == "error"]


async def ask(caller: Caller, text: str) -> dict:
    """Type a turn and wait for the whole answer."""
    num_events = len(caller.events)
    caller.send({"type": "response.create", "response": {"mode": "talk", "text": text}})
    await caller.wait_for("output_audio_buffer.started", 20, after=num_events)
    done = await caller.wait_for("response.done", 30, after=_index(caller, "output_audio_buffer.started", num_events))
    return done.body


def _index(caller: Caller, event_type: str, after: int) -> int:
    return next(i for i, e in enumerate(caller.events) if i >= after and e.body["type"] == event_type)


async def skip_greeting(caller: Caller) -> None:
    await caller.wait_for("output_audio_buffer.started", 15)
    caller.send({"type": "response.cancel"})
    await caller.wait_for("response.done", 10)


MODES = {
    "unauthorized": {"brain-auth"},
    "rate-limited": {"brain-rate-limited"},
    "cut": {"brain-cut"},
    "slow": {"brain-timeout"},
    "server-error": {"brain_failed", "brain-unreachable", "brain-bad-answer"},
    "garbage": {"brain-bad-answer", "brain-cut", "brain_failed"},
}


async def test_a_language_model_that_fails_is_named_and_the_persona_goes_on(tmp_path):
    """One server, one model server that fails in each way; each call has a mind of its own."""
    async with LlmServer() as llm:
        env = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "sk-test-secret", "VISAVIS_MODEL": "test-model"}
        server = await asyncio.to_thread(LiveServer(tmp_path, env=env).__enter__)
        try:
            for mode, codes in MODES.items():
                llm.mode = mode
                await _call_with_a_broken_mind(server, mode, codes)
        finally:
            await asyncio.to_thread(server.stop)
    assert not any("sk-test-secret" in line for line in server.lines)


async def _call_with_a_broken_mind(server: LiveServer, mode: str, codes: set[str]) -> None:
    caller = Caller()
    try:
        await caller.connect(server.url)
        await skip_greeting(caller)
        done = await ask(caller, "who are you")
        assert done["status"] == "completed" and len(done["heard_text"].split()) > 5, f"{mode}: the script bridges"
        assert set(errors(caller)) & codes, (mode, errors(caller))
    finally:
        await caller.aclose()


async def test_a_language_model_that_is_not_there_is_named(tmp_path):
    env = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "VISAVIS_MODEL": "none"}
    server = await asyncio.to_thread(LiveServer(tmp_path, env=env).__enter__)
    caller = Caller()
    try:
        await caller.connect(server.url)
        await skip_greeting(caller)
        done = await ask(caller, "who are you")
        assert done["status"] == "completed" and errors(caller)[0] == "brain-unreachable"
    finally:
        await caller.aclose()
        await asyncio.to_thread(server.stop)


async def test_a_killed_speech_program_comes_back_and_the_call_goes_on(server):
    caller = Caller()
    try:
        await caller.connect(server.url)
        await skip_greeting(caller)
        num_events = len(caller.events)
        caller.send({"type": "response.create", "response": {"mode": "talk", "text": "how does this work"}})
        await caller.wait_for("output_audio_buffer.started", 10, after=num_events)
        os.kill(server.worker_pid(), signal.SIGKILL)
        await caller.wait_for("response.done", 30, after=num_events)
        done = await ask(caller, "who are you")
        assert done["status"] == "completed" and len(done["heard_text"].split()) > 5
        assert set(errors(caller)) <= {"tts-worker-died"}
    finally:
        await caller.aclose()


@pytest.mark.parametrize(
    ("sdp", "why"),
    [
        ("", "empty"),
        ("hello", "not SDP"),
        ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", "no media"),
        ("v=0\r\n" + "a=x\r\n" * 20_000, "too large"),
        ("\x00\xff\x00", "not text"),
    ],
)
async def test_a_bad_offer_is_refused_with_a_code_and_the_session_stays(server, sdp, why):
    async with httpx.AsyncClient(base_url=server.url) as http:
        session = (await http.post("/v1/sessions", json={})).json()
        path = f"/v1/sessions/{session['id']}/webrtc"
        reply = await http.post(path, content=sdp.encode("latin-1"), headers=GOOD_HEADERS)
        assert reply.status_code in (413, 422), why
        error = reply.json()["error"]
        assert error["code"] in ("signalling_failed", "too_large") and error["message"]
        assert (await http.get(f"/v1/sessions/{session['id']}")).json()["status"] == "created"
        await http.delete(f"/v1/sessions/{session['id']}")


async def test_an_offer_of_video_alone_is_answered_in_order_and_shows_the_face(server):
    """No sound section: the caller sees the persona and may type; nothing hangs."""
    caller = Caller()
    try:
        async with httpx.AsyncClient(base_url=server.url) as http:
            session = (await http.post("/v1/sessions", json={})).json()

            async def exchange(offer: str) -> str:
                reply = await http.post(session["webrtc_url"], content=offer, headers=GOOD_HEADERS)
                assert reply.status_code == 201, reply.text
                return reply.text

            await caller.connect_by(exchange, kinds=("video",))
            await caller.wait_for("response.created", 10)
            await asyncio.sleep(1)
            assert caller.marks.first_picture_s is not None
            await http.delete(f"/v1/sessions/{session['id']}")
    finally:
        await caller.aclose()


async def test_garbage_on_the_data_channel_is_answered_and_the_call_goes_on(server):
    caller = Caller()
    try:
        await caller.connect(server.url)
        await skip_greeting(caller)
        garbage = ["", "not json", "[]", "{}", '{"type": 7}', "[" * 5000, '{"type":"response.create"}']
        garbage += [f'{{"type":"response.create","response":{r}}}' for r in BAD_RESPONSES]
        garbage += ['{"type":"no.such.event"}']
        num_events = len(caller.events)
        for text in garbage:
            caller.send_text(text)
        done = await ask(caller, "who are you")
        assert done["status"] == "completed"
        answered = [e.body["type"] for e in caller.events[num_events:] if e.body["type"] in ("error", "warning")]
        assert answered.count("error") >= 8 and "warning" in answered
        assert set(errors(caller)) == {"invalid_request"}
    finally:
        await caller.aclose()


async def test_twenty_offers_at_once_over_the_limit_are_told_to_wait(server):
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        replies = await asyncio.gather(*(http.post("/v1/sessions", json={}) for _ in range(20)))
        made = [r.json()["id"] for r in replies if r.status_code == 201]
        refused = [r for r in replies if r.status_code != 201]
        try:
            assert len(made) == 4 and {r.status_code for r in refused} == {503}
            assert {r.json()["error"]["code"] for r in refused} == {"server_busy"}
            assert all(r.headers["retry-after"] for r in refused)
        finally:
            for session_id in made:
                await http.delete(f"/v1/sessions/{session_id}")
        assert (await http.post("/v1/sessions", json={})).status_code == 201
        listing = (await http.get("/readyz")).json()
        assert listing["active_sessions"] == 1


async def test_strangers_are_refused_while_no_keys_exist(server):
    async with httpx.AsyncClient(base_url=server.url) as http:
        rebound = await http.get("/v1/personas", headers={"host": "evil.example:7860"})
        foreign = await http.get("/v1/personas", headers={"origin": "https://evil.example"})
        proxied = await http.get("/v1/personas", headers={"x-forwarded-for": "203.0.113.7"})
        unknown = await http.get("/v1/sessions/ses_nothing")
        surplus = await http.post("/v1/sessions", json={"price": 0})
        huge = await http.post("/v1/sessions", content=b"{" + b" " * 2_000_000 + b"}")
    codes = [r.json()["error"]["code"] for r in (rebound, foreign, proxied, unknown, surplus, huge)]
    assert codes == [
        "unauthorized",
        "origin_not_allowed",
        "unauthorized",
        "session_not_found",
        "invalid_request",
        "too_large",
    ]


@pytest.mark.soak
async def test_a_caller_who_vanishes_frees_the_place(tmp_path):
    """No goodbye: the process is gone. The server notices, waits a while for a return, and lets go."""
    server = await asyncio.to_thread(LiveServer(tmp_path, "--on-disconnect-s", "1").__enter__)
    command = (sys.executable, "-m", "tests.e2e.vanishing_caller", server.url)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        session_id = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        process.kill()
        await process.wait()
        async with httpx.AsyncClient(base_url=server.url) as http:
            session = {}
            for _ in range(120):
                session = (await http.get(f"/v1/sessions/{session_id}")).json()
                if session["status"] == "ended":
                    break
                await asyncio.sleep(0.5)
            assert session["end_reason"] == "disconnected"
            assert (await http.get("/readyz")).json()["active_sessions"] == 0
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.to_thread(server.stop)
