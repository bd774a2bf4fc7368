"""When to change an encoder's bitrate: rarely, since libvpx and x264 must be rebuilt for it.

A receiver estimates at most about 1.5 times what it gets (draft-alvestrand-rmcat-remb-03), so an
estimate above what we send says nothing and one below it says that the line is full.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

LEVELS_BPS = (250_000, 350_000, 500_000, 700_000, 1_000_000, 1_500_000, 2_000_000, 2_500_000)
HOLD_S = 10.0
"""At most one rebuild in this time; each costs a keyframe of 30 to 60 kB at 1280x720."""
CONGESTED_S = 1.0
"""A low estimate must last this long before it counts."""
CLEAR_S = 5.0
WINDOW_S = 1.0
USED_SHARE = 0.8
"""A raise helps only an encoder that uses this share of what it has."""


@dataclass(frozen=True, slots=True)
class BitrateRange:
    """Where an encoder begins and how far it may go."""

    start_bps: int
    max_bps: int


class BitratePolicy:
    """Quantised target of one encoder; time is told, not read."""

    def __init__(self, limits: BitrateRange) -> None:
        self._levels = tuple(level for level in LEVELS_BPS if level <= limits.max_bps) or LEVELS_BPS[:1]
        self.target_bps = max((level for level in self._levels if level <= limits.start_bps), default=self._levels[0])
        self.estimate_bps: int | None = None
        """The receiver's last word."""
        self._sent: deque[tuple[float, int]] = deque()
        self._changed_s: float | None = None
        self._congested_since_s: float | None = None
        self._clear_since_s: float | None = None

    def sent(self, num_bytes: int, now_s: float) -> None:
        """Count an encoded picture."""
        self._sent.append((now_s, num_bytes))
        while self._sent and self._sent[0][0] <= now_s - WINDOW_S:
            self._sent.popleft()

    @property
    def sent_bps(self) -> float:
        """What was sent in the last second."""
        return sum(num_bytes for _, num_bytes in self._sent) * 8 / WINDOW_S

    def estimate(self, estimate_bps: int, now_s: float) -> None:
        """Take the receiver's estimate; `target_bps` may change."""
        self.estimate_bps = estimate_bps
        above = next((level for level in self._levels if level > self.target_bps), None)
        is_congested = estimate_bps < min(0.95 * self.sent_bps, self.target_bps)
        is_clear = above is not None and estimate_bps >= above and self.sent_bps >= USED_SHARE * self.target_bps
        self._congested_since_s = _since(self._congested_since_s, is_congested, now_s)
        self._clear_since_s = _since(self._clear_since_s, is_clear, now_s)
        if self._changed_s is not None and now_s - self._changed_s < HOLD_S:
            return
        if self._congested_since_s is not None and now_s - self._congested_since_s >= CONGESTED_S:
            below = [level for level in self._levels if level <= estimate_bps]
            self._change(below[-1] if below else self._levels[0], now_s)
        elif above is not None and self._clear_since_s is not None and now_s - self._clear_since_s >= CLEAR_S:
            # An estimate cannot rise past half more than is sent, so a step of two levels must be a probe.
            self._change(self._levels[min(self._levels.index(above) + 1, len(self._levels) - 1)], now_s)

    def _change(self, target_bps: int, now_s: float) -> None:
        self._congested_since_s = self._clear_since_s = None
        if target_bps != self.target_bps:
            self.target_bps = target_bps
            self._changed_s = now_s


def _since(since_s: float | None, holds: bool, now_s: float) -> float | None:
    if not holds:
        return None
    return now_s if since_s is None else since_s
