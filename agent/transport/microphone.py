"""The caller's voice as int16 16 kHz chunks of 20 ms, in order, at most two seconds behind."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from avatar.media import Int16Array

SAMPLE_RATE_HZ = 16_000
CHUNK_SAMPLES = 320
MAX_CHUNKS = 100
"""2 s: a listener further behind loses the oldest sound."""
MAX_GAP_S = 1.0
"""Lost packets, and those a sender leaves out in silence (Opus DTX: one in 400 ms), become silence up to this
long, so that words keep their place in time and a turn its end."""


@dataclass(slots=True)
class MicrophoneCounters:
    """What happened to the caller's sound."""

    chunks: int = 0
    dropped_slow_listener: int = 0
    filled_gap_ms: float = 0.0


class Microphone:
    """Queue between the wire and one listener."""

    def __init__(self) -> None:
        self._chunks: deque[Int16Array] = deque()
        self._has_news = asyncio.Event()
        self._is_closed = False
        self._resampler = _resampler()
        self._next_pts: int | None = None
        self.counters = MicrophoneCounters()

    async def run(self, track: MediaStreamTrack) -> None:
        """Read the track to its end."""
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, av.AudioFrame):
                    self.push(frame)
        except MediaStreamError:
            return

    def push(self, frame: av.AudioFrame) -> None:
        """Take one decoded frame of any rate and layout."""
        self._fill_gap(frame)
        # The graph would treat a jump of pts as a fault; time is kept by the count of samples.
        frame.pts = None
        try:
            chunks = self._resampler.resample(frame)
        except ValueError:  # the sender went over to another codec
            self._resampler = _resampler()
            chunks = self._resampler.resample(frame)
        for chunk in chunks:
            self._offer(chunk.to_ndarray().reshape(-1).astype(np.int16, copy=False))

    def close(self) -> None:
        """End the iteration."""
        self._is_closed = True
        self._has_news.set()

    async def __aiter__(self) -> AsyncIterator[Int16Array]:
        """int16[320] each, oldest first; ends when the peer is closed."""
        while True:
            while self._chunks:
                yield self._chunks.popleft()
            if self._is_closed:
                return
            self._has_news.clear()
            await self._has_news.wait()

    def _fill_gap(self, frame: av.AudioFrame) -> None:
        if frame.pts is None or frame.sample_rate <= 0:
            return
        if self._next_pts is not None and frame.pts > self._next_pts:
            gap_s = (frame.pts - self._next_pts) / frame.sample_rate
            if gap_s <= MAX_GAP_S:
                for _ in range(round(gap_s * SAMPLE_RATE_HZ) // CHUNK_SAMPLES):
                    self._offer(np.zeros(CHUNK_SAMPLES, np.int16))
                self.counters.filled_gap_ms += gap_s * 1000
        self._next_pts = frame.pts + frame.samples

    def _offer(self, chunk: Int16Array) -> None:
        if len(self._chunks) >= MAX_CHUNKS:
            self._chunks.popleft()
            self.counters.dropped_slow_listener += 1
        self._chunks.append(chunk)
        self.counters.chunks += 1
        self._has_news.set()


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ, frame_size=CHUNK_SAMPLES)
