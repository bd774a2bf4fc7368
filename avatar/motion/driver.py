"""One picture's face from what is heard and what the avatar does: lips over life.

Pure: a state and an input in, a face and the next state out; the same inputs and seed give the
same face on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..media import Activity, FaceState
from .behaviour import LifeInput, LifeState, live
from .blendshapes import columns
from .coarticulation import REST, TICKS_PER_MS, MouthShape
from .lips import follow, to_lip_weights

_OPENERS = np.array(
    [c for name in ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthFunnel", "tongueOut") for c in columns(name)]
)
"""Coefficients that part the lips: they belong to speech alone, so no mood breaks a closure."""


_MOODY = np.array([c for name in ("mouthSmile", "mouthFrown", "mouthStretch", "mouthDimple") for c in columns(name)])
_YIELD = 0.5
"""Of a smile or the like that gives way to fully rounded lips."""
_SPEAKING_TICKS = 400 * TICKS_PER_MS
"""Between two sentences the avatar still carries itself as a speaker."""


@dataclass(frozen=True, slots=True)
class MotionState:
    """All that the next picture remembers of this one."""

    life: LifeState
    lips: MouthShape = REST
    spoke_at: int | None = None
    """Instant of the last picture with sound."""
    is_silent: bool = True
    """This picture had no sound."""


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
        life: the instant, and what the avatar does and feels; speech overrides its activity.
        lips: the shape that the sound asks for, None without sound.
    """
    spoke_at = state.spoke_at if lips is None else life.instant
    if spoke_at is not None and life.instant - spoke_at < _SPEAKING_TICKS:
        life = replace(life, activity=Activity.SPEAKING)
    shape = follow(state.lips, lips, was_silent=state.is_silent)
    pose, next_life = live(state.life, life)
    weights = pose.weights.copy()
    weights[_OPENERS] = 0.0
    weights[_MOODY] *= 1.0 - _YIELD * shape.rounding
    weights += to_lip_weights(shape)
    np.clip(weights, 0.0, 1.0, out=weights)
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
    return Motion(face, min(shape.gap, 1.0), MotionState(next_life, shape, spoke_at, lips is None))
