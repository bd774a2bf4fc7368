# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages on their way out: several utterances share one pipe, none may block another.

Each utterance may have ten seconds of sound that the other side has not asked on from; the rest
waits here. A cancelled utterance is dropped at once.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from wire import Header, write_message

MAX_UNACKED_S = 10.0


@dataclass(slots=True)
class _Lane:
    waiting: deque[tuple[Header, bytes, float]] = field(default_factory=deque)
    unacked_s: float = 0.0


class Outbox:
    """Owns the outgoing pipe and the one thread that writes to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lanes: dict[str, _Lane] = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="outbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def open(self, lane_id: str) -> None:
        with self._changed:
            self._lanes[lane_id] = _Lane()

    def put(self, lane_id: str, header: Header, body: bytes = b"", seconds: float = 0.0) -> bool:
        """Queue a message of an utterance; false when the utterance was cancelled."""
        with self._changed:
            lane = self._lanes.get(lane_id)
            if lane is None:
                return False
            lane.waiting.append((header, body, seconds))
            self._changed.notify()
            return True

    def say(self, header: Header) -> None:
        """Queue a message that belongs to no utterance; it overtakes sound."""
        with self._changed:
            lane = self._lanes.setdefault("", _Lane())
            lane.waiting.append((header, b"", 0.0))
            self._changed.notify()

    def acknowledge(self, lane_id: str, seconds: float) -> None:
        """The other side has taken so much sound."""
        with self._changed:
            lane = self._lanes.get(lane_id)
            if lane is not None:
                lane.unacked_s = max(0.0, lane.unacked_s - seconds)
                self._changed.notify()

    def is_open(self, lane_id: str) -> bool:
        with self._changed:
            return lane_id in self._lanes

    def drop(self, lane_id: str | None) -> None:
        """Forget an utterance, or all of them (None)."""
        with self._changed:
            for one in [lane_id] if lane_id is not None else [key for key in self._lanes if key]:
                self._lanes.pop(one, None)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                while (message := self._next()) is None:
                    self._changed.wait()
            write_message(self._descriptor, *message)

    def _next(self) -> tuple[Header, bytes] | None:
        for lane_id in sorted(self._lanes, key=lambda key: (key != "", self._lanes[key].unacked_s)):
            lane = self._lanes[lane_id]
            if lane.waiting and lane.unacked_s < MAX_UNACKED_S:
                header, body, seconds = lane.waiting.popleft()
                lane.unacked_s += seconds
                if header["type"] in ("done", "error") and lane_id:
                    del self._lanes[lane_id]
                return header, body
        return None
