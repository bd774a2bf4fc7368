"""The face: sound and phoneme cues in, units of sound and picture out. Knows neither words nor calls."""

from __future__ import annotations

from .clock import Clock, MonotonicClock, VirtualClock
from .errors import AvatarError, BufferFullError, IdentityError, RenderError
from .face import Face, FaceStats
from .media import (
    GRID_TICKS,
    MEDIA_CLOCK_RATE,
    NUM_BLENDSHAPES,
    UNIT_TICKS,
    VIDEO_FPS,
    Activity,
    AudioChunk,
    AVUnit,
    FaceState,
    PhonemeCue,
    VideoFrame,
)
from .motion.blendshapes import ARKIT_NAMES
from .motion.emotion import EMOTIONS
from .motion.gestures import GESTURES
from .render.base import Renderer
from .sync.sound_queue import PlayedUtterance

__all__ = [
    "ARKIT_NAMES",
    "EMOTIONS",
    "GESTURES",
    "GRID_TICKS",
    "MEDIA_CLOCK_RATE",
    "NUM_BLENDSHAPES",
    "UNIT_TICKS",
    "VIDEO_FPS",
    "AVUnit",
    "Activity",
    "AudioChunk",
    "AvatarError",
    "BufferFullError",
    "Clock",
    "Face",
    "FaceState",
    "FaceStats",
    "IdentityError",
    "MonotonicClock",
    "PhonemeCue",
    "PlayedUtterance",
    "RenderError",
    "Renderer",
    "VideoFrame",
    "VirtualClock",
]
