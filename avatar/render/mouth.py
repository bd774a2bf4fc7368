"""The inside of the mouth of one face: what the compiled loop needs, from the pose."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..identity import Identity
from ..media import UInt8Array
from .features import MouthLook, draw_mouth, trace
from .pose import FaceRig, Pose, to_source

SOFT_PX: Final = 1.8
"""Width of the edge between lip and mouth at a face height of 300 px."""
JAW_SHARE: Final = 0.92
"""Of the lower lip's way with the jaw, what the teeth behind it go: they lie nearer to the joint."""


class Mouth:
    """The mouth: constants of the identity and scratch of the renderer."""

    def __init__(self, identity: Identity, rig: FaceRig) -> None:
        rest = identity.vertices
        self._identity, self._rig = identity, rig
        corners = rest[identity.lips_upper[[0, -1]]]
        self._width_px = float(np.linalg.norm(corners[1, :2] - corners[0, :2])) * 1.1
        self._depth_px = float(corners[:, 2].mean())
        self._scale = identity.face_height_px / 300.0
        self._origin = identity.mouth_origin.astype(np.float64)
        self._dark = tuple(float(v) for v in identity.meta.cavity_dark_yuv)
        self._warm = tuple(float(v) for v in identity.meta.cavity_warm_yuv)
        self._has_photo = bool(identity.photo_mouth.any())
        rows = np.flatnonzero(identity.tongue[..., 3].max(axis=1)) if identity.tongue.size else np.zeros(0)
        self._tongue_px = float(np.ptp(rows)) / 2 if rows.size else 0.0
        size = 4 * int(self._width_px * 2)
        self._tops, self._bottoms = np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)

    def draw(self, pose: Pose, luma: UInt8Array, cb: UInt8Array, cr: UInt8Array) -> None:
        """Draw into the planes, over the warped face."""
        identity, get = self._identity, self._rig.weight
        upper, lower = pose.points[identity.lips_upper], pose.points[identity.lips_lower]
        first = int(upper[0, 0]) - 4
        trace(upper, first, self._tops)
        trace(lower, first, self._bottoms)
        weights = pose.weights
        round_lips = get(weights, "mouthPucker") + 0.6 * get(weights, "mouthFunnel")
        out = min(1.0, get(weights, "tongueOut"))
        jaw = pose.jaw_shift * np.float32(JAW_SHARE)
        tip = jaw + np.array([0.0, -0.9 * out * self._tongue_px, 0.0], dtype=np.float32)
        skull, jaw_back, lick = (to_source(pose, self._depth_px, s) for s in (None, jaw, tip))
        for affine in (skull, jaw_back, lick):
            affine[:, 2] -= self._origin + 0.5
        seal = get(weights, "mouthClose")
        tuck = max(0.0, get(weights, "mouthRollLower") - 0.25) * max(0.0, 1.0 - 1.5 * seal)
        look = MouthLook(
            left_px=float(upper[0, 0]),
            right_px=float(upper[-1, 0]),
            top_px=int(upper[:, 1].min()) - 3,
            bottom_px=int(max(lower[:, 1].max(), upper[:, 1].max())) + 4 + int(0.1 * self._width_px),
            width_px=self._width_px,
            soft_px=SOFT_PX * self._scale,
            teeth=max(0.12, 1.0 - 0.9 * min(1.0, round_lips)),
            photo=max(0.0, 1.0 - 1.1 * round_lips) if self._has_photo else 0.0,
            tuck_px=min(tuck, 0.5) * 0.10 * self._width_px,
            tongue_front=min(1.0, max(0.0, (out - 0.2) * 4.0)),
        )
        draw_mouth(
            look, self._dark, self._warm, skull, jaw_back, lick, first, self._tops, self._bottoms,
            identity.teeth_upper, identity.teeth_lower, identity.tongue, identity.photo_mouth, luma, cb, cr,
        )  # fmt: skip
