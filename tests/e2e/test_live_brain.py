"""A configured language model in a real call: warmed up during the greeting, and its failure is shown."""

import asyncio

import pytest

from agent.transport.client import Caller
from tests.fixtures.llm_server import LlmServer

from .live_server import LiveServer

pytestmark = [pytest.mark.e2e, pytest.mark.soak]


async def until(is_true, what: str, limit_s: float = 20) -> None:
    for _ in range(int(limit_s / 0.05)):
        if is_true():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"waited {limit_s} s for {what}")


async def start(home, llm: LlmServer) -> LiveServer:
    env = {"OPENAI_BASE_URL": llm.base_url, "OPENAI_API_KEY": "sk-test", "VISAVIS_MODEL": "test-model"}
    return await asyncio.to_thread(LiveServer(home, env=env).__enter__)


def talks(llm: LlmServer) -> list[dict]:
    return [r.body for r in llm.requests if r.path.endswith("/chat/completions")]


async def test_the_model_reads_its_prompt_while_the_persona_greets(tmp_path):
    async with LlmServer() as llm:
        server, caller = await start(tmp_path, llm), Caller()
        try:
            assert talks(llm) == [], "nothing is asked before there is a call"
            await caller.connect(server.url)
            await until(lambda: talks(llm), "the warm-up")
            assert talks(llm)[0]["max_tokens"] == 1 and talks(llm)[0]["messages"][0]["role"] == "system"
            created = (await caller.wait_for("session.created", 10)).body["session"]["engines"]["brain"]
            assert created["state"] == "ready" and "talks freely" in created["notice"]
            await caller.wait_for("response.done", 30)
            num_events = len(caller.events)
            caller.send({"type": "response.create", "response": {"mode": "talk", "text": "who are you"}})
            done = await caller.wait_for("response.done", 30, after=num_events)
            assert "Hello there" in done.body["heard_text"]
            assert talks(llm)[1]["messages"][0] == talks(llm)[0]["messages"][0], "the prompt that was read is used"
            assert [e.body for e in caller.events if e.body["type"] in ("error", "session.engines")] == []
        finally:
            await caller.aclose()
            await asyncio.to_thread(server.stop)


async def test_a_model_that_is_down_is_shown_before_the_first_question(tmp_path):
    async with LlmServer(mode="rate-limited") as llm:
        server, caller = await start(tmp_path, llm), Caller()
        try:
            await caller.connect(server.url)
            told = (await caller.wait_for("session.engines", 15)).body["engines"]["brain"]
            assert told["state"] == "failed" and "too many requests" in told["problem"]
            assert "speaks from a script" in told["notice"]
            error = (await caller.wait_for("error", 10)).body["error"]
            assert (error["code"], error["retry_after_s"], error["retryable"]) == ("brain-rate-limited", 7.0, True)
            await caller.wait_for("response.done", 30)
            num_asked, num_events = len(talks(llm)), len(caller.events)
            caller.send({"type": "response.create", "response": {"mode": "talk", "text": "who are you"}})
            done = await caller.wait_for("response.done", 30, after=num_events)
            assert done.body["status"] == "completed" and "lost my train" not in done.body["heard_text"]
            assert len(talks(llm)) == num_asked, "it is left alone for as long as it asked, and longer"
        finally:
            await caller.aclose()
            await asyncio.to_thread(server.stop)
