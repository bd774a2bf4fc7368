"""The sound that waits to be spoken, cut into units of 40 ms.

Pure bookkeeping: no clock, no thread. Knows what was played of each utterance to the sample, and
ramps over 5 ms wherever the sound is cut or taken up again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from ..errors import BufferFullError
from ..media import MEDIA_CLOCK_RATE, UNIT_TICKS, Int16Array

LIMIT_TICKS = 60 * MEDIA_CLOCK_RATE
"""The most sound that may wait."""
FRESH_START_TICKS = 2 * MEDIA_CLOCK_RATE
"""Distance on the axis after an empty queue: the lips of old speech are long at rest."""
RAMP_TICKS = 5 * MEDIA_CLOCK_RATE // 1000
HISTORY_TICKS = 3 * MEDIA_CLOCK_RATE
"""Played sound that is kept, for what is judged by it: how loud a voice is."""
_GAIN_RAMP_TICKS = UNIT_TICKS // 2
_REMEMBERED = 256
"""Utterances whose end is remembered, to drop sound that comes after it."""

_FALL = np.linspace(1.0, 0.0, RAMP_TICKS, dtype=np.float32)
_RISE = _FALL[::-1]


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """Which stretch of which utterance a unit speaks."""

    response_id: str
    utterance_id: str
    offset: int
    """Ticks from the start of the utterance."""
    axis: int
    """The same on the axis along which all utterances lie one after the other."""


@dataclass(frozen=True, slots=True)
class SoundUnit:
    """1920 ticks of sound to play now."""

    samples: Int16Array
    place: UnitPlace | None = None
    """None: nobody speaks."""
    num_voiced: int = 0


@dataclass(frozen=True, slots=True)
class PlayedUtterance:
    """How much of an utterance left for the ear."""

    response_id: str
    utterance_id: str
    played_ticks: int
    received_ticks: int
    is_ended: bool
    """All its sound had been pushed."""


class Utterance:
    """One synthesised sentence, filling while it is played."""

    def __init__(self, response_id: str, utterance_id: str, base: int) -> None:
        self.response_id = response_id
        self.utterance_id = utterance_id
        self.base = base
        """Where it begins on the common axis, ticks."""
        self.received = 0
        self.played = 0
        self.is_ended = False
        self.has_cues = False
        self._samples = np.zeros(MEDIA_CLOCK_RATE, dtype=np.int16)
        self._first = 0
        """Tick of the first sample kept."""

    @property
    def waiting(self) -> int:
        return self.received - self.played

    def append(self, samples: Int16Array) -> None:
        if self.received - self._first + samples.size > self._samples.size:
            self._make_room(samples.size)
        start = self.received - self._first
        self._samples[start : start + samples.size] = samples
        self.received += samples.size

    def read(self, start: int, num_ticks: int) -> Int16Array:
        """Sound from `start`, shorter at either edge of what is there; a copy.

        What was played more than `HISTORY_TICKS` ago may be gone.
        """
        low = max(start, self._first) - self._first
        high = min(start + num_ticks, self.received) - self._first
        return self._samples[low : max(high, low)].copy()

    def _make_room(self, num_ticks: int) -> None:
        """Forget sound played long ago, and grow where that is not enough."""
        first = max(self.played - HISTORY_TICKS, self._first)
        kept = self._samples[first - self._first : self.received - self._first]
        need = kept.size + num_ticks
        # A quarter stays free, or every small chunk would copy all of it.
        size = self._samples.size if 4 * need <= 3 * self._samples.size else 2 * need
        self._samples = np.zeros(size, dtype=np.int16)
        self._samples[: kept.size] = kept
        self._first = first

    def report(self) -> PlayedUtterance:
        return PlayedUtterance(self.response_id, self.utterance_id, self.played, self.received, self.is_ended)


class SoundQueue:
    """Utterances in the order they are spoken; at most `LIMIT_TICKS` wait."""

    def __init__(self) -> None:
        self._utterances: deque[Utterance] = deque()
        self._finished: deque[PlayedUtterance] = deque(maxlen=_REMEMBERED)
        self._closed_ids: deque[str] = deque(maxlen=_REMEMBERED)
        self._axis_end = 0
        self._waiting = 0
        self._is_held = False
        self._is_sounding = False
        """The last unit spoke to its very end, so what follows must not cut it."""
        self._last_sample = 0
        self._rises = False
        self._tail: SoundUnit | None = None
        self._gain, self._wanted_gain = 1.0, 1.0
        self.underruns = 0
        """Units in which a begun utterance had no sound."""

    @property
    def waiting_ticks(self) -> int:
        return self._waiting

    @property
    def is_held(self) -> bool:
        return self._is_held

    @property
    def last(self) -> Utterance | None:
        """The utterance that came last, while it waits or plays."""
        return self._utterances[-1] if self._utterances else None

    def is_closed(self, utterance_id: str) -> bool:
        """Whether an utterance was ended or cleared: sound for it comes too late."""
        return utterance_id in self._closed_ids

    def push(self, samples: Int16Array, response_id: str, utterance_id: str) -> Utterance:
        """Append sound; a new id ends the utterance before it.

        Raises:
            BufferFullError: more than 60 s would wait; nothing was taken.
        """
        if self._waiting + samples.size > LIMIT_TICKS:
            raise BufferFullError(f"{LIMIT_TICKS // MEDIA_CLOCK_RATE} s of sound wait already; await face.room()")
        last = self.last
        if last is not None and last.utterance_id != utterance_id:
            self.end(last.utterance_id)
            last = self.last
        if last is None or last.utterance_id != utterance_id:
            base = self._axis_end if self._utterances else self._axis_end + FRESH_START_TICKS
            last = Utterance(response_id, utterance_id, base)
            self._utterances.append(last)
        last.append(samples)
        self._waiting += samples.size
        return last

    def end(self, utterance_id: str) -> Utterance | None:
        """Say that an utterance is complete; None if it is not the one that fills."""
        last = self.last
        if last is None or last.utterance_id != utterance_id or last.is_ended:
            return None
        last.is_ended = True
        self._closed_ids.append(utterance_id)
        # The last unit is filled up with silence, so the next utterance starts on a unit.
        self._axis_end = last.base + -(-last.received // UNIT_TICKS) * UNIT_TICKS
        self._drop_played()
        return last

    def peek(self, index: int) -> tuple[Utterance, int] | None:
        """The utterance and offset of the unit that will be played `index` units from now."""
        if self._is_held:
            return None
        if self._tail is not None:
            # The ramp after an interruption goes first.
            index -= 1
            if index < 0:
                return None
        for utterance in self._utterances:
            units = utterance.waiting // UNIT_TICKS
            if utterance.is_ended:
                units = -(-utterance.waiting // UNIT_TICKS)
            if index < units:
                return utterance, utterance.played + index * UNIT_TICKS
            if not utterance.is_ended:
                return None
            index -= units
        return None

    def pop(self) -> SoundUnit:
        """The next unit: speech, the ramp that ends speech that was cut, or silence."""
        if self._tail is not None:
            unit, self._tail, self._is_sounding = self._tail, None, False
            return unit
        head = self.peek(0)
        if head is None:
            return self._pause()
        utterance, offset = head
        samples = np.zeros(UNIT_TICKS, dtype=np.int16)
        voice = utterance.read(offset, UNIT_TICKS)
        num_voiced = voice.size
        samples[:num_voiced] = self._shaped(voice)
        utterance.played += num_voiced
        self._waiting -= num_voiced
        self._is_sounding = num_voiced == UNIT_TICKS
        self._last_sample = int(samples[-1])
        self._drop_played()
        return SoundUnit(samples, place_of(utterance, offset), num_voiced)

    def hold(self) -> None:
        self._is_held = True

    def resume(self) -> None:
        self._is_held = False

    def duck(self, gain: float) -> None:
        """Set the loudness, 0..1, reached over 20 ms."""
        self._wanted_gain = min(max(gain, 0.0), 1.0)

    def clear(self) -> tuple[PlayedUtterance, ...]:
        """Drop all sound; a ramp of 5 ms remains if speech was sounding.

        Returns:
            What was played of the utterances of the responses that were cut, in order.
        """
        reports = [u.report() for u in self._utterances]
        cut = {r.response_id for r in reports}
        played = tuple(r for r in self._finished if r.response_id in cut) + tuple(reports)
        if self._is_sounding and self._tail is None:
            self._tail = self._fade()
        for utterance in self._utterances:
            if not utterance.is_ended:
                self._closed_ids.append(utterance.utterance_id)
                self._axis_end = utterance.base + -(-utterance.received // UNIT_TICKS) * UNIT_TICKS
        self._utterances.clear()
        self._finished.clear()
        self._waiting, self._is_held, self._rises = 0, False, False
        self._gain = self._wanted_gain = 1.0
        return played

    def _pause(self) -> SoundUnit:
        if self._utterances and not self._is_held and self._utterances[0].played:
            self.underruns += 1
        if not self._is_sounding:
            return SoundUnit(np.zeros(UNIT_TICKS, dtype=np.int16))
        # What is faded out here is played again, from the same sample, when the voice goes on.
        self._rises = bool(self._utterances)
        unit = self._fade()
        self._is_sounding = False
        return unit

    def _fade(self) -> SoundUnit:
        """The next 5 ms of the voice going to zero, or its last sample where there is no more."""
        samples = np.zeros(UNIT_TICKS, dtype=np.int16)
        head = self._utterances[0] if self._utterances else None
        ahead = head.read(head.played, RAMP_TICKS) if head is not None else np.zeros(0, dtype=np.int16)
        voice = np.full(RAMP_TICKS, self._last_sample, dtype=np.float32)
        voice[: ahead.size] = ahead.astype(np.float32) * self._gain
        samples[:RAMP_TICKS] = np.rint(voice * _FALL).astype(np.int16)
        return SoundUnit(samples, place_of(head, head.played) if head is not None else None)

    def _shaped(self, voice: Int16Array) -> Int16Array:
        if self._gain == self._wanted_gain == 1.0 and not self._rises:
            return voice
        gains = np.full(voice.size, self._wanted_gain, dtype=np.float32)
        ramp = min(_GAIN_RAMP_TICKS, voice.size)
        gains[:ramp] = np.linspace(self._gain, self._wanted_gain, ramp, dtype=np.float32)
        if self._rises:
            rise = min(RAMP_TICKS, voice.size)
            gains[:rise] *= _RISE[:rise]
        self._gain, self._rises = self._wanted_gain, False
        shaped: Int16Array = np.rint(voice.astype(np.float32) * gains).astype(np.int16)
        return shaped

    def _drop_played(self) -> None:
        while self._utterances and self._utterances[0].is_ended and not self._utterances[0].waiting:
            self._finished.append(self._utterances.popleft().report())


def place_of(utterance: Utterance, offset: int) -> UnitPlace:
    """The place of a unit that starts at `offset` of an utterance."""
    return UnitPlace(utterance.response_id, utterance.utterance_id, offset, utterance.base + offset)
