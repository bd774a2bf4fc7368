"""A language model behind HTTP: every way it can fail has a code, and the key goes nowhere else."""

from __future__ import annotations

import socket

import pytest

from agent.brain.base import BrainEvent, Emotion, Message, TextDelta
from agent.brain.openai import Endpoint, OpenAiBrain, Patience
from agent.errors import BrainError
from agent.persona import loads
from tests.fixtures.llm_server import LlmServer

pytestmark = pytest.mark.unit

PERSONA = loads("{schema: persona/v1, id: host, name: Host, style: {max_sentences: 2}, reminder: Be brief.}")
TALK = (Message("user", "hello"),)
QUICK = Patience(first_token_s=0.06, stall_s=0.06, total_s=1.0)


def brain_at(server: LlmServer, patience: Patience | None = None, key: str | None = None) -> OpenAiBrain:
    return OpenAiBrain(PERSONA, Endpoint(server.base_url, key, "test-model"), patience=patience or Patience())


async def answer(brain: OpenAiBrain, events: list[BrainEvent] | None = None) -> list[BrainEvent]:
    events = [] if events is None else events
    try:
        async for event in brain.respond(TALK):
            events.append(event)
    finally:
        await brain.aclose()
    return events


def words(events: list[BrainEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_streams_words_and_emotions_of_split_tags() -> None:
    async with LlmServer() as server:
        events = await answer(brain_at(server))
    assert words(events) == "Hello there. This is bold and fine."
    assert events[0] == Emotion({"happy": 1.0})


async def test_thoughts_are_not_spoken_and_change_no_face() -> None:
    async with LlmServer(mode="think") as server:
        events = await answer(brain_at(server))
    assert words(events) == "Hello there. This is bold and fine."
    assert [event for event in events if isinstance(event, Emotion)] == [Emotion({"happy": 1.0})]


async def test_stops_reading_after_the_sentences_the_persona_may_say() -> None:
    async with LlmServer(answer=("One. ", "Two. ", "Three. ", "Four.")) as server:
        assert words(await answer(brain_at(server))).strip() == "One. Two."


@pytest.mark.parametrize(
    ("mode", "code", "is_retryable"),
    [
        ("slow", "brain-timeout", True),
        ("unauthorized", "brain-auth", False),
        ("rate-limited", "brain-rate-limited", True),
        ("no-model", "brain-model-missing", False),
        ("server-error", "brain-unreachable", True),
        ("garbage", "brain-bad-answer", False),
        ("html", "brain-bad-answer", True),
        ("empty", "brain-bad-answer", True),
    ],
)
async def test_a_failure_before_the_first_word_is_coded(mode: str, code: str, is_retryable: bool) -> None:
    async with LlmServer(mode=mode) as server:
        with pytest.raises(BrainError) as caught:
            await answer(brain_at(server, QUICK if mode == "slow" else None, key="sk-secret"))
    assert (caught.value.code, caught.value.retryable) == (code, is_retryable)
    assert server.base_url in str(caught.value)
    assert "sk-secret" not in repr(caught.value)


@pytest.mark.parametrize(
    ("mode", "code"), [("cut", "brain-cut"), ("unfinished", "brain-cut"), ("stall", "brain-timeout")]
)
async def test_a_failure_in_mid_answer_comes_after_its_words(mode: str, code: str) -> None:
    events: list[BrainEvent] = []
    async with LlmServer(mode=mode, answer=("Well, the ", "thing ", "is.")) as server:
        with pytest.raises(BrainError) as caught:
            await answer(brain_at(server, QUICK if mode == "stall" else None), events)
    assert caught.value.code == code
    assert words(events).startswith("Well, the")


async def test_a_rate_limit_tells_how_long_to_wait() -> None:
    async with LlmServer(mode="rate-limited") as server:
        with pytest.raises(BrainError) as caught:
            await answer(brain_at(server))
    assert caught.value.retry_after_s == 7


async def test_a_dead_server_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(BrainError) as caught:
            await answer(OpenAiBrain(PERSONA, Endpoint(url, model="m")))
    assert caught.value.code == "brain-unreachable"


async def test_a_dropped_connection_is_tried_once_more() -> None:
    async with LlmServer(mode="drop-once") as server:
        assert words(await answer(brain_at(server))).startswith("Hello there.")
    assert server.connections == 2


async def test_the_key_goes_to_its_address_and_does_not_follow_a_redirect() -> None:
    async with LlmServer() as stranger, LlmServer(mode="redirect") as server:
        server.redirect_to = f"{stranger.base_url}/chat/completions"
        with pytest.raises(BrainError):
            await answer(brain_at(server, key="sk-secret"))
    assert server.chats()[0].headers["authorization"] == "Bearer sk-secret"
    assert stranger.requests == []


async def test_a_local_server_gets_no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    async with LlmServer() as server:
        await answer(brain_at(server))
    assert not [value for request in server.requests for value in request.headers.values() if "secret" in value]


async def test_without_a_model_name_the_first_talking_one_is_taken() -> None:
    async with LlmServer() as server:
        await answer(OpenAiBrain(PERSONA, Endpoint(server.base_url)))
    assert server.chats()[0].body["model"] == "test-model"


async def test_a_server_with_embeddings_only_has_no_model() -> None:
    async with LlmServer(models=("nomic-embed-text",)) as server:
        with pytest.raises(BrainError) as caught:
            await answer(OpenAiBrain(PERSONA, Endpoint(server.base_url)))
    assert caught.value.code == "brain-model-missing"


async def test_the_request_suits_strict_chat_templates() -> None:
    talk = [Message("assistant", "Hi."), Message("user", "what"), Message("user", "now"), Message("system", "Note.")]
    async with LlmServer() as server:
        brain = brain_at(server)
        _ = [event async for event in brain.respond(talk)]
        await brain.aclose()
    messages = server.chats()[0].body["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[0]["content"].endswith("Note.")
    assert messages[-1]["content"] == "what now\n\n(Be brief.)"


async def test_a_withdrawn_turn_ends_its_request() -> None:
    async with LlmServer(mode="stall") as server:
        brain = brain_at(server)
        events = brain.respond(TALK)
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
        await brain.aclose()
    assert len(server.chats()) == 1


async def test_warming_up_asks_for_one_token() -> None:
    async with LlmServer() as server:
        brain = brain_at(server)
        await brain.warm_up()
        await brain.aclose()
    assert server.chats()[0].body["max_tokens"] == 1


async def test_nothing_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with LlmServer() as server:
        await answer(brain_at(server, key="sk-secret"))
    assert not [record for record in caplog.records if "hello" in record.getMessage().lower()]
    assert "sk-secret" not in caplog.text


def test_an_endpoint_shows_no_key() -> None:
    assert "sk-secret" not in repr(Endpoint("http://127.0.0.1:1/v1", "sk-secret"))


@pytest.mark.parametrize(("said", "words_said"), [("are you a real person", "A program."), ("the red button", "No.")])
async def test_guardrails_are_not_left_to_the_model(said: str, words_said: str) -> None:
    persona = loads(
        "{schema: persona/v1, id: a, name: A, system: Say you are human.,"
        " guardrails: {disclosure: A program., refuse: [{match: red button, say: No.}]}}"
    )
    async with LlmServer() as server:
        brain = OpenAiBrain(persona, Endpoint(server.base_url, model="m"))
        events = [event async for event in brain.respond([Message("user", said)])]
        await brain.aclose()
    assert words(events) == words_said
    assert server.requests == []
