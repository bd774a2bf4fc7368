"""Six moods and their faces, blended by weight. None of them parts the lips: that is speech's own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..media import Float32Array
from .blendshapes import to_weights

EMOTIONS: tuple[str, ...] = ("neutral", "happy", "sad", "angry", "surprised", "fearful")
"""The only names on the wire."""

Mood = tuple[float, ...]
"""One weight in 0..1 per emotion, in `EMOTIONS` order; sum at most 1."""
NEUTRAL: Mood = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)

# After Ekman & Friesen, "Facial Action Coding System" (happiness 6+12, sadness 1+4+15, anger 4+5+7+23,
# surprise 1+2+5, fear 1+2+4+5+20), at the strength of conversation, without the units that part the lips.
_FACES: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happy": {"mouthSmile": 0.55, "cheekSquint": 0.40, "eyeSquint": 0.20, "mouthDimple": 0.15, "browInnerUp": 0.08},
    "sad": {"browInnerUp": 0.65, "browDown": 0.15, "mouthFrown": 0.70, "mouthShrugLower": 0.20, "eyeSquint": 0.12},
    "angry": {"browDown": 0.75, "eyeSquint": 0.35, "noseSneer": 0.35, "mouthPress": 0.40, "mouthFrown": 0.35},
    "surprised": {"browInnerUp": 0.75, "browOuterUp": 0.75, "eyeWide": 0.75},
    "fearful": {"browInnerUp": 0.80, "browOuterUp": 0.25, "browDown": 0.15, "eyeWide": 0.60, "mouthStretch": 0.40},
}
_MATRIX = np.stack([to_weights(_FACES[name]) for name in EMOTIONS])


def to_mood(weights: Mapping[str, float]) -> Mood:
    """A mood from weights by name; a sum over 1 is scaled down to 1, nothing is neutral.

    Raises:
        ValueError: an unknown emotion or a weight outside 0..1.
    """
    for name, weight in weights.items():
        if name not in EMOTIONS:
            raise ValueError(f"emotion {name!r} is not one of {', '.join(EMOTIONS)}")
        if not 0.0 <= weight <= 1.0:
            raise ValueError(f"weight of {name} must be 0..1, not {weight}")
    total = max(sum(weights.values()), 1.0)
    mood = tuple(weights.get(name, 0.0) / total for name in EMOTIONS)
    return mood if any(mood) else NEUTRAL


def mood_weights(mood: Mood) -> Float32Array:
    """float32[52] of a blend."""
    weights: Float32Array = np.asarray(mood, dtype=np.float32) @ _MATRIX
    return weights
