"""From landmarks to a moving face: deltas, lid and lip followers, what goes with the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..identity import CELL_PX, node_shape
from ..media import Float32Array
from .fields import follow_weights, linear_fields, linear_names
from .mesh import (
    CHIN,
    CREASE,
    FACE_OVAL,
    FOREHEAD,
    LOWER_LID,
    LOWER_LIP_INNER,
    NUM_POINTS,
    UPPER_LID,
    UPPER_LIP_INNER,
    Float64Array,
    hole_triangles,
    reference_mesh,
)
from .reference import similarity

Int32Array = npt.NDArray[np.int32]
OPERATORS = frozenset(
    [f"eye{kind}{side}" for kind in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp") for side in ("Left", "Right")]
    + ["mouthClose", "tongueOut"]
)
"""Shapes no linear field can hit exactly on every face; the renderer moves lids, seal, gaze and tongue itself."""
SHAPE_NAMES = tuple(sorted(OPERATORS | linear_names()))
"""The 52 ARKit names; their published order is the alphabet's."""
SEAL_UPPER_UNITS, SEAL_LOWER_UNITS = (0.8, 0.7), (1.1, 1.0)
"""Fade and flat core of what follows a sealing lip: the core keeps the lip's thickness."""
LID_UPPER_UNITS, LID_LOWER_UNITS = (0.34, 0.05), (0.40, 0.10)
CREASE_FOLLOWS = 0.42
"""Of its lid's way: the crease sinks a little in a blink, and the skin below it unfolds."""
PIVOT_BEHIND = 0.42
"""Face widths between the face and the axis it turns about."""
OUTLINE_MARGIN_PX = 3.0
SIDE_DEPTH = 0.30
"""What is left of the depth behind the outer corners of the eyes."""
EYES = ("Right", "Left")
"""Index 0 of a pair of eyes is the subject's right."""


@dataclass(frozen=True, slots=True)
class Contours:
    """Vertex numbers of the edges the renderer's operators hit."""

    oval: Int32Array
    lips_upper: Int32Array
    lips_lower: Int32Array
    lids_upper: Int32Array
    lids_lower: Int32Array


def contours() -> Contours:
    """All edges from picture left to right."""
    uppers = [UPPER_LID["Right"], UPPER_LID["Left"][::-1]]
    lowers = [LOWER_LID["Right"], LOWER_LID["Left"][::-1]]
    lists = (FACE_OVAL, UPPER_LIP_INNER, LOWER_LIP_INNER, uppers, lowers)
    return Contours(*(np.array(indices, np.int32) for indices in lists))


def shape_deltas(points: Float64Array, names: tuple[str, ...]) -> Float32Array:
    """Transfer the reference fields to a face.

    Args:
        points: float64[>= 468, 3] landmarks, canvas pixels, smaller z = nearer.
        names: the 52 ARKit names in the order wanted.

    Returns:
        float32[len(names), 468, 3] px at weight 1; zero rows for operators.

    Raises:
        KeyError: a name is neither a linear shape nor an operator.
    """
    scale, rotation, _ = similarity(reference_mesh().points, points[:NUM_POINTS] * (1, -1, -1))
    fields = linear_fields()
    deltas = np.zeros((len(names), NUM_POINTS, 3), np.float32)
    for row, name in enumerate(names):
        if name not in OPERATORS:
            deltas[row] = (scale * fields[name] @ rotation.T) * (1, -1, -1)
    return deltas


def seal_weights() -> tuple[Float32Array, Float32Array]:
    """What follows the upper and the lower inner lip: float32[468, 11] each."""
    upper = _clear(follow_weights(reference_mesh(), UPPER_LIP_INNER, *SEAL_UPPER_UNITS), LOWER_LIP_INNER[1:-1])
    lower = _clear(follow_weights(reference_mesh(), LOWER_LIP_INNER, *SEAL_LOWER_UNITS), UPPER_LIP_INNER[1:-1])
    return upper, lower


def lid_weights() -> tuple[Float32Array, Float32Array]:
    """What follows the upper and the lower lids: float32[2, 468, 9] each, right eye first."""
    edges = contours()
    upper = [_edge_weights(edges.lids_upper[eye], edges.lids_lower[eye], LID_UPPER_UNITS) for eye in range(2)]
    for eye, crease in enumerate((CREASE["Right"], CREASE["Left"][::-1])):
        upper[eye][list(crease)] = CREASE_FOLLOWS * np.eye(len(crease), len(crease) + 2, k=1, dtype=np.float32)
    lower = [_edge_weights(edges.lids_lower[eye], edges.lids_upper[eye], LID_LOWER_UNITS) for eye in range(2)]
    return np.stack(upper), np.stack(lower)


