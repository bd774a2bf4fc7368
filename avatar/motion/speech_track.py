"""Phoneme cues in the order they come, kept as pieces the coarticulation can read.

Bounded: pieces older than two seconds before the last `forget` are dropped.
"""

from __future__ import annotations

from ..media import PhonemeCue
from .coarticulation import TICKS_PER_MS, MouthShape, Piece, Silence, shape_at
from .visemes import SILENCE, MouthClass, is_stressed, to_mouths

FAR_TICKS = 1 << 60
SILENCE_TICKS = 120 * TICKS_PER_MS
"""Shorter holes belong to the sounds beside them."""
PREPARATION_TICKS = 240 * TICKS_PER_MS
"""The mouth opens before the first sound: medians 210-290 ms of one speaker, others earlier (lips.md section 3)."""
_PREPARATION_SHARE = 0.4
"""Of a pause: the rest is shut."""
_LIPS_FIRST_TICKS = 400 * TICKS_PER_MS
"""Before p, b, m the mouth opens only after a pause this long, else it would flap."""
_PATIENCE_TICKS = 60 * TICKS_PER_MS
_KEEP_TICKS = 1000 * TICKS_PER_MS


class SpeechTrack:
    """The mouth along one axis of speech, filled ahead of its reading."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._silences: list[Silence] = []
        self._quiet_from = -FAR_TICKS
        """Start of the silence that runs now; meaningless while a sound is last."""
        self._is_quiet = True
        self._end = -FAR_TICKS
        self._stressed: list[tuple[int, int]] = []
        self.has_stress = False
        """The voice marks stress at all."""
        self._breath: int | None = None
        """Start of an h or the like that waits for its vowel."""

    def add(self, cue: PhonemeCue, base: int) -> None:
        """Append one cue.

        Args:
            cue: not before the end of the one added last (an overlap is cut off).
            base: where the cue's utterance begins on this axis, ticks.
        """
        start, end = max(base + cue.pts, self._end), base + cue.pts + cue.num_ticks
        if end <= start:
            return
        if start - self._end >= SILENCE_TICKS:
            self._silence(self._end, start)
        if is_stressed(cue.symbol, cue.alphabet):
            self.has_stress = True
            self._stressed.append((start, end))
        mouths = to_mouths(cue.symbol, cue.alphabet)
        if mouths == SILENCE:
            self._silence(start, end)
        elif not mouths:
            self._wait(start, end)
        else:
            self._sound(mouths, start, end)

    def finish(self, end: int) -> None:
        """Say that the sound is over at `end`: silence from the last cue on, until another comes."""
        self._silence(self._end, max(end, self._end))

    def shape_at(self, instant: int) -> MouthShape:
        """The lips at an instant of this axis."""
        # No cue for what sounds now is a pause too: better shut than stuck open.
        if not self._is_quiet and instant < self._end + _PATIENCE_TICKS:
            return shape_at(self._pieces, self._silences, instant)
        start = self._quiet_from if self._is_quiet else self._end
        quiet = Piece("sil", start, FAR_TICKS, start)
        return shape_at([*self._pieces, quiet], [*self._silences, Silence(start, FAR_TICKS)], instant)

    def is_stressed_at(self, instant: int) -> bool:
        """Whether a stressed sound is spoken."""
        return any(start <= instant < end for start, end in self._stressed)

    def forget(self, before: int) -> None:
        """Drop what no instant from `before` on can feel."""
        if self._pieces and self._pieces[0].end < before - 2 * _KEEP_TICKS:
            self._pieces = [p for p in self._pieces if p.end > before - _KEEP_TICKS]
            self._silences = [s for s in self._silences if s.opens > before - _KEEP_TICKS]
            self._stressed = [s for s in self._stressed if s[1] > before]

    def _silence(self, start: int, end: int) -> None:
        if not self._is_quiet:
            self._is_quiet, self._quiet_from = True, start
        self._breath = None
        self._end = max(self._end, end)

    def _wait(self, start: int, end: int) -> None:
        self._speak(start, lips_first=False)
        if self._breath is None:
            self._breath = start
        self._end = end

    def _sound(self, mouths: tuple[MouthClass, ...], start: int, end: int) -> None:
        self._speak(start, lips_first=mouths[0] == "PP")
        # An h is spoken with the mouth of its vowel.
        first = self._breath if self._breath is not None and mouths[0] != "PP" else start
        self._breath = None
        edges = [start + (end - start) * i // len(mouths) for i in range(len(mouths) + 1)]
        for i, mouth in enumerate(mouths):
            self._pieces.append(Piece(mouth, first if i == 0 else edges[i], edges[i + 1], start))
        self._end = end

    def _speak(self, start: int, *, lips_first: bool) -> None:
        """End the silence that runs, with the mouth opening before the sound."""
        if not self._is_quiet:
            return
        self._is_quiet = False
        pause = start - self._quiet_from
        opening = min(PREPARATION_TICKS, int(pause * _PREPARATION_SHARE))
        if lips_first and pause < _LIPS_FIRST_TICKS:
            opening = 0
        self._pieces.append(Piece("sil", self._quiet_from, start - opening, self._quiet_from))
        if opening:
            self._pieces.append(Piece("prep", start - opening, start, start))
        if pause >= SILENCE_TICKS:
            self._silences.append(Silence(self._quiet_from, start - opening))
