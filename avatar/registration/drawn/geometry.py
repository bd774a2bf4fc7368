"""Exact landmarks of a drawn face: the reference mesh bent onto the drawn contours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..mesh import (
    BROW,
    CREASE,
    FACE_OVAL,
    IRIS,
    LOWER_LID,
    LOWER_LIP_INNER,
    LOWER_LIP_OUTER,
    NUM_LANDMARKS,
    NUM_POINTS,
    UPPER_LID,
    UPPER_LIP_INNER,
    UPPER_LIP_OUTER,
    Float64Array,
    reference_mesh,
)
from .look import CENTRE_X_PX, Curve, FaceShape

SPLINE_STEPS = 24
CORNER_CHAIN = ((306, 1 / 3), (292, 2 / 3))
"""Points between the outer and the inner corner of the mouth."""


def spline(points: Curve | Float64Array, steps: int = SPLINE_STEPS) -> Float64Array:
    """A smooth line through the points (centripetal Catmull-Rom).

    Returns:
        float64[(n - 1) * steps + 1, 2].
    """
    p = np.asarray(points, np.float64)
    padded = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    gaps = np.sqrt(np.linalg.norm(np.diff(padded, axis=0), axis=1)).clip(1e-6)
    t = np.concatenate([[0.0], np.cumsum(gaps)])
    pieces = []
    for k in range(1, len(padded) - 2):
        x = np.linspace(t[k], t[k + 1], steps, endpoint=False)[:, None]
        a = [_blend(padded[k + j - 1], padded[k + j], t[k + j - 1], t[k + j], x) for j in range(3)]
        b = [_blend(a[j], a[j + 1], t[k + j - 1], t[k + j + 1], x) for j in range(2)]
        pieces.append(_blend(b[0], b[1], t[k], t[k + 1], x))
    return np.concatenate([*pieces, p[-1:]])


def _blend(left: Float64Array, right: Float64Array, t0: float, t1: float, t: Float64Array) -> Float64Array:
    blended: Float64Array = ((t1 - t) * left + (t - t0) * right) / (t1 - t0)
    return blended


def along(line: Float64Array, fractions: Float64Array) -> Float64Array:
    """Points at the given fractions of a line's length."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    return np.stack([np.interp(fractions * length[-1], length, line[:, axis]) for axis in range(2)], axis=1)


def _fractions(points: Float64Array) -> Float64Array:
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1))])
    fractions: Float64Array = length / length[-1]
    return fractions


