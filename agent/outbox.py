"""What the server says to one caller: numbered, kept while the caller is away, sent in order."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from avatar.clock import Clock

from .events import MAX_MESSAGE_BYTES, ServerEvent

MAX_KEPT = 10_000
"""Control events kept for a caller who comes back; an hour of lively talk makes about 5 000."""


class Outbox:
    """Numbers events and sends them.

    Args:
        clock: dates the events.
        send: sends one message; answers False while nobody listens.
        wrap: puts an event into the caller's dialect; as it is when None.
        turn: tells the number of the turn an event belongs to.
    """

    def __init__(
        self,
        clock: Clock,
        send: Callable[[str], bool],
        *,
        wrap: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        turn: Callable[[], int] = int,
    ) -> None:
        self._clock = clock
        self._send = send
        self._wrap = wrap
        self._turn = turn
        self._start_s = clock.now_s()
        self._waiting: deque[str] = deque(maxlen=MAX_KEPT)
        self._is_open = False
        self.seq = 0
        self.num_lost = 0
        """Messages that the kept ones pushed out, or that were too large."""

    def emit(self, event: ServerEvent) -> None:
        """Say one event now, or keep it until the caller listens."""
        self.post(self._text(event))

    def post(self, text: str) -> None:
        """Say a message that is no event of ours, in order with the events."""
        if not self._fits(text):
            return
        if self._waiting or not self._is_open or not self._send(text):
            self.num_lost += len(self._waiting) == MAX_KEPT
            self._waiting.append(text)

    def open(self, first: ServerEvent | None = None) -> None:
        """The caller listens: `first` goes ahead of all that waited."""
        self._is_open = True
        if first is not None and self._fits(text := self._text(first)):
            if len(self._waiting) == MAX_KEPT:
                self._waiting.popleft()
                self.num_lost += 1
            self._waiting.appendleft(text)
        self.flush()

    def close(self) -> None:
        """Nobody listens any more; what comes is kept."""
        self._is_open = False

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        while self._waiting and self._is_open and self._send(self._waiting[0]):
            self._waiting.popleft()

    def _fits(self, text: str) -> bool:
        """Whether a channel takes it; else all that comes after would wait behind it."""
        fits = len(text.encode()) <= MAX_MESSAGE_BYTES
        self.num_lost += not fits
        return fits

    def _text(self, event: ServerEvent) -> str:
        message = self._message(event)
        wrapped = message if self._wrap is None else self._wrap(message)
        text = json.dumps(wrapped, ensure_ascii=False, separators=(",", ":"))
        # A language model may cut its stream in the middle of a surrogate pair.
        return text.encode(errors="replace").decode()

    def _message(self, event: ServerEvent) -> dict[str, Any]:
        self.seq += 1
        message = event.to_wire()
        message["event_id"] = f"evt_{self.seq}"
        message["seq"] = self.seq
        message["t_ms"] = round((self._clock.now_s() - self._start_s) * 1000)
        message["turn"] = self._turn()
        return message


def newest(
    lines: Sequence[Mapping[str, Any]], *, max_bytes: int = MAX_MESSAGE_BYTES // 2
) -> tuple[Mapping[str, Any], ...]:
    """The last lines of a conversation that one message can hold with room for its envelope."""
    taken: list[Mapping[str, Any]] = []
    for line in reversed(lines):
        max_bytes -= len(json.dumps(line))
        if max_bytes < 0:
            break
        taken.append(line)
    return tuple(reversed(taken))
