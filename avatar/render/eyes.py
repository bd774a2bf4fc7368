"""Eyes of one face: what the compiled loop needs, from the pose."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..identity import Identity, Int32Array
from ..media import Float32Array, UInt8Array
from .features import EyeLook, draw_eye, trace
from .pose import Affine, Pose, to_source

GAZE_X: Final = 0.42
GAZE_Y: Final = 0.22
"""Largest shift of the iris, in `_reach_px`: beyond it, it would leave the lids of most faces."""
LID_SHADOW: Final = 0.35
"""Shadow of a falling lid on the eyeball."""


class Eye:
    """One eye: constants of the identity and scratch of the renderer."""

    def __init__(self, identity: Identity, eye: int) -> None:
        rest = identity.vertices
        self._upper = _from_left(identity.lids_upper[eye], rest)
        self._lower = _from_left(identity.lids_lower[eye], rest)
        self._middle = len(self._upper) // 2
        self._origin = identity.eye_origin[eye].astype(np.float64)
        self._eyeball = identity.eyeballs[eye]
        self._lashes = identity.lashes[eye]
        self._has_lashes = bool(self._lashes.any())
        self._meta = identity.meta
        self._lash_yuv = tuple(float(v) for v in identity.meta.lash_yuv)
        corners = rest[self._upper[[0, -1]], :2]
        self._width_px = float(np.linalg.norm(corners[1] - corners[0]))
        self._reach_px = 0.62 * self._width_px
        self._open_px = max(self._gap(rest), 1.0)
        self._depth_px = float(rest[np.concatenate([self._upper, self._lower]), 2].mean())
        x, y, self._iris_px = (float(v) for v in identity.iris[eye])
        self._iris = (x - self._origin[0] - 0.5, y - self._origin[1] - 0.5)
        columns = 2 * self._eyeball.shape[1]
        self._rest_top = np.zeros(columns, dtype=np.float32)
        trace(np.ascontiguousarray(rest[self._upper, :2] - self._origin - 0.5, dtype=np.float32), 0, self._rest_top)
        self._margin_px, self._lash_up_px, self._lash_down_px = self._lash_reach(corners[:, 0] - self._origin[0] - 0.5)
        size = 2 * (int(self._width_px * 1.5) + int(2 * self._margin_px) + 16)
        self._tops, self._bottoms = np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)

    def _gap(self, points: Float32Array) -> float:
        return float(np.linalg.norm(points[self._upper[self._middle], :2] - points[self._lower[self._middle], :2]))

    def _lash_reach(self, corners: npt.NDArray[np.float64]) -> tuple[float, float, float]:
        """How far the lash layer goes beyond the corners, over and under the upper lid at rest, in px."""
        v, u = np.nonzero(self._lashes[..., 3])
        if not len(u):
            return 0.0, 0.0, 0.0
        over = self._rest_top[2 * u] - v
        beyond = max(float(corners[0] - u.min()), float(u.max() - corners[1]), 0.0)
        return beyond + 2.0, max(float(over.max()), 0.0) + 1.0, max(float(-over.min()), 0.0) + 1.0

    def draw(self, pose: Pose, luma: UInt8Array, cb: UInt8Array, cr: UInt8Array) -> None:
        """Draw into the planes, over the warped face."""
        upper, lower = pose.points[self._upper], pose.points[self._lower]
        first = int(upper[0, 0] - self._margin_px) - 2
        trace(upper, first, self._tops)
        trace(lower, first, self._bottoms)
        opening = min(1.0, self._gap(pose.points) / self._open_px)
        skull: Affine = to_source(pose, self._depth_px)
        skull[:, 2] -= self._origin + 0.5
        turn = 2.0 * opening - 1.0 if opening < 1.0 else 1.0
        turn = max(turn, 0.34) if turn >= 0.0 else min(turn, -0.34)
        alpha = min(1.0, max(0.0, (abs(2.0 * opening - 1.0) - 0.25) / 0.35)) if self._has_lashes else 0.0
        line_px = 1.5 * self._meta.lash_width_px + 2.0
        up, down = (self._lash_up_px * turn, self._lash_down_px * turn)
        above, below = (max(line_px, up), max(line_px, down)) if turn > 0 else (max(line_px, -down), max(line_px, -up))
        lid_reach = max(above, below)
        look = EyeLook(
            left_px=float(upper[0, 0]),
            right_px=float(upper[-1, 0]),
            top_px=int(min(upper[:, 1].min(), lower[:, 1].min()) - lid_reach),
            bottom_px=int(max(upper[:, 1].max(), lower[:, 1].max()) + lid_reach) + 1,
            margin_px=self._margin_px,
            above_px=above,
            below_px=below,
            gaze_x_px=pose.gaze[0] * GAZE_X * self._reach_px,
            gaze_y_px=-pose.gaze[1] * GAZE_Y * self._reach_px,
            iris_x=self._iris[0],
            iris_y=self._iris[1],
            iris_px=self._iris_px,
            reach_px=self._reach_px,
            shade=min(0.8, self._meta.eye_shade + LID_SHADOW * (1.0 - opening)),
            line_px=self._meta.lash_width_px,
            line=min(1.0, max(0.0, 1.6 - (1.6 if self._has_lashes else 2.6) * opening)),
            is_line_on_lid=self._has_lashes,
            lash_turn=turn,
            # Half way down the lashes point at the viewer: only their line is seen.
            lash_alpha=alpha,
        )
        draw_eye(
            look, self._lash_yuv, skull, first, self._tops, self._bottoms, self._rest_top, 0, self._eyeball,
            self._lashes, luma, cb, cr,
        )  # fmt: skip


def _from_left(vertices: Int32Array, rest: Float32Array) -> Int32Array:
    """Vertices of a lid from picture left to right."""
    return vertices if rest[vertices[0], 0] <= rest[vertices[-1], 0] else vertices[::-1]
