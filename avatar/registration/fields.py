"""Displacement of the reference face for each linear expression.

A muscle field spreads along the skin, so that the upper lip never drags the lower one, nor a lid its
fellow: distances go around the holes of mouth and eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from . import muscles
from .mesh import (
    LOWER_LIP_INNER,
    LOWER_LIP_OUTER,
    NUM_POINTS,
    UPPER_LIP_INNER,
    UPPER_LIP_OUTER,
    Float64Array,
    Mesh,
    harmonic,
    reference_mesh,
)

LipMotion = Callable[[int, Float64Array], tuple[float, float, float]]
_LIP_AND_JAW_NAMES = (
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthFunnel", "mouthLeft", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugUpper",
)  # fmt: skip
UPPER_LIP = frozenset(UPPER_LIP_OUTER[1:-1] + UPPER_LIP_INNER[1:-1])
LOWER_LIP = frozenset(LOWER_LIP_OUTER[1:-1] + LOWER_LIP_INNER[1:-1])
INNER_LIP = frozenset(UPPER_LIP_INNER + LOWER_LIP_INNER)
LIP_POINTS = tuple(sorted(UPPER_LIP | LOWER_LIP | {61, 291, 78, 308}))
INNER_OF = dict(zip(UPPER_LIP_OUTER + LOWER_LIP_OUTER, UPPER_LIP_INNER + LOWER_LIP_INNER, strict=True))
LIP_CORNER_X, LIP_CORNER_Y = 2.455, -3.94
"""Corners of the mouth on the reference face, in units."""
SHARP_UNITS = 0.45
"""Radius within which a skin point follows its nearest contour point rather than the mean of several."""


def pull_field(mesh: Mesh, pulls: Sequence[muscles.Pull]) -> Float64Array:
    """Blend pulls: near one point its vector, between several their mean, far away nothing.

    Returns:
        float64[468, 3] in units.
    """
    total, weight = np.zeros((NUM_POINTS, 3)), np.zeros(NUM_POINTS)
    for point, vector, radius in pulls:
        near = np.exp(-((mesh.geodesic[point] / radius) ** 2))
        total += near[:, None] * np.array(vector)
        weight += near
    blended: Float64Array = total / np.maximum(weight, 1.0)[:, None]
    return blended


def follow_weights(mesh: Mesh, contour: Sequence[int], radius: float, flat: float = 0.0) -> Float64Array:
    """How far each skin point follows each point of a contour.

    Args:
        mesh: the reference face.
        contour: point numbers.
        radius: units over which following fades.
        flat: units around the contour that follow fully, so that a lip keeps its thickness.

    Returns:
        float64[468, len(contour)]; a row sums to 1 on the contour and to 0 far away.
    """
    distance = mesh.geodesic[list(contour)]
    fade = np.exp(-((np.maximum(0.0, distance - flat) / radius) ** 2))
    share = np.exp(-((distance / SHARP_UNITS) ** 2)) + 1e-12
    weights: Float64Array = (share / share.sum(axis=0) * fade.max(axis=0)).T
    return weights


def lip_field(mesh: Mesh, motion: LipMotion, radius: float) -> Float64Array:
    """Move every lip point by a rule of its place and let the skin around follow."""
    moved = np.array([motion(point, mesh.points[point]) for point in LIP_POINTS])
    field: Float64Array = follow_weights(mesh, LIP_POINTS, radius) @ moved
    return field


def mirrored(mesh: Mesh, field: Float64Array) -> Float64Array:
    """The same expression on the other side."""
    other: Float64Array = field[mesh.mirror] * (-1, 1, 1)
    return other


@cache
def jaw_weight() -> Float64Array:
    """How much each point goes with the jaw bone: float64[468] in [0, 1], symmetric."""
    mesh = reference_mesh()
    one_side = dict(zip(muscles.JAW_LINE, muscles.JAW_LINE_WEIGHT, strict=True)) | muscles.CORNER_WEIGHT
    fixed = dict.fromkeys(UPPER_LIP, 0.0) | dict.fromkeys(muscles.SKULL_FIRM, 0.0)
    fixed |= one_side | {mesh.across(point): weight for point, weight in one_side.items()}
    fixed |= dict(zip(LOWER_LIP_INNER[1:-1], muscles.LOWER_LIP_INNER_WEIGHT, strict=True))
    fixed |= dict(zip(LOWER_LIP_OUTER[1:-1], muscles.LOWER_LIP_OUTER_WEIGHT, strict=True))
    fixed |= dict.fromkeys(muscles.JAW_FIRM, 1.0)
    linear = harmonic(mesh, fixed)
    eased = linear * linear * (3 - 2 * linear)
    # Half-easing hides the bend along the jaw without flattening the lower lip.
    weight: Float64Array = 0.35 * eased + 0.65 * linear
    return (weight + weight[mesh.mirror]) / 2


def jaw_open_field(mesh: Mesh) -> Float64Array:
    """The jaw turns about the axis through the ears."""
    below, behind = muscles.JAW_AXIS_BELOW_EAR
    axis = mesh.points[[127, 356]].mean(axis=0) - (0.0, below, behind)
    angle = np.deg2rad(muscles.JAW_OPEN_DEG)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    # A positive turn about +x carries the front of the chin down.
    opened = (mesh.points - axis) @ turn.T + axis - mesh.points
    narrowing = lip_field(mesh, lambda _, place: (-muscles.JAW_NARROWING * float(place[0]), 0.0, 0.0), 1.0)
    field: Float64Array = jaw_weight()[:, None] * opened + narrowing
    return field


def _arch(point: int, place: Float64Array) -> float:
    """From a point of the lips' outer edge up or down to the ellipse over the corners: pursed lips lose their bow."""
    upper = point in UPPER_LIP
    if point in INNER_LIP or not (upper or point in LOWER_LIP):
        return 0.0
    height = 0.66 if upper else -0.80
    return LIP_CORNER_Y + height * _ellipse(place) - float(place[1])


