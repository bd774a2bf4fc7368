"""Bitrate changes: rare, quantised, and only for a reason."""

from __future__ import annotations

import pytest

from agent.transport.bitrate import LEVELS_BPS, BitratePolicy, BitrateRange

pytestmark = pytest.mark.unit

RANGE = BitrateRange(start_bps=1_500_000, max_bps=2_500_000)


def _run(policy: BitratePolicy, seconds: range, *, sent_bps: int, estimate_bps: int) -> list[int]:
    """One second at a time: 25 pictures, then the receiver's word."""
    targets = []
    for second in seconds:
        for picture in range(25):
            policy.sent(sent_bps // 25 // 8, second + picture / 25)
        policy.estimate(estimate_bps, second + 0.99)
        targets.append(policy.target_bps)
    return targets


def test_an_estimate_above_what_is_sent_changes_nothing_however_low() -> None:
    policy = BitratePolicy(RANGE)
    assert set(_run(policy, range(60), sent_bps=400_000, estimate_bps=600_000)) == {1_500_000}


def test_a_full_line_lowers_the_rate_after_a_second() -> None:
    policy = BitratePolicy(RANGE)
    assert _run(policy, range(3), sent_bps=1_400_000, estimate_bps=800_000) == [1_500_000, 700_000, 700_000]


def test_one_low_estimate_is_not_believed() -> None:
    policy = BitratePolicy(RANGE)
    _run(policy, range(1), sent_bps=1_400_000, estimate_bps=300_000)
    assert set(_run(policy, range(1, 20), sent_bps=1_400_000, estimate_bps=1_900_000)) == {1_500_000}


def test_at_most_one_change_in_ten_seconds() -> None:
    policy = BitratePolicy(RANGE)
    targets = []
    for second in range(120):
        estimate = 300_000 if second % 4 < 2 else 2_400_000
        targets += _run(policy, range(second, second + 1), sent_bps=policy.target_bps, estimate_bps=estimate)
    changes = [second for second in range(1, 120) if targets[second] != targets[second - 1]]
    assert changes and all(later - earlier >= 10 for earlier, later in zip(changes, changes[1:], strict=False))


def test_the_rate_climbs_two_levels_at_a_time_when_used_and_the_line_is_clear() -> None:
    policy = BitratePolicy(RANGE)
    _run(policy, range(3), sent_bps=1_400_000, estimate_bps=500_000)
    assert policy.target_bps == 500_000
    seen = []
    for second in range(3, 120):
        seen += _run(
            policy, range(second, second + 1), sent_bps=policy.target_bps, estimate_bps=policy.target_bps * 3 // 2
        )
    assert list(dict.fromkeys(seen)) == [500_000, 1_000_000, 2_000_000, 2_500_000]


def test_below_the_lowest_level_there_is_nothing_lower() -> None:
    policy = BitratePolicy(RANGE)
    _run(policy, range(3), sent_bps=1_400_000, estimate_bps=10_000)
    assert policy.target_bps == LEVELS_BPS[0]


def test_levels_stay_under_the_limit() -> None:
    policy = BitratePolicy(BitrateRange(start_bps=900_000, max_bps=1_000_000))
    assert policy.target_bps == 700_000
    _run(policy, range(60), sent_bps=1_000_000, estimate_bps=9_000_000)
    assert policy.target_bps == 1_000_000


def test_a_ceiling_below_all_levels_takes_the_lowest() -> None:
    assert BitratePolicy(BitrateRange(start_bps=1, max_bps=1)).target_bps == LEVELS_BPS[0]
