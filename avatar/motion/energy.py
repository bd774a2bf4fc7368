"""The fallback when a voice tells no phones: lips from loudness and brightness of the sound.

Loudness says when the mouth moves, not how (correlation with real lips 0.45-0.68 against 0.75-0.90
with phones, lips.md section 5), so this stands in only until something better is known.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..media import Int16Array
from .coarticulation import REST, TICKS_PER_MS, MouthShape

REACH_BEFORE_TICKS = 2000 * TICKS_PER_MS
"""Sound before the instant that sets what counts as loud."""
STRESS_REACH_TICKS = 800 * TICKS_PER_MS
"""The same where only stress is asked for: a few syllables."""
REACH_AFTER_TICKS = 60 * TICKS_PER_MS
_FRAME_TICKS = 10 * TICKS_PER_MS
_RANGE_DB = 25.0
_FLOOR_DB = -50.0
"""Below this nobody speaks, however quiet the voice."""
_SHUT_LEVEL = 0.15
_BRIGHT = 0.30
"""Energy of the first difference against the sound's own, at 48 kHz: s about 0.3-1, vowels below 0.03."""


def loudness_at(samples: Int16Array, at: int) -> float:
    """How loud the sound is around sample `at`, 0..1 of the loudest parts shortly before and after."""
    levels = _levels_db(samples)
    if not levels.size:
        return 0.0
    loudest = float(np.sort(levels)[int(0.95 * (levels.size - 1))])
    reference = max(loudest, _FLOOR_DB + _RANGE_DB)
    frame = at // _FRAME_TICKS
    near = levels[max(frame - 2, 0) : frame + 3]
    if not near.size:
        return 0.0
    return float(np.clip(1.0 + (near.mean() - reference) / _RANGE_DB, 0.0, 1.0))


def shape_from_sound(samples: Int16Array, at: int) -> MouthShape:
    """The lips at sample `at`.

    Args:
        samples: int16 at 48 kHz, best from `REACH_BEFORE_TICKS` before to `REACH_AFTER_TICKS` after `at`.
        at: index into samples.
    """
    level = loudness_at(samples, at)
    if level < _SHUT_LEVEL:
        return REST
    near = samples[max(at - 2 * _FRAME_TICKS, 0) : at + 2 * _FRAME_TICKS].astype(np.float32)
    power = float((near**2).mean())
    brightness = float((np.diff(near) ** 2).mean()) / power if near.size > 1 and power > 0 else 0.0
    hiss = min(brightness / _BRIGHT, 1.0)
    gap = (1.0 - hiss) * 0.9 * level + hiss * 0.5
    return MouthShape(gap=gap, width=0.03 * hiss, rounding=0.1 * (1.0 - hiss), teeth=hiss)


def _levels_db(samples: Int16Array) -> npt.NDArray[np.float32]:
    count = samples.size // _FRAME_TICKS
    frames = samples[: count * _FRAME_TICKS].astype(np.float32).reshape(count, _FRAME_TICKS)
    power = np.einsum("ij,ij->i", frames, frames) / (_FRAME_TICKS * 32768.0**2)
    levels: npt.NDArray[np.float32] = 10.0 * np.log10(power + 1e-9)
    return levels
