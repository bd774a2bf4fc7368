from __future__ import annotations

import io
import os
import zipfile
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from avatar.registration import reference
from avatar.registration.mesh import (
    BROW,
    FACE_OVAL,
    LOWER_LID,
    LOWER_LIP_INNER,
    LOWER_LIP_OUTER,
    NUM_POINTS,
    UPPER_LID,
    UPPER_LIP_INNER,
    UPPER_LIP_OUTER,
    harmonic,
    hole_triangles,
    reference_mesh,
)

pytestmark = pytest.mark.unit
SHARED = Path(os.environ.get("VISAVIS_SHARED", Path(__file__).resolve().parents[4] / "shared"))


def test_points_and_triangles_are_mirror_symmetric() -> None:
    mesh = reference_mesh()
    assert np.allclose(mesh.points, mesh.points[mesh.mirror] * (-1, 1, 1), atol=1e-5)
    triangles = {tuple(sorted(t)) for t in mesh.triangles.tolist()}
    mirrored = {tuple(sorted(mesh.mirror[list(t)].tolist())) for t in triangles}
    assert triangles == mirrored


def test_triangles_are_a_face_with_three_holes() -> None:
    mesh = reference_mesh()
    edges = Counter(pair for t in mesh.triangles.tolist() for pair in combinations(sorted(t), 2))
    assert len(mesh.triangles) == 852
    assert set(edges.values()) == {1, 2}
    # Euler: a disc (1) less mouth and two eyes.
    assert NUM_POINTS - len(edges) + len(mesh.triangles) == 1 - 3
    rim = {point for pair, count in edges.items() if count == 1 for point in pair}
    lips, lids = (
        set(UPPER_LIP_INNER + LOWER_LIP_INNER),
        {p for lid in (UPPER_LID, LOWER_LID) for e in lid.values() for p in e},
    )
    assert rim == lips | lids | set(FACE_OVAL)


def test_triangles_face_the_viewer() -> None:
    mesh = reference_mesh()
    a, b, c = (mesh.points[mesh.triangles[:, k], :2] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (area >= 0).all()


@pytest.mark.parametrize(
    "table", [UPPER_LID, LOWER_LID, {k: v[0] for k, v in BROW.items()}, {k: v[1] for k, v in BROW.items()}]
)
def test_paired_contours_mirror_each_other(table: dict[str, tuple[int, ...]]) -> None:
    mesh = reference_mesh()
    assert tuple(mesh.across(point) for point in table["Left"]) == table["Right"]


@pytest.mark.parametrize("contour", [UPPER_LIP_OUTER, UPPER_LIP_INNER, LOWER_LIP_OUTER, LOWER_LIP_INNER])
def test_lips_run_from_right_corner_to_left(contour: tuple[int, ...]) -> None:
    mesh = reference_mesh()
    x = mesh.points[list(contour), 0]
    assert (np.diff(x) > 0).all()
    assert tuple(mesh.across(point) for point in contour) == contour[::-1]


def test_upper_lip_is_far_from_lower_lip_along_the_skin() -> None:
    mesh = reference_mesh()
    straight = np.linalg.norm(mesh.points[13] - mesh.points[14])
    around = mesh.geodesic[13, 14]
    assert straight < 0.2
    assert around > 4.0
    assert np.allclose(mesh.geodesic, mesh.geodesic.T)


def test_harmonic_weight_keeps_given_values_and_stays_between() -> None:
    mesh = reference_mesh()
    weight = harmonic(mesh, {152: 1.0, 10: 0.0})
    assert weight[152] == 1.0 and weight[10] == 0.0
    assert weight.min() >= -1e-9 and weight.max() <= 1 + 1e-9
    assert weight[17] > weight[1] > weight[9]


def test_holes_close_with_two_triangles_a_step_but_one_at_the_ends() -> None:
    assert len(hole_triangles(UPPER_LIP_INNER, LOWER_LIP_INNER)) == 18
    assert len(hole_triangles(UPPER_LID["Left"], LOWER_LID["Left"])) == 14


def test_archive_is_what_its_script_makes() -> None:
    with np.load(reference.REFERENCE_PATH, allow_pickle=False) as archive:
        edges = {(int(a), int(b)) for a, b in archive["edges"]}
        rebuilt = reference.build(edges, archive["runs"].astype(np.float64))
        for name, array in rebuilt.items():
            assert archive[name].dtype == array.dtype
            assert np.allclose(archive[name], array, atol=1e-5), name


def test_lopsided_points_are_refused() -> None:
    points = reference_mesh().points.copy()
    points[:, 0] = np.abs(points[:, 0])
    with pytest.raises(ValueError, match="paired"):
        reference.mirror_map(points, set())


def test_similarity_undoes_scale_turn_and_shift() -> None:
    mesh = reference_mesh()
    c, s = np.cos(0.3), np.sin(0.3)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    scale, rotation, shift = reference.similarity(mesh.points, 3 * mesh.points @ turn.T + (5, 6, 7))
    assert scale == pytest.approx(3)
    assert np.allclose(rotation, turn)
    assert np.allclose(shift, (5, 6, 7))


def test_positions_agree_with_the_published_mesh() -> None:
    task = SHARED / "models" / "face_landmarker.task"
    if not task.exists():
        pytest.skip(f"{task} is not here to compare with")
    published = _published_points(task)
    mesh = reference_mesh()
    scale, rotation, shift = reference.similarity(mesh.points, published)
    distance = np.linalg.norm(scale * mesh.points @ rotation.T + shift - published, axis=1)
    assert distance.mean() <= 0.04 * np.linalg.norm(published[10] - published[152])


def _published_points(task: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Vertex positions in the bundle's geometry: message field 1, in it repeated float field 3 (x y z u v)."""
    data = zipfile.ZipFile(io.BytesIO(task.read_bytes())).read("geometry_pipeline_metadata_landmarks.binarypb")
    mesh = next(value for field, value in _fields(data) if field == 1)
    floats = [np.frombuffer(value, "<f4") for field, value in _fields(mesh) if field == 3]
    return np.concatenate(floats).reshape(-1, 5)[:NUM_POINTS, :3].astype(np.float64)


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        key, at = _varint(data, at)
        size = {0: 0, 5: 4}.get(key & 7, 0)
        if key & 7 == 0:
            _, at = _varint(data, at)
        elif key & 7 == 2:
            size, at = _varint(data, at)
        found.append((key >> 3, data[at : at + size]))
        at += size
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
