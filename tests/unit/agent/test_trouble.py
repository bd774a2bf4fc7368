"""Failures of a call: all are counted, the same one is not told over and over, too many end the call."""

import logging

import pytest

from agent.errors import BrainError, ConfigError, SttError
from agent.metrics import CallCounters
from agent.trouble import MAX_ERRORS, TELL_EVERY_S, Troubles, to_error
from avatar.clock import VirtualClock

pytestmark = pytest.mark.unit


def rate_limited() -> BrainError:
    error = BrainError("too many requests; it asks to wait 7 s", code="brain-rate-limited")
    error.retry_after_s = 7.0
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            rate_limited(),
            {
                "type": "error",
                "code": "brain-rate-limited",
                "message": "too many requests; it asks to wait 7 s",
                "retryable": True,
                "retry_after_s": 7.0,
            },
        ),
        (
            ConfigError("--x 3: no"),
            {"type": "error", "code": "invalid_request", "message": "--x 3: no", "retryable": False},
        ),
        (
            ValueError("/home/me/secret"),
            {
                "type": "error",
                "code": "internal",
                "message": "brain failed inside the server; its log says more",
                "retryable": False,
            },
        ),
    ],
)
def test_an_error_as_the_caller_is_told_it(error, told):
    assert to_error(error, "brain") == told


class Kit:
    def __init__(self):
        self.clock, self.counters = VirtualClock(), CallCounters()
        self.told, self.ends = [], 0
        self.troubles = Troubles("ses_1", clock=self.clock, emit=lambda e: self.told.append(e.error["code"]),
                                 counters=self.counters, give_up=self.give_up)  # fmt: skip

    def give_up(self):
        self.ends += 1


def test_the_same_failure_is_told_once_in_a_while_and_always_counted():
    kit = Kit()
    for _ in range(3):
        kit.troubles.report(SttError("deaf"), "ear")
    kit.troubles.report(SttError("deaf"), "pipeline")
    kit.troubles.report(BrainError("down", code="brain-unreachable"), "brain")
    kit.clock.advance(TELL_EVERY_S)
    kit.troubles.report(SttError("deaf"), "ear")
    assert kit.told == ["stt-unavailable", "stt-unavailable", "brain-unreachable", "stt-unavailable"]
    assert kit.counters.errors == {"stt-unavailable": 5, "brain-unreachable": 1}


def test_a_call_that_only_fails_is_given_up():
    kit = Kit()
    for _ in range(MAX_ERRORS):
        kit.troubles.report(SttError("deaf"), "ear")
    assert kit.ends == 0
    kit.clock.advance(TELL_EVERY_S)
    kit.troubles.report(SttError("deaf"), "ear")
    assert kit.ends == 1


def test_the_log_names_the_failure_and_not_what_was_said(caplog):
    with caplog.at_level(logging.WARNING):
        Kit().troubles.report(BrainError("heard: my secret", code="brain-cut"), "brain")
    assert "brain-cut" in caplog.text and "secret" not in caplog.text