def _ellipse(place: Float64Array) -> float:
    return float(np.sqrt(max(0.0, 1 - (place[0] / LIP_CORNER_X) ** 2)))


def _pucker(point: int, place: Float64Array) -> tuple[float, float, float]:
    return -0.46 * float(place[0]), 0.9 * _arch(point, place), 0.75


def _funnel(point: int, place: Float64Array) -> tuple[float, float, float]:
    # An elliptic profile: parted lips form a ring, not a lens.
    lift = 0.25 if point in UPPER_LIP else -0.28 if point in LOWER_LIP else 0.0
    return -0.30 * float(place[0]), lift * _ellipse(place) + 0.5 * _arch(point, place), 0.6


def _roll(mesh: Mesh, lip: frozenset[int], tuck: float) -> LipMotion:
    def motion(point: int, place: Float64Array) -> tuple[float, float, float]:
        if point not in lip:
            return 0.0, 0.0, 0.0
        if point in INNER_LIP:
            return 0.0, tuck, -0.15
        inward = mesh.points[INNER_OF[point]] - place
        return 0.0, 0.6 * float(inward[1]), 0.35 * float(inward[2])

    return motion


def _shrug_upper(point: int, _: Float64Array) -> tuple[float, float, float]:
    return (0.0, 0.22, 0.1) if point in UPPER_LIP else (0.0, 0.0, 0.05)


def _aside(_: int, __: Float64Array) -> tuple[float, float, float]:
    return 0.7, 0.0, 0.0


def linear_names() -> frozenset[str]:
    """Names of the shapes `linear_fields` has."""
    paired = {name + side for name in muscles.PAIRED for side in ("Left", "Right")}
    return frozenset(paired | set(muscles.CENTRAL) | set(_LIP_AND_JAW_NAMES))


def linear_fields() -> dict[str, Float64Array]:
    """Every linear ARKit shape at weight 1.

    Returns:
        name -> float64[468, 3] in units: the 52 shapes less those that are operators (`operators.OPERATORS`).
    """
    mesh = reference_mesh()
    fields: dict[str, Float64Array] = {}
    for name, pulls in muscles.PAIRED.items():
        fields[name + "Left"] = pull_field(mesh, pulls)
        fields[name + "Right"] = mirrored(mesh, fields[name + "Left"])
    for name, pulls in muscles.CENTRAL.items():
        one = pull_field(mesh, pulls)
        fields[name] = (one + mirrored(mesh, one)) / 2
    fields["mouthLeft"] = lip_field(mesh, _aside, 1.5)
    fields["mouthRight"] = mirrored(mesh, fields["mouthLeft"])
    fields["mouthPucker"] = lip_field(mesh, _pucker, 1.3)
    fields["mouthFunnel"] = lip_field(mesh, _funnel, 1.2)
    fields["mouthRollUpper"] = lip_field(mesh, _roll(mesh, UPPER_LIP, -0.03), 0.55)
    fields["mouthRollLower"] = lip_field(mesh, _roll(mesh, LOWER_LIP, 0.08), 0.55)
    fields["mouthShrugUpper"] = lip_field(mesh, _shrug_upper, 0.9)
    weight = jaw_weight()[:, None]
    fields["jawOpen"] = jaw_open_field(mesh)
    fields["jawLeft"] = weight * np.array([0.6, 0.0, 0.0])
    fields["jawRight"] = weight * np.array([-0.6, 0.0, 0.0])
    fields["jawForward"] = weight * np.array([0.0, 0.0, 0.6])
    return fields
