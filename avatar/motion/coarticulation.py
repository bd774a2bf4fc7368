"""From timed mouth classes to the opening, width and rounding of the lips at any instant.

Each piece of speech pulls the lips to its target with a dominance that falls off exponentially on
both sides (Cohen & Massaro 1993, "Modeling Coarticulation in Synthetic Visual Speech"); targets
and times were fitted on lips of one real speaker and checked on nine others (lips.md section 4).
On top: p, b, m always close, a silence of 120 ms or more is shut at once.
Pure: pieces and an instant in, a shape out. `speech_track.py` makes the pieces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from .visemes import MouthClass

TICKS_PER_MS = 48
LOOKAHEAD_TICKS = 300 * TICKS_PER_MS
"""Sounds that start later than this after an instant have no effect on it."""
_REACH_TICKS = 800 * TICKS_PER_MS
"""A sound that ended earlier has no pull left (0.3 % of width's longest decay)."""
_FADE_IN_TICKS = 60 * TICKS_PER_MS
"""A sound that comes within the look-ahead gains its pull over this time, so nothing jumps."""

TARGETS: Mapping[MouthClass, tuple[float, float, float, float, float]] = {
    "sil": (0.00, 0.000, 0.00, 1.20, 5.60),
    "PP": (-0.20, -0.130, 0.20, 1.50, 0.40),
    "FF": (0.05, -0.060, 0.05, 1.60, 0.90),
    "TH": (0.10, -0.050, 0.10, 2.50, 0.80),
    "DD": (0.48, -0.035, 0.00, 0.50, 1.30),
    "kk": (0.57, -0.005, 0.05, 0.80, 0.60),
    "CH": (0.50, -0.070, 0.50, 1.00, 1.20),
    "SS": (0.60, 0.000, 0.00, 0.70, 2.70),
    "nn": (0.39, -0.020, 0.00, 0.30, 0.40),
    "RR": (0.05, -0.100, 0.40, 2.40, 1.50),
    "ER": (0.30, -0.100, 0.40, 2.40, 1.50),
    "aa": (1.16, -0.080, 0.00, 1.10, 0.50),
    "E": (1.20, 0.045, 0.00, 1.20, 0.60),
    "I": (1.20, 0.060, 0.00, 0.60, 0.60),
    "O": (0.72, -0.065, 0.35, 1.20, 1.05),
    "U": (0.17, -0.160, 1.00, 2.10, 0.90),
    "prep": (0.47, -0.085, 0.10, 0.35, 2.60),
}
"""Class -> (gap, width, rounding, dominance of the gap, dominance of width and rounding).

Gap 1 = the 95th percentile of a speaker's opening (about 0.2 of the distance between the irises),
width = fraction of the width at rest, rounding 1 = "oo". Source: lips.md section 4; gap and rounding
of CH and the gap of ER are judgement (the corpus has too few).
"""
_RISE_TICKS = np.array([34.0, 74.0, 26.0]) * TICKS_PER_MS
_DECAY_TICKS = np.array([53.0, 139.0, 71.0]) * TICKS_PER_MS

_SHUT_AFTER_TICKS = 10 * TICKS_PER_MS
_CLOSURE_RAMP_TICKS = 30 * TICKS_PER_MS
_MIN_SHUT_TICKS = 60 * TICKS_PER_MS
"""So that one picture at 25 fps shows it."""
_MAX_SHUT_TICKS = 180 * TICKS_PER_MS
"""p90 of measured closures; a longer p is a pause that was labelled p."""

_SILENCE_SHUT_TICKS = 40 * TICKS_PER_MS
_SILENCE_RAMP_TICKS = 80 * TICKS_PER_MS
"""A fall takes 78 ms (10-90 %), shut 14 ms after the last phone in the median, p90 83 ms."""
_OPENING_RAMP_TICKS = 60 * TICKS_PER_MS

_FEATURES: tuple[tuple[MouthClass, ...], ...] = (("FF",), ("TH",), ("SS", "CH", "E", "I"))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch with one mouth class."""

    mouth: MouthClass
    start: int
    """Ticks of the speech axis."""
    end: int
    known_at: int
    """Start of the sound this piece was derived from: what the look-ahead is measured to."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A pause long enough to be shut in."""

    start: int
    opens: int
    """When the lips may part again for the next sound."""


@dataclass(frozen=True, slots=True)
class MouthShape:
    """The lips at one instant."""

    gap: float = 0.0
    """Opening, 0 shut, 1 = the speaker's 95th percentile; up to about 1.2."""
    width: float = 0.0
    """Fraction of the width at rest, about -0.16..0.06."""
    rounding: float = 0.0
    """0..1."""
    seal: float = 0.0
    """0..1: how far a p, b or m presses the lips together."""
    tuck: float = 0.0
    """0..1: lower lip under the upper teeth (f, v)."""
    tongue: float = 0.0
    """0..1: tongue tip between the teeth (th)."""
    teeth: float = 0.0
    """0..1: lips drawn back from the teeth (s, sh, e, i)."""


REST = MouthShape()


def shape_at(pieces: Sequence[Piece], silences: Sequence[Silence], instant: int) -> MouthShape:
    """The lips at one instant.

    Args:
        pieces: in order of `known_at`; those known only after the look-ahead are ignored.
        silences: pauses of 120 ms or more.
        instant: ticks of the pieces' axis.
    """
    known = takewhile(lambda p: p.known_at < instant + LOOKAHEAD_TICKS, pieces)
    near = [p for p in known if p.end > instant - _REACH_TICKS]
    if not near:
        return REST
    targets = np.array([TARGETS[p.mouth] for p in near])
    weights = _dominance(near, targets, instant)
    totals = np.maximum(weights.sum(axis=0), 1e-12)
    gap, width, rounding = (weights * targets[:, :3]).sum(axis=0) / totals
    shares = weights[:, 0] / totals[0]
    tuck, tongue, teeth = (
        float(sum(s for s, p in zip(shares, near, strict=True) if p.mouth in mouths)) for mouths in _FEATURES
    )
    parted = 1.0
    for piece in near:
        if piece.mouth == "PP":
            parted *= _closure(piece, instant)
    opening = parted
    for silence in silences:
        opening *= _quiet(silence, instant)
    return MouthShape(max(float(gap), 0.0) * opening, float(width), float(rounding), 1.0 - parted, tuck, tongue, teeth)


def _dominance(pieces: Sequence[Piece], targets: npt.NDArray[np.float64], instant: int) -> npt.NDArray[np.float64]:
    """float64[pieces, 3]: pull on gap, width, rounding."""
    times = np.array([(p.start - instant, instant - p.end, instant + LOOKAHEAD_TICKS - p.known_at) for p in pieces])
    before, after = np.maximum(times[:, 0:1], 0.0), np.maximum(times[:, 1:2], 0.0)
    known = np.clip(times[:, 2:3] / _FADE_IN_TICKS, 0.0, 1.0)
    pull: npt.NDArray[np.float64] = targets[:, [3, 4, 4]] * known * np.exp(-before / _RISE_TICKS - after / _DECAY_TICKS)
    return pull


def _closure(piece: Piece, instant: int) -> float:
    """Factor 0..1 of the gap: 0 between closure and release of a p, b or m, at least 60 ms."""
    shut = max(piece.start, piece.end - _MAX_SHUT_TICKS) + _SHUT_AFTER_TICKS
    shut = min(shut, piece.end - _MIN_SHUT_TICKS)
    return min(max(max(shut - instant, instant - piece.end) / _CLOSURE_RAMP_TICKS, 0.0), 1.0)


def _quiet(silence: Silence, instant: int) -> float:
    closing = (silence.start + _SILENCE_SHUT_TICKS - instant) / _SILENCE_RAMP_TICKS
    opening = (instant - silence.opens) / _OPENING_RAMP_TICKS
    return min(max(closing, opening, 0.0), 1.0)
