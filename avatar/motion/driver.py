"""One picture's face from what is heard and what the avatar does: lips over life.

Pure: a state and an input in, a face and the next state out; the same inputs and seed give the
same face on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..media import FaceState
from .behaviour import LifeInput, LifeState, live
from .blendshapes import INDEX, columns
from .coarticulation import REST, MouthShape
from .lips import follow, to_lip_weights

_OPENERS = np.array(
    [c for name in ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthFunnel", "tongueOut") for c in columns(name)]
)
"""Coefficients that part the lips: they belong to speech alone, so no mood breaks a closure."""


@dataclass(frozen=True, slots=True)
class MotionState:
    """All that the next picture remembers of this one."""

    life: LifeState
    lips: MouthShape = REST


@dataclass(frozen=True, slots=True)
class Motion:
    """The face of one picture."""

    face: FaceState
    mouth: float
    """Aperture 0..1."""
    state: MotionState


def move(state: MotionState, life: LifeInput, lips: MouthShape | None) -> Motion:
    """The face 40 ms after `state`.

    Args:
        state: what the picture before left.
        life: the instant, and what the avatar does and feels.
        lips: the shape that the sound asks for, None without sound.
    """
    shape = follow(state.lips, lips)
    pose, next_life = live(state.life, life)
    weights = pose.weights.copy()
    weights[_OPENERS] = 0.0
    # A smile or a frown gives way where the sound shapes the lips, and most where they round.
    weights += to_lip_weights(shape)
    np.clip(weights, 0.0, 1.0, out=weights)
    weights[INDEX["mouthClose"]] = shape.seal if shape.gap > 0.0 or shape.seal else 0.0
    weights.setflags(write=False)
    face = FaceState(
        weights=weights,
        yaw_deg=pose.yaw_deg,
        pitch_deg=pose.pitch_deg,
        roll_deg=pose.roll_deg,
        shift_x_px=pose.shift_x_px,
        shift_y_px=pose.shift_y_px,
        gaze_x=pose.gaze_x,
        gaze_y=pose.gaze_y,
        breath=pose.breath,
    )
    return Motion(face, min(shape.gap, 1.0), MotionState(next_life, shape))
