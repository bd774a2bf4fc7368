"""Our pair of tracks on one sample clock: sound leads, each picture rides on its samples.

A unit is pulled once per 40 ms boundary and never re-timed, so lips cannot drift. What a unit
holds is decided by its source; when it leaves is decided here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from avatar.clock import Clock
from avatar.media import GRID_TICKS, MEDIA_CLOCK_RATE, UNIT_TICKS, AVUnit, Int16Array, UInt8Array, VideoFrame

logger = logging.getLogger(__name__)

VIDEO_CLOCK_RATE = 90_000
"""RFC 6184 section 8.2.1, RFC 7741 section 6.1."""
MAX_PICTURES = 2
"""Pictures waiting for the encoder: 80 ms."""
MAX_LAG_S = 0.12
"""What is late by less is caught up back to back (6 packets), and a browser's buffer absorbs it. Beyond,
media time jumps to now: sent late, it would only fill that buffer, and the caller hear us late from then on."""
RAMP_TICKS = 240
"""5 ms: sound cut off faster than this clicks."""

Sleep = Callable[[float], Awaitable[None]]
OnUnit = Callable[[AVUnit, float], None]


class UnitSource(Protocol):
    """What the call shows and says next."""

    def next_unit(self) -> AVUnit:
        """The unit to send now; called once per 40 ms boundary, must not block."""
        ...


@dataclass(slots=True)
class PairCounters:
    """What happened to the units of one pair."""

    units: int = 0
    pictures_sent: int = 0
    dropped_slow_encoder: int = 0
    """Pictures thrown away because the encoder was behind."""
    dropped_stale: int = 0
    """Units and pictures of an interrupted epoch that did not leave."""
    source_faults: int = 0
    """Boundaries filled with silence because the source raised."""
    listener_faults: int = 0
    """Units whose sending could not be told."""
    stalls: int = 0
    """Times this process did not run for over 120 ms; the caller heard a pause, nothing of a unit is lost."""
    skipped_ms: float = 0.0
    """Media time jumped over in them."""
    max_lag_ms: float = 0.0
    max_waiting_pictures: int = 0


class Pacer:
    """Turns ticks of the call into moments of the injected clock; tick 0 is when it is first asked."""

    def __init__(self, clock: Clock, sleep: Sleep, counters: PairCounters) -> None:
        self._clock = clock
        self._sleep = sleep
        self._counters = counters
        self.start_s: float | None = None
        """When tick 0 left, on the injected clock; None before it."""

    async def until(self, pts: int) -> int:
        """Wait for the moment of `pts`.

        Returns:
            The tick to send now: `pts`, or after a stall and at a unit's boundary a later boundary.
        """
        now_s = self._clock.now_s()
        if self.start_s is None:
            self.start_s = now_s - pts / MEDIA_CLOCK_RATE
        lag_s = now_s - self.start_s - pts / MEDIA_CLOCK_RATE
        if lag_s < 0:
            await self._sleep(-lag_s)
            return pts
        self._counters.max_lag_ms = max(self._counters.max_lag_ms, lag_s * 1000)
        if lag_s <= MAX_LAG_S or pts % UNIT_TICKS:
            return pts
        num_units = int(lag_s * MEDIA_CLOCK_RATE) // UNIT_TICKS
        self._counters.stalls += 1
        self._counters.skipped_ms += num_units * UNIT_TICKS * 1000 / MEDIA_CLOCK_RATE
        return pts + num_units * UNIT_TICKS


class MediaPair:
    """The agent's sound and picture as two tracks that share one clock.

    Args:
        source: gives the units.
        clock: paces them.
        on_unit: told each unit and the clock's time at which its first sample left.
        sleep: how to wait on `clock`; another one only where the clock is not the machine's.
    """

    def __init__(
        self, source: UnitSource, *, clock: Clock, on_unit: OnUnit | None = None, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._source = source
        self._clock = clock
        self._on_unit = on_unit
        self.counters = PairCounters()
        self.pacer = Pacer(clock, sleep, self.counters)
        self._has_audio = True
        self._has_video = True
        self._epoch = 0
        self._unit_epoch = 0
        self._sound: Int16Array = np.zeros(UNIT_TICKS, np.int16)
        self._num_sent = UNIT_TICKS
        self._is_faded = False
        self._pictures: deque[tuple[VideoFrame, int, int]] = deque()
        self._has_picture = asyncio.Event()
        self.audio: MediaStreamTrack = _AudioTrack(self)
        self.video: MediaStreamTrack = _VideoTrack(self)

    def negotiated(self, *, audio: bool, video: bool) -> None:
        """Say which tracks leave: without sound, the picture track paces itself."""
        self._has_audio = audio
        self._has_video = video

    @property
    def is_video_clock(self) -> bool:
        """Whether the picture track must pull the units itself."""
        return not self._has_audio

    def clear(self, epoch: int) -> None:
        """Let nothing older than `epoch` leave: waiting pictures go, sound ramps out in 5 ms."""
        self._epoch = max(self._epoch, epoch)
        kept = [item for item in self._pictures if item[2] >= self._epoch]
        self.counters.dropped_stale += len(self._pictures) - len(kept)
        self._pictures = deque(kept)
        if self._unit_epoch < self._epoch and self._num_sent < UNIT_TICKS:
            self._sound = _ramped_out(self._sound, self._num_sent)

    def hush(self, epoch: int) -> None:
        """Let no more of the unit on its way be heard than 5 ms, and nothing older than `epoch` after it."""
        self.clear(epoch)
        if self._num_sent < UNIT_TICKS:
            self._sound = _ramped_out(self._sound, self._num_sent)
            self._is_faded = True

    def pull(self, pts: int) -> None:
        """Take the unit that starts at `pts` from the source."""
        self.counters.units += 1
        self._num_sent = 0
        try:
            unit = self._source.next_unit()
        except Exception:  # a fault in the face must not take the caller's line down
            self.counters.source_faults += 1
            if self.counters.source_faults == 1:
                logger.exception("the unit source failed; silence is sent instead")
            self._sound = np.zeros(UNIT_TICKS, np.int16)
            return
        self._unit_epoch = unit.epoch
        if unit.epoch < self._epoch:
            self.counters.dropped_stale += 1
            self._sound = np.zeros(UNIT_TICKS, np.int16)
            return
        self._epoch = unit.epoch
        self._sound = _after_fade(unit) if self._is_faded else unit.samples
        self._is_faded = False
        if self._has_video:
            self._offer_picture(unit, pts)
        if self._on_unit is not None:
            self._tell(self._on_unit, unit)

    def _tell(self, on_unit: OnUnit, unit: AVUnit) -> None:
        try:
            on_unit(unit, self._clock.now_s())
        except Exception:  # what is wrong with a listener must not take the caller's line down
            self.counters.listener_faults += 1
            if self.counters.listener_faults == 1:
                logger.exception("telling of a unit failed")

    def next_sound(self, pts: int) -> Int16Array:
        """int16[960] that play at `pts`."""
        if pts % UNIT_TICKS == 0:
            self.pull(pts)
        start = pts % UNIT_TICKS
        self._num_sent = start + GRID_TICKS
        return self._sound[start : start + GRID_TICKS]

    async def next_picture(self) -> tuple[VideoFrame, int]:
        """The oldest waiting picture and the tick it belongs to."""
        while not self._pictures:
            self._has_picture.clear()
            await self._has_picture.wait()
        picture, pts, _ = self._pictures.popleft()
        self.counters.pictures_sent += 1
        return picture, pts

    def _offer_picture(self, unit: AVUnit, pts: int) -> None:
        while self._pictures and self._pictures[0][2] < unit.epoch:
            self._pictures.popleft()
            self.counters.dropped_stale += 1
        while len(self._pictures) >= MAX_PICTURES:
            self._pictures.popleft()
            self.counters.dropped_slow_encoder += 1
        self._pictures.append((unit.frame, pts, unit.epoch))
        self.counters.max_waiting_pictures = max(self.counters.max_waiting_pictures, len(self._pictures))
        self._has_picture.set()


class _AudioTrack(MediaStreamTrack):
    """48 kHz mono in frames of 20 ms; the call's clock."""

    kind = "audio"

    def __init__(self, pair: MediaPair) -> None:
        super().__init__()
        self._pair = pair
        self._pts = 0

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._pts = await self._pair.pacer.until(self._pts)
        samples = self._pair.next_sound(self._pts)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate = MEDIA_CLOCK_RATE
        frame.pts = self._pts
        frame.time_base = Fraction(1, MEDIA_CLOCK_RATE)
        self._pts += GRID_TICKS
        return frame


