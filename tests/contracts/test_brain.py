"""What every mind must do, fakes too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent.brain.base import Brain, BrainEvent, Emotion, End, Message, TextDelta
from agent.brain.openai import Endpoint, OpenAiBrain
from agent.brain.resilient import ResilientBrain
from agent.brain.scripted import ScriptedBrain
from agent.errors import BrainError
from agent.persona import loads
from avatar.clock import VirtualClock
from tests.fixtures.fake_brain import FakeBrain
from tests.fixtures.llm_server import LlmServer

pytestmark = pytest.mark.contract

PERSONA = loads(
    """
schema: persona/v1
id: host
name: Host
greeting: Welcome.
brain:
  intents:
    - {id: greet, examples: [hello, hi there], replies: [Hello there.], emotion: happy}
"""
)
TALK = (Message("assistant", "Welcome."), Message("user", "hello"))


@asynccontextmanager
async def make(kind: str) -> AsyncIterator[Brain]:
    if kind == "fake":
        yield FakeBrain()
    elif kind == "scripted":
        yield ScriptedBrain(PERSONA)
    elif kind == "resilient":
        broken = FakeBrain(error=BrainError("down"))
        yield ResilientBrain(broken, ScriptedBrain(PERSONA), clock=VirtualClock(), on_error=lambda _: None)
    else:
        async with LlmServer() as server:
            brain = OpenAiBrain(PERSONA, Endpoint(server.base_url))
            yield brain
            await brain.aclose()


@pytest.fixture(params=["fake", "scripted", "openai", "resilient"])
async def brain(request: pytest.FixtureRequest) -> AsyncIterator[Brain]:
    async with make(request.param) as made:
        yield made


async def collect(brain: Brain, talk: tuple[Message, ...] = TALK) -> list[BrainEvent]:
    return [event async for event in brain.respond(talk)]


def words(events: list[BrainEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_answers_with_words_and_ends_once(brain: Brain) -> None:
    events = await collect(brain)
    assert words(events).strip()
    assert isinstance(events[-1], End)
    assert sum(isinstance(event, End) for event in events) == 1


async def test_gives_a_face_before_the_first_word(brain: Brain) -> None:
    events = await collect(brain)
    first_word = next(i for i, event in enumerate(events) if isinstance(event, TextDelta))
    first_face = next(i for i, event in enumerate(events) if isinstance(event, Emotion))
    assert first_face < first_word
    six = {"neutral", "happy", "sad", "angry", "surprised", "fearful"}
    for event in events:
        if isinstance(event, Emotion):
            assert set(event.weights) <= six
            assert all(0 <= weight <= 1 for weight in event.weights.values())


async def test_words_can_be_spoken(brain: Brain) -> None:
    assert not set("[]*#`<>{}") & set(words(await collect(brain)))


async def test_asking_twice_leaves_no_trace(brain: Brain) -> None:
    await collect(brain)  # a resilient mind says its bridge once
    assert words(await collect(brain)) == words(await collect(brain))


async def test_a_withdrawn_turn_leaves_the_mind_usable(brain: Brain) -> None:
    events = brain.respond(TALK)
    await anext(events)
    await events.aclose()  # type: ignore[attr-defined]
    assert words(await collect(brain)).strip()


async def test_a_cancelled_turn_leaves_the_mind_usable(brain: Brain) -> None:
    task = asyncio.ensure_future(collect(brain))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert words(await collect(brain)).strip()


async def test_says_who_it_is(brain: Brain) -> None:
    assert brain.capabilities.name
    assert brain.capabilities.notice.endswith(".")
    greeting = brain.greeting()
    assert greeting is None or greeting.strip()


@pytest.mark.parametrize("text", ["", "hello", "purple monkey dishwasher", "x" * 4000])
async def test_confidence_is_a_share(brain: Brain, text: str) -> None:
    assert 0 <= brain.confidence(text) <= 1


async def test_can_be_closed_twice(brain: Brain) -> None:
    await brain.aclose()
    await brain.aclose()
