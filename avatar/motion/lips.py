"""From the shape of the lips to ARKit weights, and how the mouth comes to rest without sound.

Speech uses `jawOpen` up to 0.40, as real talkers do (95th percentile 0.22-0.53), never near 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..media import NUM_BLENDSHAPES, Float32Array
from .blendshapes import columns
from .coarticulation import REST, MouthShape

JAW_PER_GAP = 0.33
"""jawOpen at the 95th percentile of a speaker's gap: gap = 0.62 jawOpen - 0.011 and p95 0.2 (lips.md section 1)."""
JAW_MAX = 0.40
_CLOSING = 0.35
"""Share of the gap left in the first picture without sound; the second is shut (78 ms for a fall)."""
_SETTLING = 0.6
_MAX_RISE = 0.6
"""Of the gap in one picture: 15 openings a second, between the median and the 90th percentile of real peaks."""

_NARROW = 0.16
_WIDE = 0.06
_SHAPES = tuple(
    (np.array(columns(name)), name)
    for name in (
        "jawOpen", "mouthClose", "mouthPucker", "mouthFunnel", "mouthStretch", "mouthSmile", "mouthPress",
        "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthUpperUp", "mouthLowerDown", "tongueOut",
    )
)  # fmt: skip
MOUTH_COLUMNS = np.concatenate([c for c, _ in _SHAPES])
"""Columns that speech writes."""


def to_lip_weights(shape: MouthShape) -> Float32Array:
    """float32[52] in [0, 1] for a shape; zero outside `MOUTH_COLUMNS`."""
    open_ = min(shape.gap, 1.0)
    free = 1.0 - shape.seal
    narrow, wide = max(-shape.width / _NARROW, 0.0), max(shape.width / _WIDE, 0.0)
    values = {
        "jawOpen": min(JAW_PER_GAP * shape.gap, JAW_MAX),
        "mouthClose": shape.seal,
        "mouthPucker": 0.8 * shape.rounding + 0.2 * max(narrow - shape.rounding, 0.0),
        "mouthFunnel": 0.35 * shape.rounding * open_,
        "mouthStretch": 0.22 * wide,
        "mouthSmile": 0.08 * wide,
        "mouthPress": 0.30 * shape.seal,
        "mouthRollLower": 0.15 * shape.seal + 0.55 * shape.tuck * free,
        "mouthRollUpper": 0.15 * shape.seal,
        "mouthShrugLower": 0.30 * shape.tuck * free,
        # Teeth show only between parted lips.
        "mouthUpperUp": free * (0.35 * shape.tuck * min(4 * open_, 1.0) + 0.10 * shape.teeth * open_),
        "mouthLowerDown": free * open_ * (0.25 * shape.teeth + 0.10),
        "tongueOut": 0.35 * shape.tongue * min(4 * open_, 1.0),
    }
    weights = np.zeros(NUM_BLENDSHAPES, dtype=np.float32)
    for where, name in _SHAPES:
        weights[where] = min(max(values[name], 0.0), 1.0)
    return weights


def follow(previous: MouthShape, wanted: MouthShape | None, *, was_silent: bool) -> MouthShape:
    """The next picture's lips.

    Args:
        previous: the lips of the picture before (40 ms ago).
        wanted: what the sound asks for; None without sound: shut in two pictures.
        was_silent: the picture before had no sound either.
    """
    if wanted is not None:
        return replace(wanted, gap=min(wanted.gap, previous.gap + _MAX_RISE))
    if previous == REST:
        return REST
    gap = 0.0 if was_silent else _CLOSING * previous.gap
    width, rounding = _SETTLING * previous.width, _SETTLING * previous.rounding
    if gap == 0.0 and abs(width) < 0.005 and rounding < 0.03:
        return REST
    return MouthShape(gap=gap, width=width, rounding=rounding)
