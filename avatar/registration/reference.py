"""Makes `reference_mesh.npz`: the 468-point face mesh every rig is defined on.

Topology: the published index pairs of the face mesh (`FACEMESH_TESSELATION` in
`mediapipe/python/solutions/face_mesh_connections.py` of the mediapipe 0.10.21 wheel, The MediaPipe
Authors, Apache-2.0). Its triangles are the 3-cycles of those pairs. Six pairs differ between left and
right; the subject's left takes the mirror image of the right, so that the mesh is exactly symmetric.

Positions: the mean of what the landmark net of the same wheel (`face_landmark_with_attention.tflite`)
puts out for portraits the project drew itself, pose removed, made exactly symmetric, scaled to a mouth
width of 4.91 units. x > 0 is the subject's left, y up, z towards the viewer. The net's raw output is kept
in the archive, so that the mesh can be made again without the net.

    python -m avatar.registration.reference face_mesh_connections.py [landmarks.npy ...]
"""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
Int32Array = npt.NDArray[np.int32]
Edge = tuple[int, int]

REFERENCE_PATH = Path(__file__).with_name("reference_mesh.npz")
NUM_POINTS = 468
MOUTH_WIDTH_UNITS = 4.91
MOUTH_CORNERS = (61, 291)
FOREHEAD, CHIN = 10, 152
AMBIGUITY = 3.0
"""A second nearest point closer than this times the nearest leaves a pairing open (shut lips lie on each other)."""


def published_edges(connections: Path) -> set[Edge]:
    """Read the undirected index pairs out of the published table."""
    table = runpy.run_path(str(connections))["FACEMESH_TESSELATION"]
    return {(min(a, b), max(a, b)) for a, b in table}


def mirror_map(points: Float64Array, edges: set[Edge]) -> Int32Array:
    """Match every point with its mirror image.

    Points whose nearest mirror images agree both ways and stand clear of others are paired first; the rest are
    paired by how many of their neighbours in the mesh are already paired with each other.

    Args:
        points: float64[468, 3], roughly frontal, x to the subject's left.
        edges: the index pairs of the mesh.

    Returns:
        int32[468], an involution.

    Raises:
        ValueError: the points are too lopsided to pair.
    """
    adjacent = np.zeros((len(points), len(points)))
    for a, b in edges:
        adjacent[a, b] = adjacent[b, a] = 1
    centred = points - points.mean(axis=0)
    distance = np.linalg.norm(centred[:, None] * (-1, 1, 1) - centred[None], axis=2)
    pairs = np.argmin(distance, axis=1)
    nearest = np.sort(distance, axis=1)
    doubtful = (pairs[pairs] != np.arange(len(pairs))) | (nearest[:, 1] < AMBIGUITY * nearest[:, 0])
    pairs[doubtful | doubtful[pairs]] = -1
    while (lone := np.flatnonzero(pairs < 0)).size:
        paired = np.flatnonzero(pairs >= 0)
        votes = adjacent[np.ix_(lone, paired)] @ adjacent[np.ix_(pairs[paired], lone)]
        score = votes + votes.T - distance[np.ix_(lone, lone)] / distance.max()
        best = score.argmax(axis=1)
        top = score[np.arange(len(lone)), best]
        agreed = (best[best] == np.arange(len(lone))) & (top > top.max() - 1) & (top > 0)
        if not agreed.any():
            raise ValueError("points cannot be paired left to right")
        pairs[lone[agreed]] = lone[best[agreed]]
    mirror: Int32Array = pairs.astype(np.int32)
    return mirror


def symmetric_edges(edges: set[Edge], mirror: Int32Array, points: Float64Array) -> set[Edge]:
    """Replace left-hand pairs that have no counterpart by the mirror image of the right-hand ones."""
    mirrored = {(min(a, b), max(a, b)) for a, b in ((int(mirror[a]), int(mirror[b])) for a, b in edges)}
    left_only = {e for e in edges - mirrored if points[list(e), 0].sum() > 0}
    right_images = {e for e in mirrored - edges if points[list(e), 0].sum() > 0}
    return (edges - left_only) | right_images


