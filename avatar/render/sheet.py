"""The contact sheet: a face in 24 named poses, to be looked at before it meets anybody."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from ..identity import Identity
from ..media import NUM_BLENDSHAPES, FaceState, Float32Array, UInt8Array
from .base import Renderer

TILE_WIDTH_PX: Final = 300
COLUMNS: Final = 6
_POSE_FIELDS: Final = frozenset({"yaw_deg", "pitch_deg", "roll_deg", "gaze_x", "gaze_y", "breath"})

# Names without a side mean both sides.
POSES: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType({
    "neutral": {},
    "AA": {"jawOpen": 0.6, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15},
    "EE": {"jawOpen": 0.18, "mouthStretch": 0.45, "mouthSmile": 0.3, "mouthLowerDown": 0.4, "mouthUpperUp": 0.3},
    "OO": {"jawOpen": 0.16, "mouthPucker": 0.95, "mouthFunnel": 0.3, "mouthClose": 0.2},
    "OH": {"jawOpen": 0.4, "mouthFunnel": 0.75, "mouthPucker": 0.2},
    "MBP": {"mouthClose": 1.0, "jawOpen": 0.06, "mouthPress": 0.5, "mouthRollUpper": 0.2, "mouthRollLower": 0.2},
    "FV": {"jawOpen": 0.08, "mouthRollLower": 0.65, "mouthShrugLower": 0.45, "mouthUpperUp": 0.45},
    "TH": {"jawOpen": 0.2, "tongueOut": 0.8, "mouthLowerDown": 0.2, "mouthUpperUp": 0.2},
    "smile": {"mouthSmile": 0.75, "cheekSquint": 0.5, "eyeSquint": 0.35},
    "sad": {"browInnerUp": 0.8, "mouthFrown": 0.8, "mouthShrugLower": 0.3, "eyeBlink": 0.15, "gaze_y": -0.1},
    "angry": {"browDown": 0.95, "noseSneer": 0.5, "mouthPress": 0.6, "eyeSquint": 0.35, "mouthFrown": 0.35},
    "surprised": {"browInnerUp": 0.85, "browOuterUp": 0.9, "eyeWide": 1.0, "jawOpen": 0.38, "mouthFunnel": 0.3},
    "fearful": {
        "browInnerUp": 1.0, "browOuterUp": 0.3, "eyeWide": 0.8, "mouthStretch": 0.7, "jawOpen": 0.2,
        "mouthLowerDown": 0.4,
    },
    "blink": {"eyeBlink": 1.0},
    "half blink": {"eyeBlink": 0.5},
    "look left": {"gaze_x": 0.8},
    "look right": {"gaze_x": -0.8},
    "look down": {"gaze_y": -0.8},
    "yaw left": {"yaw_deg": 10.0},
    "yaw right": {"yaw_deg": -10.0},
    "nod down": {"pitch_deg": 8.0},
    "look up": {"pitch_deg": -8.0, "gaze_y": 0.6},
    "roll": {"roll_deg": 8.0},
    "talking": {"mouthPucker": 0.4, "jawOpen": 0.1, "yaw_deg": 4.0, "breath": 1.0},
})  # fmt: skip
"""Sides are the subject's."""


def pose_state(name: str, shape_names: tuple[str, ...]) -> FaceState:
    """The state of one of `POSES`.

    Args:
        name: key of POSES.
        shape_names: the 52 names in the order of weights.
    """
    weights: Float32Array = np.zeros(NUM_BLENDSHAPES, dtype=np.float32)
    column = {shape: i for i, shape in enumerate(shape_names)}
    fields: dict[str, float] = {}
    for key, value in POSES[name].items():
        if key in _POSE_FIELDS:
            fields[key] = value
        else:
            weights[[column[k] for k in (key, key + "Left", key + "Right") if k in column]] = value
    return FaceState(weights=weights, **fields)


def contact_sheet(renderer: Renderer, identity: Identity) -> UInt8Array:
    """Draw all poses, cut around the head.

    Returns:
        RGB uint8[h, w, 3]: 6 x 4 tiles of TILE_WIDTH_PX, each with its name.
    """
    outline = identity.vertices[identity.oval, :2] * (renderer.width_px / identity.meta.width_px)
    low, high = outline.min(axis=0), outline.max(axis=0)
    reach = (high - low) * 0.38
    x0, y0 = np.maximum(low - reach, 0).astype(int)
    x1, y1 = np.minimum(high + reach, [renderer.width_px, renderer.height_px]).astype(int)
    height_px = int(TILE_WIDTH_PX * (y1 - y0) / (x1 - x0))
    tiles: list[UInt8Array] = []
    for name in POSES:
        picture = renderer.render(pose_state(name, identity.meta.shape_names))
        rgb = cv2.cvtColor(picture, cv2.COLOR_YUV2RGB_I420)[y0:y1, x0:x1]
        tile = cv2.resize(rgb, (TILE_WIDTH_PX, height_px), interpolation=cv2.INTER_AREA)
        cv2.putText(tile, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 0), 2, cv2.LINE_AA)
        tiles.append(np.asarray(tile, dtype=np.uint8))
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    return np.vstack(rows)
