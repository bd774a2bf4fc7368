"""What lives even when nothing happens: breath and the sway of the body. Pure functions of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..media import MEDIA_CLOCK_RATE
from .chance import between

_BREATH_S = 4.0
"""15 breaths a minute: adults at rest 12-20 (Barrett et al., "Ganong's Review of Medical Physiology")."""
_INHALE = 0.42
"""Share of breathing in, of the whole breath."""


@dataclass(frozen=True, slots=True)
class Sway:
    """Slow drift of the head; units as in `FaceState`."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    shift_x_px: float
    shift_y_px: float


def breath_at(instant: int, seed: int) -> float:
    """-1 breathed out .. 1 breathed in; never two breaths alike in length."""
    time_s = instant / MEDIA_CLOCK_RATE
    phase = time_s / _BREATH_S + between(0.0, 1.0, seed, 1)
    phase += 0.10 * math.sin(math.tau * time_s / 23.0 + between(0.0, math.tau, seed, 2))
    part = phase % 1.0
    if part < _INHALE:
        return -math.cos(math.pi * part / _INHALE)
    return math.cos(math.pi * (part - _INHALE) / (1.0 - _INHALE))


def sway_at(instant: int, seed: int) -> Sway:
    """Drift of posture: periods of 3 to 19 s that never meet again."""
    time_s = instant / MEDIA_CLOCK_RATE

    def drift(key: int, *waves: tuple[float, float]) -> float:
        return sum(
            size * math.sin(math.tau * time_s / period_s + between(0.0, math.tau, seed, 3, key, i))
            for i, (size, period_s) in enumerate(waves)
        )

    return Sway(
        yaw_deg=drift(0, (0.9, 11.3), (0.5, 4.7), (0.15, 2.3)),
        pitch_deg=drift(1, (0.6, 9.1), (0.35, 3.9), (0.12, 1.9)),
        roll_deg=drift(2, (0.6, 13.7), (0.3, 5.3)),
        shift_x_px=drift(3, (2.2, 18.9), (0.9, 6.1)),
        shift_y_px=drift(4, (1.0, 15.1), (0.5, 5.9)),
    )