@dataclass(frozen=True, slots=True)
class ThinPlate:
    """An interpolating thin-plate spline from the plane to k values."""

    centres: Float64Array
    coefficients: Float64Array

    @classmethod
    def through(cls, centres: Float64Array, values: Float64Array, smoothing: float | Float64Array = 0.0) -> ThinPlate:
        """Fit exactly (or nearly, with smoothing) through values float64[n, k] at centres float64[n, 2]."""
        n = len(centres)
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = _bend(centres, centres) + np.eye(n) * smoothing
        system[:n, n:] = np.concatenate([np.ones((n, 1)), centres], axis=1)
        system[n:, :n] = system[:n, n:].T
        return cls(centres, np.linalg.solve(system, np.concatenate([values, np.zeros((3, values.shape[1]))])))

    def __call__(self, points: Float64Array) -> Float64Array:
        n = len(self.centres)
        parts = []
        for chunk in np.array_split(points, max(1, len(points) // 8192)):
            affine = np.concatenate([np.ones((len(chunk), 1)), chunk], axis=1) @ self.coefficients[n:]
            parts.append(_bend(chunk, self.centres) @ self.coefficients[:n] + affine)
        return np.concatenate(parts)


def _bend(a: Float64Array, b: Float64Array) -> Float64Array:
    square = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    kernel: Float64Array = square * np.log(np.maximum(square, 1e-12))
    return kernel


def crease_above(lid: Float64Array, sign: float) -> Float64Array:
    """The fold above an upper lid.

    Args:
        lid: float64[n, 2] from the outer corner to the inner one.
        sign: +1 for the subject's left eye, -1 for the right.
    """
    part = np.linspace(0, 1, len(lid))
    lift = np.interp(part, (0, 0.12, 0.5, 0.88, 1), (1.5, 4.2, 6.4, 5.0, 2.0))
    return lid + np.stack([sign * np.interp(part, (0, 1), (3, -1.5)), -lift], axis=1)


def drawn_points(shape: FaceShape) -> dict[int, tuple[float, float]]:
    """The landmarks a contour fixes, as (pixels right of the middle, canvas y)."""
    mesh = reference_mesh()
    half = 1 + len(FACE_OVAL) // 2
    contours = [
        (FACE_OVAL[:half], shape.oval),
        (UPPER_LID["Left"], shape.upper_lid),
        (LOWER_LID["Left"], shape.lower_lid),
        (BROW["Left"][0], shape.brow_upper),
        (BROW["Left"][1], shape.brow_lower),
        (UPPER_LIP_OUTER[:4:-1], shape.upper_lip),
        (LOWER_LIP_OUTER[:4:-1], shape.lower_lip),
        (UPPER_LIP_INNER[:4:-1], shape.lip_seam),
        (LOWER_LIP_INNER[:4:-1], shape.lip_seam),
    ]
    fixed: dict[int, tuple[float, float]] = dict(shape.nose)
    lid = spline(shape.upper_lid)
    inner_lid = _fractions(mesh.points[list(UPPER_LID["Left"])])[1:-1]
    for index, place in zip(CREASE["Left"], along(crease_above(lid, 1.0), inner_lid), strict=True):
        fixed[index] = (float(place[0]), float(place[1]))
    for indices, curve in contours:
        fractions = _fractions(mesh.points[list(indices)])
        if indices[0] in (UPPER_LIP_INNER[-1], LOWER_LIP_INNER[-1]):
            # The inner corner lies just inside the outer one, on the same seam.
            fractions = 0.06 + 0.94 * fractions
        for index, place in zip(indices, along(spline(curve), fractions), strict=True):
            fixed[index] = (float(place[0]), float(place[1]))
    outer, inner = np.array(fixed[UPPER_LIP_OUTER[-1]]), np.array(fixed[UPPER_LIP_INNER[-1]])
    for index, part in CORNER_CHAIN:
        fixed[index] = tuple((outer * (1 - part) + inner * part).tolist())
    for index, (x, y) in list(fixed.items()):
        fixed[mesh.across(index)] = (-x, y)
    return fixed


def landmarks(shape: FaceShape) -> Float64Array:
    """All landmarks of the drawn face.

    Returns:
        float64[478, 3]: canvas x, y and depth in pixels, smaller z = nearer; exact where drawn, the reference mesh
        bent by a thin-plate spline between.
    """
    mesh = reference_mesh()
    fixed = drawn_points(shape)
    anchors = np.array(sorted(fixed))
    target = np.array([fixed[int(index)] for index in anchors])
    plane = mesh.points[:, :2] * (1, -1)
    source, first = np.unique(plane[anchors].round(6), axis=0, return_index=True)
    bend = ThinPlate.through(source, target[first])
    placed = np.zeros((NUM_LANDMARKS, 3))
    placed[:NUM_POINTS, :2] = bend(plane)
    placed[anchors, :2] = target
    scale = np.ptp(target[:, 1]) / np.ptp(plane[anchors, 1])
    placed[:NUM_POINTS, 2] = -scale * shape.depth * mesh.points[:, 2]
    placed[:NUM_POINTS, 0] += CENTRE_X_PX
    for side, sign in (("Right", -1), ("Left", 1)):
        eye = placed[list(UPPER_LID[side] + LOWER_LID[side]), 2].mean()
        rim = ((0, 0), (1, 0), (0, -1), (-1, 0), (0, 1))
        for index, (dx, dy) in zip(IRIS[side], rim, strict=True):
            r = shape.iris_radius_px
            placed[index] = (CENTRE_X_PX + sign * shape.iris[0] + r * dx, shape.iris[1] + r * dy, eye)
    return placed
