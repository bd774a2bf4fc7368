"""The words of one call: a recogniser that may fail or hang, and a turn that ends all the same."""

from __future__ import annotations

import asyncio

from ..errors import SttError
from ..stt.base import Int16Array, SttStream, Transcript
from .call import Call

TRANSCRIBE_S = 20.0
"""Longer than the slowest model here takes for a minute of sound; the caller waits in vain by then."""


class Hearing:
    """Guards one recogniser stream: one question at a time, every failure reported."""

    def __init__(self, call: Call, stream: SttStream) -> None:
        self._call = call
        self._stream = stream
        self._lock = asyncio.Lock()

    async def begin(self, sound: Int16Array) -> None:
        """A turn begins with this sound; the one before is forgotten."""
        async with self._lock:
            self._stream.reset()
            self._stream.push(sound)

    def push(self, sound: Int16Array) -> None:
        """More sound of the turn."""
        self._stream.push(sound)

    async def partial(self) -> str | None:
        """The words so far, None when there are none yet."""
        async with self._lock:
            return await self._stream.partial()

    async def transcribe(self) -> Transcript:
        """All words of the turn; empty when the recogniser fails or hangs, since the turn must end."""
        started_s = self._call.clock.now_s()
        try:
            async with self._lock, asyncio.timeout(TRANSCRIBE_S):
                transcript = await self._stream.transcribe()
        except TimeoutError:
            return self._not_understood(SttError(f"no words within {TRANSCRIBE_S:.0f} s", code="stt-timeout"))
        except Exception as error:  # whatever it is, the turn must end
            return self._not_understood(error)
        self._call.marks.stt_ms = (self._call.clock.now_s() - started_s) * 1000
        return transcript

    def _not_understood(self, error: Exception) -> Transcript:
        self._call.report(error, "stt")
        self._stream.reset()
        return Transcript("", 0.0)
