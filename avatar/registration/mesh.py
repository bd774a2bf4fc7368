"""The reference face mesh: contours by index, mirror map, distances along the skin.

Point numbers are those of the published 468-point face mesh (see `reference.py`); irises follow as
468..472 (subject's right) and 473..477 (left). "Right" and "left" are the subject's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ..identity import NUM_POINTS as NUM_POINTS
from .reference import REFERENCE_PATH

Float64Array = npt.NDArray[np.float64]
Int32Array = npt.NDArray[np.int32]

NUM_LANDMARKS: Final = 478
FACE_OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Clockwise on screen from the top of the forehead."""
# Lips run from the subject's right corner to the left one.
UPPER_LIP_OUTER: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
UPPER_LIP_INNER: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP_OUTER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LOWER_LIP_INNER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# Lids run from the outer corner to the inner one.
UPPER_LID: Final = {
    "Right": (33, 246, 161, 160, 159, 158, 157, 173, 133),
    "Left": (263, 466, 388, 387, 386, 385, 384, 398, 362),
}
LOWER_LID: Final = {
    "Right": (33, 7, 163, 144, 145, 153, 154, 155, 133),
    "Left": (263, 249, 390, 373, 374, 380, 381, 382, 362),
}
CREASE: Final = {
    "Right": (247, 30, 29, 27, 28, 56, 190),
    "Left": (467, 260, 259, 257, 258, 286, 414),
}
"""Ring above the upper lid; pairs with the lid's points less its corners."""
IRIS: Final = {"Right": (468, 469, 470, 471, 472), "Left": (473, 474, 475, 476, 477)}
"""Centre, then four points of the rim."""
# Brows run from the nose outwards: upper edge, then lower edge.
BROW: Final = {
    "Right": ((107, 66, 105, 63, 70), (55, 65, 52, 53, 46)),
    "Left": ((336, 296, 334, 293, 300), (285, 295, 282, 283, 276)),
}
SIDES: Final = ("Right", "Left")
NOSE_TIP: Final = 1
CHIN: Final = 152
FOREHEAD: Final = 10


@dataclass(frozen=True, slots=True)
class Mesh:
    """The reference face."""

    points: Float64Array
    """float64[468, 3] in units (a mouth is 4.91 wide); x to the subject's left, y up, z to the viewer."""
    triangles: Int32Array
    """int32[852, 3] with holes for mouth and eyes, counter-clockwise as the viewer sees them."""
    mirror: Int32Array
    """int32[468]: the point on the other side."""
    geodesic: Float64Array
    """float64[468, 468]: distance along the mesh in units, around the holes."""

    def across(self, point: int) -> int:
        """The mirror image of a point."""
        return int(self.mirror[point])


@cache
def reference_mesh() -> Mesh:
    """Load the reference face once."""
    with np.load(REFERENCE_PATH, allow_pickle=False) as archive:
        points = archive["points"].astype(np.float64)
        triangles = archive["triangles"].astype(np.int32)
        mirror = archive["mirror"].astype(np.int32)
    return Mesh(points, triangles, mirror, _geodesic(points, triangles))


def mesh_edges(triangles: Int32Array) -> Int32Array:
    """Each edge once: int32[n, 2], lower index first."""
    pairs = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1)
    return np.unique(pairs, axis=0)


def _geodesic(points: Float64Array, triangles: Int32Array) -> Float64Array:
    """All shortest ways along the edges (Floyd-Warshall, one row at a time)."""
    distance = np.full((NUM_POINTS, NUM_POINTS), np.inf)
    np.fill_diagonal(distance, 0.0)
    a, b = mesh_edges(triangles).T
    distance[a, b] = distance[b, a] = np.linalg.norm(points[a] - points[b], axis=1)
    for via in range(NUM_POINTS):
        np.minimum(distance, distance[:, via, None] + distance[None, via], out=distance)
    return distance


def harmonic(mesh: Mesh, fixed: dict[int, float]) -> Float64Array:
    """The smoothest weight that takes the given values (Laplace on the mesh, edges weighted by 1 / length).

    Args:
        mesh: the reference face.
        fixed: value by point.

    Returns:
        float64[468].
    """
    laplacian = np.zeros((NUM_POINTS, NUM_POINTS))
    a, b = mesh_edges(mesh.triangles).T
    stiffness = 1 / np.linalg.norm(mesh.points[a] - mesh.points[b], axis=1)
    laplacian[a, b] = laplacian[b, a] = -stiffness
    np.fill_diagonal(laplacian, -laplacian.sum(axis=1))
    known = np.array(sorted(fixed))
    free = np.setdiff1d(np.arange(NUM_POINTS), known)
    weight = np.zeros(NUM_POINTS)
    weight[known] = [fixed[int(point)] for point in known]
    pull = laplacian[np.ix_(free, known)] @ weight[known]
    weight[free] = np.linalg.solve(laplacian[np.ix_(free, free)], -pull)
    return weight


def hole_triangles(first: tuple[int, ...], second: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Close a hole between two contours that share their ends with a strip of triangles."""
    strip = []
    for k in range(len(first) - 1):
        quad = (first[k], first[k + 1], second[k], second[k + 1])
        strip += [t for t in ((quad[0], quad[1], quad[3]), (quad[0], quad[3], quad[2])) if len(set(t)) == 3]
    return strip
