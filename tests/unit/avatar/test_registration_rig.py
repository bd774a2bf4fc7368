from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.blendshapes import ARKIT_NAMES
from avatar.registration import rig
from avatar.registration.fields import jaw_weight, linear_fields, linear_names, mirrored
from avatar.registration.mesh import (
    LOWER_LID,
    LOWER_LIP_INNER,
    NOSE_TIP,
    NUM_POINTS,
    UPPER_LID,
    UPPER_LIP_INNER,
    reference_mesh,
)

pytestmark = pytest.mark.unit
LEFT, UP, NEAR = np.eye(3)

# Shape: a point it moves, which way, how far at least (units), a point it leaves alone.
MOVES = {
    "browDownLeft": (295, -UP, 0.3, 152),
    "browDownRight": (65, -UP, 0.3, 152),
    "browInnerUp": (55, UP, 0.4, 152),
    "browOuterUpLeft": (283, UP, 0.3, 53),
    "browOuterUpRight": (53, UP, 0.3, 283),
    "cheekPuff": (425, NEAR, 0.3, 10),
    "cheekSquintLeft": (280, UP, 0.2, 50),
    "cheekSquintRight": (50, UP, 0.2, 280),
    "eyeSquintLeft": (450, UP, 0.05, 230),
    "eyeSquintRight": (230, UP, 0.05, 450),
    "eyeWideLeft": (386, UP, 0.08, 159),
    "eyeWideRight": (159, UP, 0.08, 386),
    "jawForward": (152, NEAR, 0.5, 1),
    "jawLeft": (152, LEFT, 0.5, 1),
    "jawRight": (152, -LEFT, 0.5, 1),
    "jawOpen": (152, -UP, 1.5, 1),
    "mouthDimpleLeft": (291, LEFT, 0.2, 61),
    "mouthDimpleRight": (61, -LEFT, 0.2, 291),
    "mouthFrownLeft": (291, -UP, 0.4, 61),
    "mouthFrownRight": (61, -UP, 0.4, 291),
    "mouthFunnel": (0, UP, 0.15, 10),
    "mouthLeft": (13, LEFT, 0.5, 10),
    "mouthRight": (13, -LEFT, 0.5, 10),
    "mouthLowerDownLeft": (402, -UP, 0.25, 61),
    "mouthLowerDownRight": (178, -UP, 0.25, 291),
    "mouthPressLeft": (405, UP, 0.05, 10),
    "mouthPressRight": (181, UP, 0.05, 10),
    "mouthPucker": (291, -LEFT, 0.7, 10),
    "mouthRollLower": (17, UP, 0.2, 10),
    "mouthRollUpper": (0, -UP, 0.2, 10),
    "mouthShrugLower": (17, UP, 0.2, 10),
    "mouthShrugUpper": (0, UP, 0.15, 10),
    "mouthSmileLeft": (291, UP + LEFT, 0.8, 61),
    "mouthSmileRight": (61, UP - LEFT, 0.8, 291),
    "mouthStretchLeft": (291, LEFT, 0.4, 61),
    "mouthStretchRight": (61, -LEFT, 0.4, 291),
    "mouthUpperUpLeft": (311, UP, 0.2, 61),
    "mouthUpperUpRight": (81, UP, 0.2, 291),
    "noseSneerLeft": (327, UP, 0.15, 98),
    "noseSneerRight": (98, UP, 0.15, 327),
}


@pytest.fixture(scope="module")
def fields() -> dict[str, np.ndarray]:
    return linear_fields()


def test_every_arkit_name_has_a_field_or_an_operator(fields: dict[str, np.ndarray]) -> None:
    assert fields.keys() == linear_names() == MOVES.keys()
    assert linear_names() | rig.OPERATORS == set(ARKIT_NAMES)
    assert not linear_names() & rig.OPERATORS
    assert rig.SHAPE_NAMES == ARKIT_NAMES


@pytest.mark.parametrize("name", MOVES)
def test_shape_moves_its_region_its_way(name: str, fields: dict[str, np.ndarray]) -> None:
    point, direction, least, still = MOVES[name]
    field = fields[name]
    assert field[point] @ direction >= least
    assert np.linalg.norm(field[still]) < 0.2 * np.linalg.norm(field[point])
    assert np.isfinite(field).all()
    assert np.linalg.norm(field, axis=1).max() < 5.0


@pytest.mark.parametrize("name", [name for name in MOVES if name.endswith("Left")])
def test_left_is_the_mirror_of_right(name: str, fields: dict[str, np.ndarray]) -> None:
    right = fields[name.removesuffix("Left") + "Right"]
    assert np.allclose(mirrored(reference_mesh(), fields[name]), right, atol=1e-9)


@pytest.mark.parametrize("name", [n for n in MOVES if not n.endswith(("Left", "Right"))])
def test_central_shapes_are_symmetric(name: str, fields: dict[str, np.ndarray]) -> None:
    assert np.allclose(mirrored(reference_mesh(), fields[name]), fields[name], atol=1e-6)


def test_jaw_takes_chin_and_lower_lip_but_not_nose_or_brow(fields: dict[str, np.ndarray]) -> None:
    opened = fields["jawOpen"]
    assert (opened[[152, 17, 14], 1] < -1.5).all()
    assert np.linalg.norm(opened[[NOSE_TIP, 2, 9, 10, 33, 263]], axis=1).max() < 0.05
    assert np.abs(opened[list(UPPER_LIP_INNER[3:-3]), 1]).max() < 0.1
    weight = jaw_weight()
    assert weight.min() >= -1e-6 and weight.max() <= 1 + 1e-6


