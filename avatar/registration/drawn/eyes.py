"""Eyes: balls with depth, lids that shade them, lashes and brows hair by hair."""

from __future__ import annotations

import numpy as np

from ..mesh import BROW, IRIS, LOWER_LID, SIDES, UPPER_LID, Float64Array
from .canvas import Layer, Mask, ellipse, mask_of
from .geometry import along, crease_above, spline
from .look import Look

SIGN = {"Right": -1.0, "Left": 1.0}


def lid_curves(points: Float64Array, side: str) -> tuple[Float64Array, Float64Array]:
    """Upper and lower lid edge, outer to inner corner: float64[n, 2] each."""
    return spline(points[list(UPPER_LID[side]), :2]), spline(points[list(LOWER_LID[side]), :2])


def opening(points: Float64Array, side: str) -> Float64Array:
    """The outline of the open eye."""
    upper, lower = lid_curves(points, side)
    return np.concatenate([upper, lower[::-1]])


def paint_balls(look: Look, points: Float64Array) -> Layer:
    """The eyeballs without lids, wide enough for the eye to look anywhere."""
    layer = Layer.empty()
    for side in SIDES:
        outline = opening(points, side)
        centre, (half_width, half_height) = outline.mean(axis=0), np.ptp(outline, axis=0) / 2
        ball = mask_of(ellipse(centre[0], centre[1], half_width + 26, half_height + 26))
        layer.fill(ball, (246, 240, 236))
        # The ball turns away from the light at its corners.
        for x, strength in ((-1, 0.55), (1, 0.55)):
            corner = ellipse(centre[0] + x * (half_width + 2), centre[1], half_width * 0.46, half_height * 1.6)
            layer.tint(mask_of(corner, 6).within(ball), (188, 152, 144), strength)
        inner = points[UPPER_LID[side][-1], :2]
        layer.tint(mask_of(ellipse(inner[0] + SIGN[side] * 2.5, inner[1] - 0.5, 4.2, 3.2), 1.3), (222, 142, 132), 0.75)
        _iris(look, layer, points[IRIS[side][0], :2], side)
    return layer


def _iris(look: Look, layer: Layer, centre: Float64Array, side: str) -> None:
    rng = np.random.default_rng(look.seed + int(SIGN[side]))
    x, y = centre
    r = look.shape.iris_radius_px
    rim, ring, body, glow = look.palette.iris
    disc = mask_of(ellipse(x, y, r, r), 0.35)
    layer.fill(disc, rim)
    layer.tint(mask_of(ellipse(x, y, r * 0.93, r * 0.93), 0.8).within(disc), ring, 1.0)
    layer.tint(mask_of(ellipse(x, y + 0.6, r * 0.78, r * 0.78), 1.6).within(disc), body, 0.95)
    # Light enters above and lights the far side of the iris.
    layer.tint(mask_of(ellipse(x + 1, y + r * 0.42, r * 0.60, r * 0.42), 2.2).within(disc), glow, 0.85)
    angles = np.linspace(0, 2 * np.pi, 84, endpoint=False) + rng.uniform(-0.03, 0.03, 84)
    for k, angle in enumerate(angles):
        start, stop = rng.uniform(0.42, 0.52), rng.uniform(0.72, 0.94)
        ray = np.array([(x + np.cos(angle) * r * q, y + np.sin(angle) * r * q) for q in (start, stop)])
        layer.tint(mask_of(ray, 0.25, 0.55).within(disc), (glow, ring, (236, 190, 120))[k % 3], 0.34)
    layer.tint(mask_of(ellipse(x, y, r * 0.46, r * 0.46), 0.5), (14, 9, 9), 1.0)
    layer.tint(mask_of(ellipse(x, y - r * 0.62, r * 1.02, r * 0.52), 2.0).within(disc), (16, 9, 8), 0.55)


def catchlights(layer: Layer, points: Float64Array, look: Look) -> None:
    """The window in the eye: one big light up left, one small below right."""
    r = look.shape.iris_radius_px
    for side in SIDES:
        x, y = points[IRIS[side][0], :2]
        layer.tint(mask_of(ellipse(x - 0.30 * r, y - 0.36 * r, 0.27 * r, 0.24 * r, -20), 0.35), (255, 255, 255), 0.97)
        layer.tint(mask_of(ellipse(x + 0.34 * r, y + 0.38 * r, 0.13 * r, 0.11 * r), 0.4), (255, 246, 232), 0.75)
        layer.tint(mask_of(ellipse(x + 0.1 * r, y + 0.62 * r, 0.42 * r, 0.12 * r), 0.9), (255, 226, 190), 0.30)


def lid_shadow(layer: Layer, points: Float64Array, side: str) -> None:
    """What the upper lid and its lashes throw on the ball."""
    upper, _ = lid_curves(points, side)
    inside = mask_of(opening(points, side), 0.3)
    layer.tint(mask_of(upper + (0, 0.5), 2.6, 6.5).within(inside), (74, 44, 44), 0.62)
    layer.tint(mask_of(upper + (0, 0.2), 1.0, 2.6).within(inside), (48, 26, 24), 0.7)


