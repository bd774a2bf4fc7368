"""Rates between two looks, and how long a count stands still."""

from __future__ import annotations

import pytest

from agent.transport.stats import Pulse, RateMeter

pytestmark = pytest.mark.unit


def test_rates_are_of_the_time_between_two_looks() -> None:
    meter = RateMeter()
    assert meter.rates(10.0, 100, 5000) == (0.0, 0.0)
    assert meter.rates(14.0, 200, 105_000) == (25.0, 200_000.0)
    assert meter.rates(14.0, 200, 105_000) == (0.0, 0.0)


def test_a_pulse_is_quiet_from_its_last_beat() -> None:
    pulse = Pulse(0.0)
    assert [pulse.quiet_s(count, now) for now, count in enumerate((5, 5, 5, 6, 6), 1)] == [0.0, 1.0, 2.0, 0.0, 1.0]
