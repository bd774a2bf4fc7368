"""When a call ends by itself, and when the persona breaks the silence."""

import pytest

from agent.config import ServerConfig
from agent.limits import CallLimits
from agent.persona.schema import Idle

pytestmark = pytest.mark.unit


def limits(*, max_minutes: float = 30, **config) -> CallLimits:
    return CallLimits(ServerConfig(**config), max_minutes, created_s=100.0, quiet_s=100.0)


@pytest.mark.parametrize(
    ("config", "steps", "now_s", "reason"),
    [
        ({}, [], 160.0, None),
        ({}, [], 160.1, "connect_timeout"),
        ({"connect_timeout_s": 5}, [], 105.1, "connect_timeout"),
        ({}, [("connected", 101)], 500.0, None),
        ({}, [("connected", 101), ("lost", 200)], 230.0, None),
        ({}, [("connected", 101), ("lost", 200)], 230.1, "disconnected"),
        ({}, [("connected", 101), ("lost", 200), ("lost", 229)], 230.1, "disconnected"),
        ({}, [("connected", 101), ("lost", 200), ("connected", 229)], 400.0, None),
        ({"on_disconnect_s": 0}, [("connected", 101), ("lost", 200)], 200.1, "disconnected"),
        ({}, [("lost", 101)], 140.0, None),
        ({"max_minutes": 1}, [("connected", 110)], 170.0, None),
        ({"max_minutes": 1}, [("connected", 110)], 170.1, "max_duration"),
        ({"idle_timeout_s": 20}, [("connected", 110)], 130.0, None),
        ({"idle_timeout_s": 20}, [("connected", 110)], 130.1, "idle_timeout"),
        ({"idle_timeout_s": 20}, [("connected", 110), ("lost", 115)], 140.0, None),
        ({"idle_timeout_s": 20}, [("connected", 110), ("lost", 115), ("connected", 140)], 141.0, None),
        ({"idle_timeout_s": 20}, [("connected", 110), ("lost", 115), ("connected", 140)], 160.1, "idle_timeout"),
    ],
)
def test_why_a_call_ends(config, steps, now_s, reason):
    call = limits(**config)
    for step, at_s in steps:
        getattr(call, step)(float(at_s))
    assert call.end_reason(now_s) == reason


def test_a_call_is_counted_from_its_first_connection():
    call = limits()
    assert call.seconds(150.0) == 0.0
    call.connected(160.0)
    call.lost(170.0)
    call.connected(180.0)
    assert call.seconds(190.0) == 30.0


def test_the_persona_breaks_the_silence_in_turn_and_not_too_often():
    call, idle = limits(), Idle(after_s=8, say=("Hello?", "Still there?"), times_max=3)
    assert call.silence_breaker(idle, 300.0) is None, "nobody is there yet"
    call.connected(300.0)
    said = [call.silence_breaker(idle, now_s) for now_s in (308.0, 308.1, 310.0, 316.2, 324.3, 400.0)]
    assert said == [None, "Hello?", None, "Still there?", "Hello?", None]


@pytest.mark.parametrize("idle", [None, Idle()])
def test_a_persona_without_such_lines_keeps_quiet(idle):
    call = limits()
    call.connected(100.0)
    assert call.silence_breaker(idle, 1000.0) is None


def test_a_lost_caller_is_not_spoken_to():
    call, idle = limits(), Idle(say=("Hello?",))
    call.connected(100.0)
    call.lost(101.0)
    assert call.silence_breaker(idle, 120.0) is None
    call.connected(120.0)
    assert call.silence_breaker(idle, 121.0) is None, "the silence begins when the caller is back"
