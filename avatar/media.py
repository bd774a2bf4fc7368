"""The values that flow through the face, and the one clock they are counted in.

Media time is an integer count of 48 kHz samples ("ticks") since the call began: sound is the
master, every picture and every cue is placed by it.

Signs of the head: yaw > 0 turns to the subject's left (picture right), pitch > 0 nods down,
roll > 0 tilts to the subject's left shoulder (clockwise on screen). Gaze x > 0 looks to the
subject's left, y > 0 looks up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

import numpy as np
import numpy.typing as npt

MEDIA_CLOCK_RATE = 48_000
"""Ticks a second."""
VIDEO_FPS = 25
UNIT_TICKS = 1920
"""One A/V unit: 40 ms of sound and its picture, two Opus packets."""
GRID_TICKS = 960
"""One step of the 50 fps motion grid, one Opus packet."""
NUM_BLENDSHAPES = 52

Int16Array = npt.NDArray[np.int16]
UInt8Array = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]
Alphabet = Literal["espeak", "cmu", "ipa"]


class Activity(Enum):
    """What the avatar is doing, as the caller sees it."""

    IDLE = "idle"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A run of mono sound."""

    samples: Int16Array
    """int16[n], full scale +-32767."""
    sample_rate_hz: int
    pts: int
    """Ticks from the first sample of its utterance."""

    def __post_init__(self) -> None:
        if self.samples.dtype != np.int16 or self.samples.ndim != 1:
            raise ValueError("AudioChunk.samples must be a one-dimensional int16 array")


@dataclass(frozen=True, slots=True)
class PhonemeCue:
    """One sound of the voice with its exact place."""

    symbol: str
    """A phone in `alphabet`: espeak mnemonic, CMU (radio) phone, or IPA; "" or "_" is silence."""
    alphabet: Alphabet
    pts: int
    """Ticks from the first sample of its utterance."""
    num_ticks: int


@dataclass(frozen=True, slots=True)
class FaceState:
    """Everything a renderer needs for one picture."""

    weights: Float32Array
    """float32[52] in [0, 1], columns in `motion.blendshapes.ARKIT_NAMES` order."""
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    shift_x_px: float = 0.0
    """Head shift at 1280x720."""
    shift_y_px: float = 0.0
    gaze_x: float = 0.0
    """-1..1."""
    gaze_y: float = 0.0
    breath: float = 0.0
    """-1..1, + = breathed in."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One I420 picture."""

    i420: UInt8Array
    """uint8[height * 3 // 2, width]: Y plane, then U, then V, read-only once handed over."""
    pts: int
    """Ticks of the call's clock."""


@dataclass(frozen=True, slots=True)
class AVUnit:
    """1920 ticks of sound and the picture that belongs to them."""

    samples: Int16Array
    """int16[1920] at 48 kHz; zeros when nobody speaks."""
    frame: VideoFrame
    pts: int
    epoch: int
    """Counts interruptions; a unit of an older epoch must not leave the machine."""
    response_id: str | None = None
    utterance_id: str | None = None
    offset: int = 0
    """Ticks of the unit's first sample from the start of its utterance."""
    num_voiced: int = 0
    """How many of the 1920 ticks belong to the utterance (the rest is padding)."""
    is_late: bool = False
    """The picture did not come in time and an idle or the previous one stands in."""
    mouth: float = 0.0
    """Aperture 0..1 the picture was drawn with, for meters and captions, never for lips."""
    face: FaceState | None = field(default=None, compare=False)