def _edge_weights(edge: Int32Array, other: Int32Array, units: tuple[float, float]) -> Float32Array:
    weights = follow_weights(reference_mesh(), tuple(int(point) for point in edge), *units)
    return _clear(weights, tuple(int(point) for point in other[1:-1]))


def _clear(weights: Float64Array, opposite: tuple[int, ...]) -> Float32Array:
    """The other edge of an opening never follows this one, else neither would meet the other exactly."""
    weights[list(opposite)] = 0.0
    return weights.astype(np.float32)


def painter_triangles(points: Float64Array) -> Int32Array:
    """The mesh with its holes closed, far triangles first.

    Returns:
        int32[m, 3].
    """
    edges = contours()
    holes = [(edges.lips_upper, edges.lips_lower), *zip(edges.lids_upper, edges.lids_lower, strict=True)]
    closed = [t for first, second in holes for t in hole_triangles(tuple(first.tolist()), tuple(second.tolist()))]
    triangles = np.concatenate([reference_mesh().triangles, np.array(closed, np.int32)])
    depth = points[triangles, 2].mean(axis=1)
    return triangles[np.argsort(-depth, kind="stable")].astype(np.int32)


def roomy(points: Float64Array) -> Float64Array:
    """The landmarks with the outline of the face set a little outside the skin.

    Where the face turns over what lies behind it, the mesh ends without a soft edge; this way it ends in hair or
    shade, and the drawn edge of the skin stays inside.
    """
    result = points.copy()
    oval = list(FACE_OVAL)
    outward = points[oval, :2] - points[oval, :2].mean(axis=0)
    result[oval, :2] += OUTLINE_MARGIN_PX * outward / np.linalg.norm(outward, axis=1, keepdims=True)
    return result


def shallow(points: Float64Array) -> Float64Array:
    """The landmarks with the far sides of the face brought forward.

    A single picture has nothing to show behind a cheek: with its full depth the side of the face would fold over
    itself in a turn of a few degrees.
    """
    result = points.copy()
    eyes = points[[UPPER_LID["Right"][0], UPPER_LID["Left"][0]], 2].mean()
    behind = np.maximum(points[:, 2] - eyes, 0.0)
    result[:, 2] -= (1 - SIDE_DEPTH) * behind
    return result


def pivot_of(points: Float64Array) -> Float32Array:
    """Where the head turns about: float32[3] px."""
    oval = points[list(FACE_OVAL)]
    height, width = np.ptp(oval[:, 1]), np.ptp(oval[:, 0])
    x, chin = oval[:, 0].mean(), points[CHIN, 1]
    depth = points[:NUM_POINTS, 2].mean() + PIVOT_BEHIND * width
    return np.array([x, chin - 0.02 * height, depth], np.float32)


def node_weights(points: Float64Array, width_px: int, height_px: int) -> tuple[Float32Array, Float32Array]:
    """What turns with the head and what rises with breath, at the CELL_PX nodes.

    Returns:
        Two float32[GH, GW] in [0, 1].
    """
    rows, columns = node_shape(width_px, height_px)
    y, x = np.mgrid[0:rows, 0:columns] * float(CELL_PX)
    oval = points[list(FACE_OVAL), :2]
    face_height, face_width = np.ptp(oval[:, 1]), np.ptp(oval[:, 0])
    chin, top, middle = points[CHIN, 1], points[FOREHEAD, 1], oval[:, 0].mean()
    aside, beyond = np.abs(x - middle), np.hypot(x - middle, (y - (top + chin) / 2) * 0.8)
    around = 1 - _ease(1.3 * face_width, 2.1 * face_width, beyond)
    down = 1 - _ease(chin - 0.04 * face_height, chin + 0.46 * face_height, y)
    head = around * down
    breath = _ease(chin, chin + 0.42 * face_height, y) * (1 - _ease(0.9 * face_width, 1.9 * face_width, aside))
    return head.astype(np.float32), breath.astype(np.float32)


def _ease(start: float, stop: float, value: Float64Array) -> Float64Array:
    t = np.clip((value - start) / (stop - start), 0, 1)
    eased: Float64Array = t * t * (3 - 2 * t)
    return eased
