"""A caller's microphone made of arrays."""

from __future__ import annotations

import asyncio
from collections import deque
from fractions import Fraction

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from avatar.clock import Clock
from avatar.media import GRID_TICKS, MEDIA_CLOCK_RATE, Int16Array

from .tracks import Pacer, PairCounters


class PlayedMicrophone(MediaStreamTrack):
    """A microphone that plays what it is told and is silent else."""

    kind = "audio"

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._pacer = Pacer(clock, asyncio.sleep, PairCounters())
        self._pts = 0
        self._queue: deque[tuple[Int16Array, asyncio.Future[float]]] = deque()

    def play(self, samples: Int16Array) -> asyncio.Future[float]:
        """Queue int16 mono 48 kHz."""
        started: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if len(samples):
            self._queue.append((samples, started))
        else:
            started.set_result(self._clock.now_s())
        return started

    def hush(self) -> None:
        """Drop what is queued."""
        for _, started in self._queue:
            if not started.done():
                started.cancel()
        self._queue.clear()

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._pts = await self._pacer.until(self._pts)
        frame = av.AudioFrame.from_ndarray(self._next()[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate = MEDIA_CLOCK_RATE
        frame.pts = self._pts
        frame.time_base = Fraction(1, MEDIA_CLOCK_RATE)
        self._pts += GRID_TICKS
        return frame

    def _next(self) -> Int16Array:
        block = np.zeros(GRID_TICKS, np.int16)
        filled = 0
        while self._queue and filled < GRID_TICKS:
            samples, started = self._queue.popleft()
            if not started.done():
                started.set_result(self._clock.now_s() + filled / MEDIA_CLOCK_RATE)
            part = samples[: GRID_TICKS - filled]
            block[filled : filled + len(part)] = part
            filled += len(part)
            if len(part) < len(samples):
                self._queue.appendleft((samples[len(part) :], started))
        return block
