# Part of the Visavis speech worker, a program of its own. Copyright (C) 2026 the Visavis authors.
# SPDX-License-Identifier: GPL-3.0-or-later
"""One utterance in the making: raw sound and marks of an engine in, timed chunks out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from polish import Polish

Float32Array = npt.NDArray[np.float32]
Int16Array = npt.NDArray[np.int16]
Event = dict[str, Any]
Emit = Callable[[int, Int16Array, list[Event]], bool]

PAUSE = "_"
CHUNK_S = 0.06
MAX_BATCH_S = 1.0
EARLY_S = 0.3
"""Phonemes are told this long before their sound, so that lips can prepare."""
LEAD_S = 0.03
"""Silence left before the first sound; engines give up to 250 ms, which the caller would wait for."""


class Utterance:
    """Collects what an engine gives and hands out 60 ms chunks as soon as their events are final.

    Engines call `add_sound`, `add_phoneme`, `add_word` in order of time, `flush` now and then, and
    `finish` at the end. Positions are samples of the engine's own sound; the silence cut from the
    front is taken off here.

    Args:
        rate_hz: of the sound.
        polish: colours and levels the sound, block by block.
        emit: takes (first sample, int16 samples, events); false stops the utterance.
        is_wanted: false once the utterance is cancelled.
    """

    def __init__(self, rate_hz: int, polish: Polish, emit: Emit, is_wanted: Callable[[], bool]) -> None:
        self.rate_hz = rate_hz
        self.is_stopped = False
        self._polish = polish
        self._emit = emit
        self._is_wanted = is_wanted
        self._raw: list[Float32Array] = []
        self._ready: Float32Array = np.zeros(0, np.float32)
        self._num_samples = 0
        self._num_sent = 0
        self._cut: int | None = None
        self._phonemes: list[tuple[int, str]] = []
        self._words: list[tuple[int, str, int]] = []
        self._pauses: list[int] = []
        self._next_flush = 0
        self._batch = self._chunk = int(CHUNK_S * rate_hz)
        self._early = int(EARLY_S * rate_hz)

    def add_sound(self, samples: Float32Array) -> None:
        """Append float32 samples in [-1, 1]."""
        self._num_samples += len(samples)
        self._raw.append(samples)

    def add_phoneme(self, start: int, symbol: str) -> None:
        """A phoneme begins; it ends where the next one begins."""
        if not self._phonemes and start > 0 and symbol != PAUSE:
            self._phonemes.append((0, PAUSE))
        start = max(start, self._phonemes[-1][0] if self._phonemes else 0)
        if self._phonemes and self._phonemes[-1][1] == symbol == PAUSE:
            return
        if symbol == PAUSE:
            self._pauses.append(start)
        elif self._cut is None:
            self._cut = max(0, start - int(LEAD_S * self.rate_hz))
        self._phonemes.append((start, symbol))

    def add_word(self, start: int, text: str, position: int) -> None:
        """A word of the text begins; it ends at the next word or pause."""
        self._words.append((max(start, self._words[-1][0] if self._words else 0), text, position))

    def flush(self, horizon: int | None = None) -> bool:
        """Send what is final.

        Args:
            horizon: no mark before this sample can come any more; None: every mark was added already.

        Returns:
            False when the utterance was cancelled and the engine should stop.
        """
        self.is_stopped = self.is_stopped or not self._is_wanted()
        if self._cut is None or self._num_samples < self._next_flush:
            return not self.is_stopped
        sound_end = self._num_samples - self._cut
        marks_end = self._marks_end(self._num_samples if horizon is None else horizon)
        while not self.is_stopped and self._num_sent + self._chunk <= sound_end:
            chunk_end = self._cut + self._num_sent + self._chunk
            until = chunk_end + self._early
            # The last mark's end is not known before `finish`, so its sound waits too.
            if (chunk_end if horizon is None else until) > marks_end:
                break
            self._send(self._chunk, until)
        if self._num_sent:
            # Once sound is out there is no hurry, and long blocks are cheap to filter.
            self._batch = min(2 * self._batch, int(MAX_BATCH_S * self.rate_hz))
            self._next_flush = self._num_samples + self._batch
        return not self.is_stopped

    def _marks_end(self, horizon: int) -> int:
        """Up to here marks are final: the last phoneme and the last word have no end yet."""
        return min([horizon, *(marks[-1][0] for marks in (self._phonemes, self._words) if marks)])

    def finish(self) -> int:
        """Send the rest; returns the number of samples of the whole utterance."""
        self._cut = self._cut or 0
        self._phonemes.append((self._num_samples, ""))
        self._words.append((self._num_samples, "", -1))
        total = self._num_samples - self._cut
        while self._num_sent < total and not self.is_stopped:
            size = min(self._chunk, total - self._num_sent)
            is_last = self._num_sent + size == total
            until = self._cut + self._num_sent + size + self._early
            self._send(size, self._num_samples if is_last else until)
        return total

    def _send(self, size: int, until: int) -> None:
        samples = self._take_samples(size)
        self.is_stopped = not self._emit(self._num_sent, samples, self._take_events(until))
        self._num_sent += size

    def _take_samples(self, size: int) -> Int16Array:
        if len(self._ready) < size:
            raw = np.concatenate(self._raw)
            if self._num_sent == 0:
                raw = raw[self._cut :]
            self._raw = []
            self._ready = np.concatenate([self._ready, self._polish(raw)])
        taken, self._ready = self._ready[:size], self._ready[size:]
        return np.round(taken * 32767.0).astype(np.int16)

    def _take_events(self, until: int) -> list[Event]:
        """Events that begin before engine sample `until`; their ends are known by then."""
        events: list[Event] = []
        while len(self._phonemes) > 1 and self._phonemes[0][0] < until:
            start, symbol = self._phonemes.pop(0)
            events += self._event("phoneme", start, self._phonemes[0][0], {"symbol": symbol})
        while len(self._words) > 1 and self._words[0][0] < until:
            start, text, position = self._words.pop(0)
            end = min([self._words[0][0], *(pause for pause in self._pauses if pause > start)])
            where = {"symbol": text, "text_position": position, "length": len(text)}
            events += self._event("word", start, end, where)
        return sorted(events, key=lambda event: int(event["sample"]))

    def _event(self, kind: str, start: int, end: int, what: Event) -> list[Event]:
        cut = self._cut or 0
        start = max(start, cut)
        if end <= start and kind == "phoneme":
            return []
        return [{"kind": kind, "sample": start - cut, "num_samples": max(0, end - start), **what}]