def triangles_of(edges: set[Edge]) -> Int32Array:
    """All 3-cycles that are faces, with one winding.

    Returns:
        int32[m, 3], sorted.
    """
    neighbours: dict[int, set[int]] = {}
    for a, b in edges:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    cycles = {tuple(sorted((a, b, c))) for a, b in edges for c in neighbours[a] & neighbours[b]}
    shared = Counter(pair for cycle in cycles for pair in combinations(cycle, 2))
    # A cycle around other faces is no face: all of its edges already have two.
    faces = [c for c in cycles if not all(shared[pair] > 2 for pair in combinations(c, 2))]
    return np.array(sorted(faces), np.int32)


def similarity(source: Float64Array, target: Float64Array) -> tuple[float, Float64Array, Float64Array]:
    """Least-squares similarity (Umeyama 1991): target ~ scale * source @ rotation.T + shift."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    flip = np.diag([1.0] * (len(s) - 1) + [float(np.sign(np.linalg.det(u @ vt)))])
    rotation = u @ flip @ vt
    scale = float((s * np.diag(flip)).sum() / (a**2).sum())
    return scale, rotation, target.mean(axis=0) - scale * rotation @ source.mean(axis=0)


def mean_face(runs: Float64Array, mirror: Int32Array) -> Float64Array:
    """Average landmark runs into one frontal, symmetric face.

    Args:
        runs: float64[k, 468, 3], x right, y down, z away, each in its own pixels.
        mirror: int32[468].

    Returns:
        float64[468, 3] in units.
    """
    faces = runs * (1, -1, -1)
    template = faces[0] - faces[0].mean(axis=0)
    for _ in range(20):
        aligned = []
        for face in faces:
            scale, rotation, shift = similarity(face, template)
            aligned.append(scale * face @ rotation.T + shift)
        mean = np.mean(aligned, axis=0)
        template = (mean + mean[mirror] * (-1, 1, 1)) / 2
    return _upright(template)


def _upright(face: Float64Array) -> Float64Array:
    """Put forehead over chin in depth, nod removed, and scale by the mouth."""
    rise = face[FOREHEAD] - face[CHIN]
    angle = np.arctan2(rise[2], rise[1])
    c, s = np.cos(angle), np.sin(angle)
    upright = face @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]]).T
    upright -= upright[[FOREHEAD, CHIN]].mean(axis=0)
    width = np.linalg.norm(upright[MOUTH_CORNERS[0]] - upright[MOUTH_CORNERS[1]])
    scaled: Float64Array = upright * (MOUTH_WIDTH_UNITS / width)
    return scaled


def build(edges: set[Edge], runs: Float64Array) -> dict[str, npt.NDArray[np.generic]]:
    """Everything the archive holds, by name."""
    mirror = mirror_map(runs[0] * (1, -1, -1), edges)
    face = mean_face(runs, mirror)
    pairs = symmetric_edges(edges, mirror, face)
    return {
        "points": face.astype(np.float32),
        "triangles": _outward(triangles_of(pairs), face).astype(np.int16),
        "mirror": mirror.astype(np.int16),
        "edges": np.array(sorted(edges), np.int16),
        "runs": runs.astype(np.float32),
    }


def _outward(triangles: Int32Array, face: Float64Array) -> Int32Array:
    """Wind every triangle counter-clockwise as the viewer sees it."""
    a, b, c = (face[triangles[:, k], :2] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    flipped = triangles.copy()
    flipped[area < 0] = flipped[area < 0][:, [0, 2, 1]]
    return flipped


def main(arguments: list[str]) -> None:
    edges = published_edges(Path(arguments[0]))
    runs = [np.load(path)[:NUM_POINTS, :3].astype(np.float64) for path in arguments[1:]]
    np.savez_compressed(REFERENCE_PATH, allow_pickle=False, **build(edges, np.stack(runs)))


if __name__ == "__main__":
    main(sys.argv[1:])
