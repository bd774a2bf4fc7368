"""The 52 ARKit coefficients, in the one order used inside and on the wire (`arkit52/v1`).

Map by name, never by position of another list: other trackers add `_neutral` or lack `tongueOut`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..media import NUM_BLENDSHAPES, Float32Array

ARKIT_NAMES: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""Column names of every float32[52] in the project."""

INDEX: Mapping[str, int] = {name: i for i, name in enumerate(ARKIT_NAMES)}
"""Column of a name."""


def columns(name: str) -> tuple[int, ...]:
    """Columns of a name; a name without its side ("mouthSmile") means both.

    Raises:
        KeyError: ARKit has no such coefficient.
    """
    if name in INDEX:
        return (INDEX[name],)
    return INDEX[name + "Left"], INDEX[name + "Right"]


def to_weights(values: Mapping[str, float]) -> Float32Array:
    """float32[52] from values by name (sides as in `columns`), not clipped."""
    weights = np.zeros(NUM_BLENDSHAPES, dtype=np.float32)
    for name, value in values.items():
        weights[list(columns(name))] += value
    return weights


def with_gaze(weights: Float32Array, gaze_x: float, gaze_y: float) -> Float32Array:
    """A copy whose eyeLook* columns say where the eyes look, for receivers that know only weights.

    Inside, gaze travels in `FaceState.gaze_x/gaze_y` and these columns stay 0.

    Args:
        weights: float32[52].
        gaze_x: -1..1, > 0 to the subject's left.
        gaze_y: -1..1, > 0 up.
    """
    result = weights.copy()
    to_left, to_right = max(gaze_x, 0.0), max(-gaze_x, 0.0)
    pairs = {
        "eyeLookOutLeft": to_left, "eyeLookInRight": to_left, "eyeLookInLeft": to_right, "eyeLookOutRight": to_right,
        "eyeLookUp": max(gaze_y, 0.0), "eyeLookDown": max(-gaze_y, 0.0),
    }  # fmt: skip
    for name, value in pairs.items():
        result[list(columns(name))] = min(value, 1.0)
    return result
