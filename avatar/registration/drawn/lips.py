"""Closed lips: two soft cushions, lit from above, with a seam that smiles a little."""

from __future__ import annotations

import numpy as np

from ..mesh import LOWER_LIP_OUTER, UPPER_LIP_INNER, UPPER_LIP_OUTER, Float64Array
from .canvas import SUPERSAMPLING, Layer, Mask, mask_of, ramp
from .geometry import along, spline
from .look import Look


def paint_lips(look: Look, layer: Layer, points: Float64Array) -> None:
    """Paint the lips on the skin layer."""
    upper, seam, lower = (
        spline(points[list(line), :2]) for line in (UPPER_LIP_OUTER, _seam_with_corners(), LOWER_LIP_OUTER)
    )
    top = mask_of(np.concatenate([upper, seam[::-1]]), 0.9)
    bottom = mask_of(np.concatenate([seam, lower[::-1]]), 0.9)
    layer.tint(mask_of(lower + (0, 4.5), 3.2, 5.0), (150, 76, 60), 0.30)
    layer.fill(bottom, _cushion(look, bottom, seam, lower, (0.42, 0.62, 0.92, 0.78, 0.46)), 0.86)
    layer.fill(top, _cushion(look, top, upper, seam, (0.56, 0.62, 0.52, 0.34, 0.18)), 0.86)
    _grain(look, layer, bottom, seam, lower)
    layer.tint(mask_of(upper - (0, 0.9), 0.8, 1.2), (255, 224, 206), 0.45)
    middle = seam[len(seam) // 5 : -len(seam) // 5]
    layer.tint(
        mask_of((middle * 0.56 + along_like(lower, middle) * 0.44), 1.9, 2.6).within(bottom), (255, 214, 204), 0.42
    )
    layer.tint(mask_of(seam, 1.5, 2.6), (110, 36, 42), 0.40)
    layer.tint(mask_of(seam, 0.5, 1.25), (84, 24, 30), 0.80)
    for end, sign in ((seam[0], -1), (seam[-1], 1)):
        dimple = end + np.array([[-1.0 * sign, 0.2], [1.5 * sign, -0.6], [3.4 * sign, -2.2]])
        layer.tint(mask_of(spline(dimple, 8), 1.4, 2.6), (130, 60, 50), 0.42)


def _seam_with_corners() -> tuple[int, ...]:
    return (UPPER_LIP_OUTER[0], *UPPER_LIP_INNER, UPPER_LIP_OUTER[-1])


def along_like(line: Float64Array, other: Float64Array) -> Float64Array:
    """The points of a line at the x of another's points."""
    y = np.interp(other[:, 0], line[:, 0], line[:, 1])
    return np.stack([other[:, 0], y], axis=1)


def _cushion(
    look: Look, mask: Mask, top: Float64Array, bottom: Float64Array, profile: tuple[float, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Light by place between two edges, darker towards the corners."""
    rows, columns = mask.cover.shape
    x = (mask.left + np.arange(columns) + 0.5) / SUPERSAMPLING
    y = (mask.top + np.arange(rows) + 0.5) / SUPERSAMPLING
    high, low = np.interp(x, top[:, 0], top[:, 1]), np.interp(x, bottom[:, 0], bottom[:, 1])
    depth = ((y[:, None] - high) / np.maximum(low - high, 1.0)).clip(0, 1)
    light = np.interp(depth, np.linspace(0, 1, len(profile)), profile)
    half = np.ptp(top[:, 0]) / 2
    corner = np.abs(x - top[:, 0].mean()) / half
    light = light * (1 - 0.38 * corner**2.4) + 0.05 * np.exp(-(((x - top[:, 0].mean() + 9) / 22) ** 2))
    return ramp(look.palette.lip, light.astype(np.float32))


def _grain(look: Look, layer: Layer, mask: Mask, seam: Float64Array, lower: Float64Array) -> None:
    """Fine lines across the lower lip."""
    rng = np.random.default_rng(look.seed + 5)
    for t in np.linspace(0.14, 0.86, 34) + rng.normal(0, 0.006, 34):
        a, b = along(seam, np.array([t]))[0], along(lower, np.array([t]))[0]
        start, stop = rng.uniform(0.05, 0.2), rng.uniform(0.45, 0.8)
        fold = np.array([a + (b - a) * start, a + (b - a) * (start + stop) / 2 + (0.4, 0), a + (b - a) * stop])
        layer.tint(mask_of(spline(fold, 5), 0.45, 0.8).within(mask), look.palette.lip[1], 0.16)
