"""What the server says to one caller: numbered, kept while the caller is away, sent in order."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from avatar.clock import Clock

from .events import ServerEvent

MAX_KEPT = 10_000
"""Control events kept for a caller who comes back; an hour of lively talk makes about 5 000."""


class Outbox:
    """Numbers events and sends them; `send` answers False while nobody listens."""

    def __init__(self, clock: Clock, send: Callable[[str], bool]) -> None:
        self._clock = clock
        self._send = send
        self._start_s = clock.now_s()
        self._waiting: deque[str] = deque(maxlen=MAX_KEPT)
        self._is_open = False
        self.seq = 0
        self.turn = 0
        self.num_lost = 0
        """Events that the kept ones pushed out."""
        self.on_event: Callable[[dict[str, Any]], None] | None = None
        """Told every event, for doors that speak another dialect."""

    def emit(self, event: ServerEvent) -> None:
        """Say one event now, or keep it until the caller listens."""
        message = self._message(event)
        if self.on_event is not None:
            self.on_event(message)
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        if self._waiting or not self._is_open or not self._send(text):
            self.num_lost += len(self._waiting) == MAX_KEPT
            self._waiting.append(text)

    def open(self, first: ServerEvent | None = None) -> None:
        """The caller listens: `first` goes ahead of all that waited."""
        self._is_open = True
        if first is not None:
            self._waiting.appendleft(json.dumps(self._message(first), ensure_ascii=False, separators=(",", ":")))
        self.flush()

    def close(self) -> None:
        """Nobody listens any more; what comes is kept."""
        self._is_open = False

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        while self._waiting and self._is_open and self._send(self._waiting[0]):
            self._waiting.popleft()

    def _message(self, event: ServerEvent) -> dict[str, Any]:
        self.seq += 1
        message = event.to_wire()
        message["event_id"] = f"evt_{self.seq}"
        message["seq"] = self.seq
        message["t_ms"] = round((self._clock.now_s() - self._start_s) * 1000)
        message["turn"] = self.turn
        return message
