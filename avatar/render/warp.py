"""A living portrait: mesh warp of the face, lattice warp of head and torso, drawn eyes and mouth, straight to I420."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..errors import RenderError
from ..identity import CELL_PX, Identity, Int32Array
from ..media import NUM_BLENDSHAPES, FaceState, Float32Array, UInt8Array
from . import kernels
from .eyes import Eye
from .mouth import Mouth
from .pose import FaceRig
from .skirt import BORDER_PX, Skirt

_BLOCK_PX: Final = 16
"""Blocks of the matte whose least and greatest value are known ahead."""


class WarpRenderer:
    """Draws one `Identity` for one call; the identity is shared, scratch is the renderer's own.

    A picture depends on the state alone, never on the one before: the picture at rest is copied, then what
    moved is drawn over it.
    """

    def __init__(self, identity: Identity) -> None:
        self._width, self._height = identity.meta.width_px, identity.meta.height_px
        self._rig, self._skirt = FaceRig(identity), Skirt(identity)
        self._mouth = Mouth(identity, self._rig)
        self._eyes = (Eye(identity, 0), Eye(identity, 1))
        self._oval = identity.oval
        self._plate, self._bg = planes(identity.plate_i420), planes(identity.bg_i420)
        self._alpha = (identity.alpha, _halved(identity.alpha))
        self._at_rest = np.empty_like(identity.plate_i420)
        for src, bg, dst, k in zip(self._plate, self._bg, planes(self._at_rest), (0, 1, 1), strict=True):
            kernels.composite(src, self._alpha[k], bg, dst)
        self._low, self._high = _extremes(identity.alpha)
        limit = np.array([self._width, self._height], dtype=np.float32) - 2
        self._rest = np.ascontiguousarray(np.concatenate([identity.vertices[:, :2], self._skirt.ring]))
        np.clip(self._rest, 2, limit, out=self._rest)
        joined = np.concatenate([identity.oval, len(identity.vertices) + np.arange(36)]).astype(np.int32)
        self._triangles = np.ascontiguousarray(np.concatenate([joined[self._skirt.triangles], identity.triangles]))
        self._is_mixed = self._matte_under(self._triangles)
        rows, columns = identity.node_shape
        self._back = np.zeros((rows, columns, 2), dtype=np.float32)
        self._node_inside = np.zeros((rows, columns), dtype=np.uint8)
        self._kind = np.zeros((rows - 1, columns - 1), dtype=np.uint8)
        self._scratch = np.zeros(CELL_PX, dtype=np.uint8)

    @property
    def width_px(self) -> int:
        return self._width

    @property
    def height_px(self) -> int:
        return self._height

    def close(self) -> None:
        """Nothing is held beyond memory."""

    def render(self, state: FaceState, out: UInt8Array | None = None) -> UInt8Array:
        """Draw one picture; see `Renderer.render`."""
        shape = (self._height * 3 // 2, self._width)
        if out is None:
            out = np.empty(shape, dtype=np.uint8)
        elif out.shape != shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise RenderError(f"out: contiguous uint8{list(shape)} expected, got {out.dtype}{list(out.shape)}")
        pose = self._rig.solve(state)
        forward = self._skirt.forward(pose)
        points = np.concatenate([pose.points[:, :2], self._skirt.ring_now(forward)])
        np.copyto(out, self._at_rest)
        y, u, v = planes(out)
        kernels.invert_nodes(forward, CELL_PX, self._width, self._height, self._back)
        kernels.classify_cells(
            self._back, CELL_PX, self._low, self._high, _BLOCK_PX, points[self._oval], self._node_inside, self._kind
        )
        for k, plane in enumerate((y, u, v)):
            chroma = min(k, 1)
            kernels.warp_cells(
                self._back, self._kind, CELL_PX >> chroma, 1 << chroma, BORDER_PX >> chroma, self._plate[k],
                self._alpha[chroma], self._bg[k], plane, self._scratch,
            )  # fmt: skip
        self._warp_face(points, y, u, v)
        for eye in self._eyes:
            eye.draw(pose, y, u, v)
        self._mouth.draw(pose, y, u, v)
        return out

    def _warp_face(self, points: Float32Array, *frame: UInt8Array) -> None:
        (y, u, v), (sy, su, sv), (by, bu, bv) = frame, self._plate, self._bg
        full, half = self._alpha
        common = (points, self._rest, self._triangles, self._is_mixed)
        kernels.warp_triangles(*common, 1, BORDER_PX, sy, sy, full, by, by, y, y, False)
        kernels.warp_triangles(*common, 2, BORDER_PX // 2, su, sv, half, bu, bv, u, v, True)

    def _matte_under(self, triangles: Int32Array) -> UInt8Array:
        """uint8[m]: 1 where the matte may be less than full under a triangle."""
        corners = self._rest[triangles]
        low = np.clip((corners.min(axis=1) - 2) / _BLOCK_PX, 0, None).astype(int)
        high = ((corners.max(axis=1) + 2) / _BLOCK_PX).astype(int) + 1
        least = [self._low[y0:y1, x0:x1].min() for (x0, y0), (x1, y1) in zip(low, high, strict=True)]
        return (np.array(least) < 255).astype(np.uint8)


def planes(i420: UInt8Array) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
    """Y uint8[H, W], U and V uint8[H/2, W/2] as views of a contiguous I420 picture."""
    width = i420.shape[1]
    height = i420.shape[0] * 2 // 3
    flat, size = i420.reshape(-1), width * height
    half = (height // 2, width // 2)
    return (
        flat[:size].reshape(height, width),
        flat[size : size + size // 4].reshape(half),
        flat[size + size // 4 :].reshape(half),
    )


def _halved(alpha: UInt8Array) -> UInt8Array:
    """Matte at chroma size: the mean of each 2x2."""
    wide = alpha.astype(np.uint16)
    total = wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]
    return np.ascontiguousarray(((total + 2) >> 2).astype(np.uint8))


def _extremes(alpha: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
    """Least and greatest alpha of each block."""
    height, width = alpha.shape
    pad = ((0, -height % _BLOCK_PX), (0, -width % _BLOCK_PX))
    blocks = np.pad(alpha, pad, mode="edge").reshape(-(-height // _BLOCK_PX), _BLOCK_PX, -1, _BLOCK_PX)
    return np.ascontiguousarray(blocks.min(axis=(1, 3))), np.ascontiguousarray(blocks.max(axis=(1, 3)))


def warm_up(identity: Identity) -> None:
    """Compile every loop, or read it from disk: call once before a call is taken (seconds when compiling)."""
    weights = np.full(NUM_BLENDSHAPES, 0.1, dtype=np.float32)
    WarpRenderer(identity).render(FaceState(weights=weights, yaw_deg=1.0, breath=0.5))