def paint_lids(look: Look, layer: Layer, points: Float64Array) -> None:
    """Crease, waterline and the fold under the eye on the skin layer."""
    for side in SIDES:
        sign = SIGN[side]
        upper, lower = lid_curves(points, side)
        crease = crease_above(upper, sign)
        layer.tint(mask_of(np.concatenate([upper, crease[::-1]]), 1.6), (206, 128, 104), 0.42)
        layer.tint(mask_of(crease, 0.9, 1.7), (134, 66, 50), 0.62)
        layer.tint(mask_of(crease - (0, 1.8), 2.2, 3.0), (168, 92, 72), 0.34)
        sheen = upper * 0.5 + crease * 0.5
        layer.tint(mask_of(sheen[len(sheen) // 4 : -len(sheen) // 4], 1.5, 1.8), (255, 226, 206), 0.45)
        layer.tint(mask_of(lower + (0, 0.9), 0.5, 1.7), (250, 206, 190), 0.85)
        layer.tint(mask_of(lower + (0, 2.3), 0.9, 1.2), (170, 92, 76), 0.42)
        pouch = lower[len(lower) // 8 : -len(lower) // 8] + (0, 7.5)
        layer.tint(mask_of(pouch, 1.8, 1.8), (186, 108, 88), 0.36)
        layer.tint(mask_of(lower + (0, 4.5), 1.4, 2.2), (255, 228, 210), 0.26)


def paint_lower_lashes(look: Look, layer: Layer, points: Float64Array) -> None:
    """The thin dark edge of the lower lid and its few short lashes, on the skin layer."""
    rng = np.random.default_rng(look.seed + 8)
    for side in SIDES:
        sign = SIGN[side]
        _, lower = lid_curves(points, side)
        layer.tint(mask_of(lower[: int(len(lower) * 0.62)] + (0, 0.9), 0.5, 0.9), (96, 54, 44), 0.50)
        for t in np.linspace(0.05, 0.55, 9) + rng.uniform(-0.02, 0.02, 9):
            root = along(lower, np.array([t]))[0] + (0, 1.0)
            tip = root + 2.8 * np.array([sign * np.interp(t, (0, 0.6), (0.8, 0.2)), 0.8])
            stroke = _tapered(np.array([root, (root + tip) / 2 + (0, 0.4), tip]), 0.6)
            layer.tint(mask_of(stroke, 0.25), look.palette.lash, 0.30)


def paint_lashes(look: Look, layer: Layer, points: Float64Array) -> None:
    """The dark edge of the upper lid, thickening outwards, and single lashes, longest at the outer third."""
    rng = np.random.default_rng(look.seed + 7)
    for side in SIDES:
        sign = SIGN[side]
        upper, _ = lid_curves(points, side)
        width = np.interp(np.linspace(0, 1, len(upper)), (0, 0.10, 0.45, 0.9, 1), (2.0, 3.1, 2.5, 1.2, 0.5))
        flick = np.array([[sign * 3.2, -2.4]]) + upper[:1]
        edge = np.concatenate([flick, upper - np.stack([0 * width, width], axis=1)])
        layer.fill(mask_of(np.concatenate([edge, upper[::-1] + (0, 0.5)]), 0.45), look.palette.lash, 0.95)
        for t in np.linspace(0.0, 0.84, 21) + rng.uniform(-0.012, 0.012, 21):
            root = along(upper, np.array([max(t, 0.0)]))[0] - (0, 1.2)
            size = np.interp(t, (0, 0.16, 0.5, 1), (7.6, 8.8, 6.4, 3.0)) * rng.uniform(0.78, 1.12)
            lean = np.interp(t, (0, 0.35, 0.75, 1), (1.12, 0.62, 0.10, -0.3)) + rng.normal(0, 0.13)
            tip = root + size * np.array([sign * np.sin(lean), -np.cos(lean)])
            bow = (root + tip) / 2 + size * 0.17 * np.array([sign, 0.55])
            layer.fill(mask_of(_tapered(np.array([root, bow, tip]), 1.15), 0.25), look.palette.lash, 0.78)


def _tapered(points: Float64Array, width_px: float) -> Float64Array:
    line = spline(points, 6)
    across = np.gradient(line, axis=0)[:, ::-1] * (-1, 1)
    across /= np.linalg.norm(across, axis=1, keepdims=True).clip(1e-6)
    half = 0.5 * width_px * np.linspace(1, 0.12, len(line))[:, None] * across
    return np.concatenate([line + half, (line - half)[::-1]])


def paint_brows(look: Look, layer: Layer, points: Float64Array) -> None:
    """Soft body first, then hairs that rise at the nose and lie down outwards."""
    rng = np.random.default_rng(look.seed + 3)
    for side in SIDES:
        sign = SIGN[side]
        upper, lower = (spline(points[list(edge), :2]) for edge in BROW[side])
        body = np.concatenate([upper, lower[::-1]])
        layer.tint(mask_of(body, 2.4), look.palette.brow, 0.40)
        layer.tint(mask_of(body[len(body) // 14 : -len(body) // 14], 1.0), look.palette.brow, 0.34)
        for _ in range(190):
            t, across = rng.uniform(0.0, 0.98), rng.uniform(0.02, 0.98)
            root = along(upper, np.array([t]))[0] * (1 - across) + along(lower, np.array([t]))[0] * across
            rise = np.deg2rad(np.interp(t, (0, 0.2, 0.6, 1), (80, 46, 12, -26)) + rng.normal(0, 8))
            rise -= np.deg2rad(34) * (0.5 - across) * min(1.0, t * 2)
            size = rng.uniform(5, 8.5) * np.interp(t, (0, 0.15, 0.7, 1), (0.7, 1, 1, 0.7))
            tip = root + size * np.array([sign * np.cos(rise), -np.sin(rise)])
            bow = (root + tip) / 2 + (0, -0.5)
            tone = tuple(int(c * rng.uniform(0.8, 1.15)) for c in look.palette.brow)
            layer.tint(mask_of(_tapered(np.array([root, bow, tip]), 0.95), 0.3), (tone[0], tone[1], tone[2]), 0.40)


def cut_to_opening(points: Float64Array) -> Mask:
    """Both eye openings."""
    return mask_of([opening(points, side) for side in SIDES], 0.4)