class _VideoTrack(MediaStreamTrack):
    """25 pictures a second, stamped by the samples they were pulled with."""

    kind = "video"

    def __init__(self, pair: MediaPair) -> None:
        super().__init__()
        self._pair = pair
        self._own_pts = 0

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        if self._pair.is_video_clock:
            self._own_pts = await self._pair.pacer.until(self._own_pts)
            self._pair.pull(self._own_pts)
            self._own_pts += UNIT_TICKS
        picture, pts = await self._pair.next_picture()
        frame = to_frame(picture.i420)
        frame.pts = pts * VIDEO_CLOCK_RATE // MEDIA_CLOCK_RATE
        frame.time_base = Fraction(1, VIDEO_CLOCK_RATE)
        return frame


def to_frame(i420: UInt8Array) -> av.VideoFrame:
    """Wrap uint8[height * 3 // 2, width]: without copying if the array is frozen (5 us against 245 at 1280x720)."""
    if i420.flags.writeable or not i420.flags.c_contiguous:
        return av.VideoFrame.from_ndarray(i420, format="yuv420p")
    return av.VideoFrame.from_numpy_buffer(i420, format="yuv420p")


def _after_fade(unit: AVUnit) -> Int16Array:
    """What follows a sound that we faded ourselves."""
    if not unit.num_voiced:
        # The source fades too, from the unit's end on; after our own fade that would be a blip.
        return np.zeros(UNIT_TICKS, np.int16)
    # Held and let go within one unit: the source knows of no gap, so the rise is ours to make.
    risen = unit.samples.copy()
    risen[:RAMP_TICKS] = (risen[:RAMP_TICKS] * np.linspace(0.0, 1.0, RAMP_TICKS, dtype=np.float32)).astype(np.int16)
    return risen


def _ramped_out(sound: Int16Array, start: int) -> Int16Array:
    """The same sound, faded to silence from `start` on."""
    quiet = sound.copy()
    end = min(start + RAMP_TICKS, len(quiet))
    ramp = np.linspace(1.0, 0.0, RAMP_TICKS, dtype=np.float32)[: end - start]
    quiet[start:end] = (quiet[start:end] * ramp).astype(np.int16)
    quiet[end:] = 0
    return quiet
