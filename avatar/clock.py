"""Where time comes from: the one place that may read the machine's clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A steady clock."""

    def now_s(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...


class MonotonicClock:
    """The machine's steady clock."""

    def now_s(self) -> float:
        return time.monotonic()


class VirtualClock:
    """A clock that moves only when told to."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Move on; seconds must not be negative."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._now_s += seconds
