"""Movements of the head and brows that are made once and pass: nods, shakes, beats of speech."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..media import NUM_BLENDSHAPES, Float32Array
from .blendshapes import to_weights
from .chance import smoothstep
from .coarticulation import TICKS_PER_MS

GESTURES: tuple[str, ...] = ("nod", "shake", "tilt", "smile", "brow_raise", "lean_in")
"""What a head can do; of the other kinds a persona may ask for, hands are not in the picture."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Course of a gesture: what moves, and how often within its time."""

    num_ticks: int
    cycles: float
    """0 = one swell that is held; else so many swings."""
    pose: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """yaw, pitch, roll in degrees, shift downwards in px at 1280x720."""
    weights: Mapping[str, float] = field(default_factory=dict)


def _ms(value: int) -> int:
    return value * TICKS_PER_MS


# Nods of listeners: 1-3 swings of 2-6 degrees at 2-4 Hz (Hadar et al. 1985, "Head movement during
# listening turns in conversation", Semiotica 55).
_FORMS: Mapping[str, _Form] = {
    "nod": _Form(_ms(1000), 2, (0.0, 4.0, 0.0, 0.0)),
    "small_nod": _Form(_ms(800), 2, (0.0, 2.0, 0.0, 0.0)),
    "shake": _Form(_ms(1200), 2.5, (5.0, 0.0, 0.0, 0.0)),
    "tilt": _Form(_ms(1600), 0, (0.0, 0.5, 4.0, 0.0), {"browInnerUp": 0.12}),
    "smile": _Form(_ms(2200), 0, (0.0, 0.0, 0.0, 0.0), {"mouthSmile": 0.45, "cheekSquint": 0.25, "eyeSquint": 0.12}),
    "brow_raise": _Form(_ms(900), 0, (0.0, -0.5, 0.0, 0.0), {"browInnerUp": 0.45, "browOuterUp": 0.40}),
    "lean_in": _Form(_ms(2000), 0, (0.0, 2.0, 0.0, 6.0), {"browInnerUp": 0.08}),
    "beat": _Form(_ms(420), 0, (0.0, 1.8, 0.0, 0.0)),
    "beat_brow": _Form(_ms(480), 0, (0.0, 1.2, 0.0, 0.0), {"browInnerUp": 0.18, "browOuterUp": 0.16}),
}
_WEIGHTS: Mapping[str, Float32Array] = {kind: to_weights(form.weights) for kind, form in _FORMS.items()}


@dataclass(frozen=True, slots=True)
class Gesture:
    """A gesture that began at an instant."""

    kind: str
    start: int
    """Ticks."""
    strength: float = 1.0

    @property
    def end(self) -> int:
        return self.start + _FORMS[self.kind].num_ticks


@dataclass(frozen=True, slots=True)
class Movement:
    """Sum of what gestures add."""

    weights: Float32Array
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    shift_y_px: float = 0.0


def movement_at(gestures: Iterable[Gesture], instant: int) -> Movement:
    """What all gestures add at an instant."""
    weights = np.zeros(NUM_BLENDSHAPES, dtype=np.float32)
    pose = np.zeros(4)
    for gesture in gestures:
        form = _FORMS[gesture.kind]
        part = (instant - gesture.start) / form.num_ticks
        if not 0.0 < part < 1.0:
            continue
        swell = min(smoothstep(part / 0.3), smoothstep((1.0 - part) / 0.4))
        # A nod starts downwards and comes back; a shake swings to both sides.
        swing = swell
        if form.cycles:
            turn = math.tau * form.cycles * part
            swing = swell * (math.sin(turn) if form.pose[0] else 0.5 - 0.5 * math.cos(turn))
        pose += gesture.strength * swing * np.array(form.pose)
        weights += np.float32(gesture.strength * swell) * _WEIGHTS[gesture.kind]
    return Movement(weights, *(float(v) for v in pose))
