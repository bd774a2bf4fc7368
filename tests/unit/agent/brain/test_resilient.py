"""Two minds: the spare one speaks while the first is down."""

from __future__ import annotations

import pytest

from agent.brain.base import Message, TextDelta
from agent.brain.openai import Endpoint, OpenAiBrain
from agent.brain.resilient import BRIDGE, COOL_DOWN_S, ResilientBrain
from agent.errors import BrainError
from agent.persona import loads
from avatar.clock import VirtualClock
from tests.fixtures.fake_brain import FakeBrain
from tests.fixtures.llm_server import LlmServer

pytestmark = pytest.mark.unit

TALK = (Message("user", "hello"),)


class Pair:
    """A resilient mind with its parts in reach."""

    def __init__(self, error: BrainError | None, after_words: int = 0) -> None:
        self.clock = VirtualClock()
        self.errors: list[BrainError] = []
        self.first = FakeBrain(answers=["I think freely now."], error=error, error_after_words=after_words)
        self.spare = FakeBrain(answers=["My script."])
        self.brain = ResilientBrain(self.first, self.spare, clock=self.clock, on_error=self.errors.append)

    async def say(self) -> str:
        events = [event async for event in self.brain.respond(TALK)]
        return " ".join("".join(event.text for event in events if isinstance(event, TextDelta)).split())


async def test_a_healthy_mind_is_left_alone() -> None:
    pair = Pair(None)
    assert await pair.say() == "I think freely now."
    assert not pair.spare.asked


async def test_a_failure_is_bridged_and_reported_once() -> None:
    pair = Pair(BrainError("down", code="brain-unreachable"))
    assert await pair.say() == f"{BRIDGE} My script."
    assert await pair.say() == "My script."
    assert [error.code for error in pair.errors] == ["brain-unreachable"]
    assert len(pair.first.asked) == 1


async def test_a_cut_in_mid_sentence_is_bridged_too() -> None:
    pair = Pair(BrainError("cut", code="brain-cut"), after_words=2)
    assert await pair.say() == f"I think {BRIDGE} My script."


async def test_the_first_mind_is_tried_again_later() -> None:
    pair = Pair(BrainError("down"))
    await pair.say()
    pair.first.error = None
    pair.clock.advance(COOL_DOWN_S - 1)
    assert await pair.say() == "My script."
    pair.clock.advance(1)
    assert await pair.say() == "I think freely now."


async def test_a_rate_limit_is_respected() -> None:
    error = BrainError("busy", code="brain-rate-limited")
    error.retry_after_s = 90
    pair = Pair(error)
    await pair.say()
    pair.clock.advance(89)
    assert pair.brain.is_down
    pair.clock.advance(1)
    assert not pair.brain.is_down


async def test_a_wrong_key_is_not_tried_again() -> None:
    pair = Pair(BrainError("key", code="brain-auth", retryable=False))
    await pair.say()
    pair.clock.advance(1e9)
    assert await pair.say() == "My script."


async def test_it_says_who_speaks_now() -> None:
    pair = Pair(BrainError("down"))
    pair.first.first_line, pair.spare.first_line = "first", "spare"
    assert pair.brain.greeting() == "first"
    before = pair.brain.capabilities
    await pair.say()
    assert before == pair.first.capabilities
    assert pair.brain.capabilities == pair.spare.capabilities


async def test_closing_closes_both() -> None:
    pair = Pair(None)
    await pair.brain.aclose()
    assert pair.first.is_closed and pair.spare.is_closed


async def test_a_failed_warm_up_lets_the_spare_one_begin() -> None:
    persona = loads("{schema: persona/v1, id: a, name: A}")
    errors: list[BrainError] = []
    async with LlmServer(mode="no-model") as server:
        primary = OpenAiBrain(persona, Endpoint(server.base_url, model="m"))
        brain = ResilientBrain(primary, FakeBrain(), clock=VirtualClock(), on_error=errors.append)
        await brain.warm_up()
        await brain.aclose()
    assert brain.is_down
    assert [error.code for error in errors] == ["brain-model-missing"]


async def test_a_mind_that_needs_no_warming_is_left_alone() -> None:
    pair = Pair(None)
    await pair.brain.warm_up()
    assert not pair.first.asked
