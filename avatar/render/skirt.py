"""What the face hangs in: a lattice of nodes for head, neck and torso, and the ring that joins the mesh to it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..identity import CELL_PX, Identity
from ..media import Float32Array
from . import kernels
from .pose import HEAD_BREATH, Pose

RING: Final = 1.15
"""Size of the ring around the face outline; its width takes up what mesh and lattice differ by."""
BORDER_PX: Final = 16
"""Never written along the edge of the canvas."""
STILL_PX: Final = 0.02
"""Less than this is no motion: the picture at rest stays as it is."""


class Skirt:
    """Constants of the surroundings of one face."""

    def __init__(self, identity: Identity) -> None:
        rows, columns = identity.node_shape
        height = identity.face_height_px
        outline = identity.vertices[identity.oval].astype(np.float64)
        centre = outline[:, :2].mean(axis=0)
        grid_y, grid_x = np.mgrid[0:rows, 0:columns].astype(np.float64) * CELL_PX
        nodes = np.stack([grid_x.ravel(), grid_y.ravel()], axis=1)
        distance = np.linalg.norm(nodes[:, None] - outline[None, :, :2], axis=2)
        nearest = distance.min(axis=1)
        share = np.exp(-(distance**2 - nearest[:, None] ** 2) / (0.16 * height) ** 2)
        share /= share.sum(axis=1, keepdims=True)
        half = np.ptp(outline[:, :2], axis=0) / 2
        radius = np.linalg.norm((nodes - centre) / half, axis=1)
        # How far expression pulls the skin around the face; 0.3 face heights lets the neck follow the jaw
        # without a crease.
        near = np.where(radius < 1.0, 1.0, np.exp(-((nearest / (0.30 * height)) ** 2)))
        inner = self._inner(identity, grid_x, grid_y)
        head = identity.head_weight.ravel() * inner
        self._spill = np.ascontiguousarray(share * (near * inner)[:, None], dtype=np.float32)
        # A hundredth of the largest jaw motion is half a pixel, spread over the whole skirt: not seen.
        self._follows = near * inner > 0.01
        self._head = head.astype(np.float32)
        chest = identity.breath_weight.ravel()
        self._breath = (inner * chest - HEAD_BREATH * head * chest).astype(np.float32)
        depth = share @ outline[:, 2] + np.clip(radius - 1.0, 0.0, 1.0) * 0.45 * 2 * half[0]
        self._nodes = np.column_stack([nodes, depth]).astype(np.float32)
        self._shape = (rows, columns)
        self.ring = self._ring(identity, outline[:, :2], centre)
        """float32[36, 2] px: ring vertices at rest."""
        cell = self.ring / CELL_PX
        self._ring_cell = np.clip(cell.astype(np.int64), 0, [columns - 2, rows - 2])
        part = (cell - self._ring_cell).astype(np.float32)
        self._ring_part = (part[:, :1], part[:, 1:])

    @staticmethod
    def _inner(identity: Identity, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """1 at nodes that may move, 0 where the person runs out of the picture: there it must not tear off."""
        height, width = identity.alpha.shape
        reach = BORDER_PX + CELL_PX
        edge = np.zeros_like(identity.alpha)
        for strip in (np.s_[:BORDER_PX], np.s_[-BORDER_PX:], np.s_[:, :BORDER_PX], np.s_[:, -BORDER_PX:]):
            edge[strip] = identity.alpha[strip]
        free = np.ones(x.size)
        near = (x < reach) | (x > width - reach) | (y < reach) | (y > height - reach)
        for k in np.flatnonzero(near):
            column, row = int(x.flat[k]), int(y.flat[k])
            top, left = max(row - 2 * CELL_PX, 0), max(column - 2 * CELL_PX, 0)
            free[k] = not edge[top : row + 2 * CELL_PX, left : column + 2 * CELL_PX].any()
        return free

    @staticmethod
    def _ring(identity: Identity, outline: npt.NDArray[np.float64], centre: npt.NDArray[np.float64]) -> Float32Array:
        limit = np.array([identity.meta.width_px, identity.meta.height_px]) - 2.0
        return np.clip(centre + (outline - centre) * RING, 2.0, limit).astype(np.float32)

    @property
    def triangles(self) -> npt.NDArray[np.int32]:
        """int32[72, 3] between outline (0..35) and ring (36..71)."""
        here = np.arange(36)
        then = (here + 1) % 36
        pairs = [np.stack([here, then, here + 36], axis=1), np.stack([then, then + 36, here + 36], axis=1)]
        return np.concatenate(pairs).astype(np.int32)

    def forward(self, pose: Pose) -> Float32Array:
        """float32[GH, GW, 2] px: where the canvas goes at each node; exactly 0 where it stands."""
        result = np.empty((*self._shape, 2), dtype=np.float32)
        kernels.move_nodes(
            self._nodes, self._spill, self._follows, self._head, self._breath, pose.outline_shift, pose.turn,
            pose.offset, pose.breath_px, STILL_PX, result.reshape(-1, 2),
        )  # fmt: skip
        return result

    def ring_now(self, forward: Float32Array) -> Float32Array:
        """float32[36, 2] px: ring vertices, exactly where the lattice takes them."""
        i, j = self._ring_cell[:, 0], self._ring_cell[:, 1]
        u, v = self._ring_part
        upper = forward[j, i] * (1 - u) + forward[j, i + 1] * u
        lower = forward[j + 1, i] * (1 - u) + forward[j + 1, i + 1] * u
        return (self.ring + upper * (1 - v) + lower * v).astype(np.float32)
