"""What a caller is told of the engines of the call: failures of the mind, its return, and better ones to come."""

from contextlib import AsyncExitStack

import pytest

from agent.brain.base import Message
from agent.brain.resilient import COOL_DOWN_S, ResilientBrain
from agent.call_engines import CallEngines
from agent.errors import BrainError
from avatar.clock import VirtualClock
from tests.fixtures.fake_brain import FakeBrain

pytestmark = pytest.mark.unit

OWN = {
    "stt": {"name": "pocketsphinx", "state": "embedded", "why": "built in", "notice": "scripted talk"},
    "brain": {"name": "openai", "state": "ready", "why": "configured", "notice": "talks freely"},
    "tts": {"name": "flite slt", "state": "embedded", "why": "the best here", "notice": "a voice"},
}


class WarmBrain(FakeBrain):
    num_warmed = 0

    async def warm_up(self):
        self.num_warmed += 1
        if self.error is not None:
            raise self.error


class Kit:
    """A call's engines around a mind of two, and all they tell."""

    def __init__(self, error=None):
        self.clock = VirtualClock()
        self.changes, self.reports = [], []
        self.primary = WarmBrain(error=error)
        brain = ResilientBrain(
            self.primary,
            FakeBrain(),
            clock=self.clock,
            on_error=lambda e: self.engines.trouble(e),
            on_back=lambda: self.engines.recovered(),
        )
        self.engines = make(brain)
        self.engines.watch(lambda error, stage: self.reports.append((error, stage)), self.changes.append)

    async def ask(self):
        async for _ in self.engines.brain.respond([Message("user", "hello")]):
            pass


def make(brain) -> CallEngines:
    nothing = dict.fromkeys(("hearing", "turn_model", "tts", "voice", "face"))
    return CallEngines(**nothing, brain=brain, own={slot: dict(state) for slot, state in OWN.items()},
                       stack=AsyncExitStack())  # fmt: skip


async def test_a_mind_that_fails_is_shown_and_reported_and_so_is_its_return():
    kit = Kit(BrainError("the model is down", code="brain-unreachable"))
    await kit.ask()
    assert [stage for _, stage in kit.reports] == ["brain"]
    brain = kit.changes[-1]["brain"]
    assert (brain["state"], brain["problem"], brain["name"]) == ("failed", "the model is down", "openai")
    assert brain["notice"] == "A fake mind is talking."
    kit.primary.error = None
    kit.clock.advance(COOL_DOWN_S)
    await kit.ask()
    assert kit.changes[-1] == OWN and len(kit.changes) == 2
    await kit.ask()
    assert len(kit.changes) == 2, "only changes are told"


async def test_the_mind_is_warmed_up_and_a_failure_of_that_is_bridged():
    kit = Kit()
    await kit.engines.warm_up()
    assert kit.primary.num_warmed == 1 and kit.changes == []
    kit = Kit(BrainError("no model", code="brain-model-missing", retryable=False))
    await kit.engines.warm_up()
    assert kit.changes[-1]["brain"]["state"] == "failed" and len(kit.reports) == 1
    await kit.ask()
    assert not kit.primary.asked, "the spare one answers at once"


async def test_a_surprise_in_the_warm_up_does_not_end_the_call():
    kit = Kit(ZeroDivisionError("a bug"))
    await kit.engines.warm_up()
    assert kit.changes[-1]["brain"]["state"] == "failed" and isinstance(kit.reports[0][0], ZeroDivisionError)


async def test_a_script_needs_no_warming():
    engines = make(FakeBrain())
    await engines.warm_up()
    assert engines.describe() == OWN


@pytest.mark.parametrize(
    ("latest", "shown"),
    [
        ({}, {}),
        (
            {"state": "downloading", "next": "whisper-base.en", "percent": 40},
            {"state": "downloading", "next": "whisper-base.en", "percent": 40},
        ),
        ({"next": "whisper-base.en", "problem": "no hub"}, {"next": "whisper-base.en", "problem": "no hub"}),
        ({"name": "whisper-base.en", "state": "ready", "notice": ""}, {"next": "whisper-base.en"}),
    ],
)
def test_the_call_keeps_its_ears_and_hears_of_better_ones(latest, shown):
    changes = []
    engines = make(FakeBrain())
    engines.watch(lambda error, stage: None, changes.append)
    engines.follow({**OWN, "stt": {**OWN["stt"], **latest}})
    assert changes == [{**OWN, "stt": {**OWN["stt"], **shown}}]
    engines.follow(OWN)
    assert changes[-1] == OWN, "old news are forgotten"


async def test_closing_frees_what_is_the_calls_own():
    closed = []
    engines = make(FakeBrain())
    engines.stack.callback(closed.append, "face")
    await engines.aclose()
    await engines.aclose()
    assert closed == ["face"]
