from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from avatar.registration.drawn.geometry import ThinPlate, along, landmarks, spline
from avatar.registration.drawn.look import CENTRE_X_PX, MIRA, FaceShape
from avatar.registration.mesh import (
    CHIN,
    FACE_OVAL,
    FOREHEAD,
    IRIS,
    LOWER_LIP_INNER,
    NUM_POINTS,
    UPPER_LID,
    UPPER_LIP_INNER,
    UPPER_LIP_OUTER,
    reference_mesh,
)

pytestmark = pytest.mark.unit


def _stretched(shape: FaceShape, factor: float) -> FaceShape:
    """The same face, wider by a factor."""
    wider = {}
    for field in fields(shape):
        value = getattr(shape, field.name)
        if field.name == "nose":
            wider[field.name] = {index: (x * factor, y) for index, (x, y) in value.items()}
        elif field.name == "iris":
            wider[field.name] = (value[0] * factor, value[1])
        elif isinstance(value, tuple):
            wider[field.name] = tuple((x * factor, y) for x, y in value)
    return replace(shape, **wider)


def test_spline_goes_through_its_points() -> None:
    points = ((0.0, 0.0), (3.0, 1.0), (4.0, 5.0), (9.0, 6.0))
    line = spline(points, 10)
    assert len(line) == 31
    assert np.allclose(line[::10], points)


def test_along_measures_by_length() -> None:
    line = np.array([(0.0, 0.0), (1.0, 0.0), (10.0, 0.0)])
    assert np.allclose(along(line, np.array([0.0, 0.5, 1.0])), [(0, 0), (5, 0), (10, 0)])


def test_thin_plate_is_exact_at_its_centres_and_keeps_affine_maps() -> None:
    rng = np.random.default_rng(3)
    centres = rng.uniform(0, 100, (30, 2))
    values = rng.uniform(0, 9, (30, 2))
    assert np.allclose(ThinPlate.through(centres, values)(centres), values, atol=1e-6)
    straight = ThinPlate.through(centres, centres @ np.array([[2.0, 0.3], [-0.1, 1.5]]) + (4, 5))
    probe = rng.uniform(0, 100, (7, 2))
    assert np.allclose(straight(probe), probe @ np.array([[2.0, 0.3], [-0.1, 1.5]]) + (4, 5), atol=1e-6)


@pytest.mark.parametrize("shape", [MIRA.shape, _stretched(MIRA.shape, 1.12)], ids=["mira", "wider"])
def test_landmarks_are_symmetric_and_lie_on_the_contours(shape: FaceShape) -> None:
    points, mesh = landmarks(shape), reference_mesh()
    face = points[:NUM_POINTS] - (CENTRE_X_PX, 0, 0)
    assert np.allclose(face, face[mesh.mirror] * (-1, 1, 1), atol=1e-6)
    for index, end in ((FOREHEAD, shape.oval[0]), (CHIN, shape.oval[-1]), (291, shape.upper_lip[0])):
        assert np.allclose(face[index, :2], end, atol=1e-6)
    for indices, curve in ((FACE_OVAL[:19], shape.oval), (UPPER_LID["Left"], shape.upper_lid)):
        line = spline(curve, 200)
        away = np.linalg.norm(face[list(indices), None, :2] - line[None], axis=2).min(axis=1)
        assert away.max() < 0.1
    assert np.allclose(points[IRIS["Left"][0], :2], (CENTRE_X_PX + shape.iris[0], shape.iris[1]))


def test_inner_lips_meet_on_the_seam() -> None:
    points = landmarks(MIRA.shape)
    gap = points[list(LOWER_LIP_INNER), 1] - points[list(UPPER_LIP_INNER), 1]
    assert np.abs(gap).max() <= 0.3
    assert (points[list(UPPER_LIP_OUTER[1:-1]), 1] < points[list(UPPER_LIP_INNER[1:-1]), 1]).all()


def test_drawn_mesh_does_not_fold() -> None:
    points, triangles = landmarks(MIRA.shape), reference_mesh().triangles
    a, b, c = (points[triangles[:, k], :2] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    # Counter-clockwise to the viewer is negative with y down; slivers where shut lips lie on each other may be 0.
    assert (area > 0.5).sum() == 0