def test_jaw_opening_grows_towards_the_middle(fields: dict[str, np.ndarray]) -> None:
    gap = fields["jawOpen"][list(UPPER_LIP_INNER), 1] - fields["jawOpen"][list(LOWER_LIP_INNER), 1]
    assert gap[0] == gap[-1] == 0
    assert (np.diff(gap[:6]) >= -1e-9).all()


def test_pucker_narrows_the_mouth_and_brings_it_near(fields: dict[str, np.ndarray]) -> None:
    mesh, pucker = reference_mesh(), fields["mouthPucker"]
    before, after = mesh.points[[61, 291], 0], (mesh.points + pucker)[[61, 291], 0]
    assert np.ptp(after) < 0.75 * np.ptp(before)
    assert pucker[13, 2] > 0.4


def _face(scale: float = 20.0) -> np.ndarray:
    return reference_mesh().points * (scale, -scale, -scale) + (640, 300, 0)


def test_deltas_transfer_with_the_face_size() -> None:
    small, large = (rig.shape_deltas(_face(scale), ARKIT_NAMES) for scale in (10.0, 20.0))
    assert small.shape == (52, NUM_POINTS, 3)
    assert np.allclose(2 * small, large, atol=1e-3)
    jaw, smile = large[ARKIT_NAMES.index("jawOpen")], large[ARKIT_NAMES.index("mouthSmileLeft")]
    assert jaw[152, 1] > 20, "the chin goes down on the canvas"
    assert smile[291, 0] > 5 and smile[291, 1] < -5, "the subject's left corner goes right and up on the canvas"
    for name in rig.OPERATORS:
        assert not large[ARKIT_NAMES.index(name)].any()


def test_deltas_refuse_unknown_names() -> None:
    with pytest.raises(KeyError):
        rig.shape_deltas(_face(), ("winkLeft",))


def test_seal_never_moves_the_other_lip() -> None:
    upper, lower = rig.seal_weights()
    inner_upper, inner_lower = list(UPPER_LIP_INNER[1:-1]), list(LOWER_LIP_INNER[1:-1])
    assert not upper[inner_lower].any() and not lower[inner_upper].any()
    assert (upper[inner_upper].sum(axis=1) > 0.9).all() and (lower[inner_lower].sum(axis=1) > 0.9).all()
    assert upper[10].sum() < 0.01 and lower[10].sum() < 0.01
    # A lip keeps its thickness: its outer edge follows almost as far.
    assert upper[0].sum() > 0.8 and lower[17].sum() > 0.8


def test_lids_of_one_eye_leave_the_other_alone() -> None:
    upper, lower = rig.lid_weights()
    for eye, side, other in ((0, "Right", "Left"), (1, "Left", "Right")):
        assert (upper[eye, list(UPPER_LID[side][1:-1])].sum(axis=1) > 0.9).all()
        assert (lower[eye, list(LOWER_LID[side][1:-1])].sum(axis=1) > 0.9).all()
        assert not upper[eye, list(LOWER_LID[side][1:-1])].any()
        assert upper[eye, list(UPPER_LID[other] + LOWER_LID[other])].sum() < 0.01


def test_contours_run_from_picture_left_to_right() -> None:
    edges, x = rig.contours(), _face()[:, 0]
    for line in (edges.lips_upper, edges.lips_lower, *edges.lids_upper, *edges.lids_lower):
        assert (np.diff(x[line]) > 0).all()
    assert x[edges.lids_upper[0]].max() < x[edges.lids_upper[1]].min(), "right eye first"


def test_painter_order_is_far_to_near() -> None:
    points = _face()
    triangles = rig.painter_triangles(points)
    depth = points[triangles, 2].mean(axis=1)
    assert len(triangles) == 898
    assert (np.diff(depth) <= 1e-9).all()


def test_head_turns_whole_and_the_chest_stays() -> None:
    points = np.concatenate([_face(), np.zeros((10, 3))])
    head, breath = rig.node_weights(points, 1280, 720)
    assert head.shape == breath.shape == (24, 41)
    assert head[6, 20] == pytest.approx(1.0, abs=1e-3) and head[-1].max() == 0.0
    assert breath[6, 20] == 0.0 and breath[-1, 20] == pytest.approx(1.0)
    assert (np.diff(head[:, 20]) <= 1e-6).all()


def test_shallow_sides_keep_the_front() -> None:
    points = _face()
    flat = rig.shallow(points)
    assert np.allclose(flat[NOSE_TIP], points[NOSE_TIP])
    assert flat[234, 2] < points[234, 2]
    assert np.allclose(flat[:, :2], points[:, :2])


def test_roomy_outline_lies_outside_and_nothing_else_moves() -> None:
    points = _face()
    loose = rig.roomy(points)
    oval = rig.contours().oval
    grown = np.ptp(loose[oval, :2], axis=0) - np.ptp(points[oval, :2], axis=0)
    assert grown == pytest.approx([2 * rig.OUTLINE_MARGIN_PX] * 2, abs=0.3)
    others = np.setdiff1d(np.arange(NUM_POINTS), oval)
    assert np.array_equal(loose[others], points[others])
