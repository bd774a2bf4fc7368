"""Skin: the relief of the face lit softly, light bleeding through it, colour by zone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..mesh import FACE_OVAL, NUM_POINTS, UPPER_LID, Float64Array
from .canvas import SUPERSAMPLING, Float32Array, Layer, Mask, blurred, ellipse, mask_of, ramp
from .geometry import ThinPlate, spline
from .look import CENTRE_X_PX, Look

KEY_LIGHT = (-0.52, -0.50, 0.70)
"""Towards the big soft light: left, up, near."""
FILL_LIGHT = (0.80, -0.05, 0.45)
RELIEF_SMOOTHING = 70.0
MARGIN_PX = 26


@dataclass(frozen=True, slots=True)
class Relief:
    """Height of the face towards the viewer within a window of the supersampled canvas."""

    top: int
    left: int
    height: Float32Array
    normal: Float32Array
    """float32[h, w, 3]: right, down, towards the viewer."""


def relief_of(points: Float64Array) -> Relief:
    """A smooth surface through the landmarks."""
    face = points[:NUM_POINTS]
    low = np.floor(face[:, :2].min(axis=0) - MARGIN_PX).astype(int)
    high = np.ceil(face[:, :2].max(axis=0) + MARGIN_PX).astype(int)
    oval = face[list(FACE_OVAL)]
    middle = oval[:, :2].mean(axis=0)
    # The head goes on behind the oval: a second ring further out and further back.
    ring = np.column_stack([middle + (oval[:, :2] - middle) * 1.22, oval[:, 2] + 58])
    known = np.concatenate([face, ring])
    # Towards the silhouette the mesh is steep and coarse: there the surface may leave the points.
    extent = np.ptp(oval[:, :2], axis=0) / 2
    edge = np.linalg.norm((known[:, :2] - middle) / extent, axis=1)
    smoothing = RELIEF_SMOOTHING * (1 + 150 * np.clip((edge - 0.62) / 0.3, 0, 1) ** 2)
    surface = ThinPlate.through(known[:, :2], -known[:, 2:3], smoothing)
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    coarse = surface(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape).astype(np.float32)
    coarse = blurred(coarse + _eyeballs(points, x, y), 1.6 / SUPERSAMPLING)
    size = (coarse.shape[1] * SUPERSAMPLING, coarse.shape[0] * SUPERSAMPLING)
    height = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.float32)
    slope_y, slope_x = np.gradient(height, 1 / SUPERSAMPLING)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(height)], axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    top, left = int(low[1]) * SUPERSAMPLING, int(low[0]) * SUPERSAMPLING
    return Relief(top, left, height, normal.astype(np.float32))


def _eyeballs(points: Float64Array, x: Float64Array, y: Float64Array) -> Float32Array:
    """The lids bulge over the balls beneath."""
    bulge = np.zeros(x.shape, np.float32)
    for lid in UPPER_LID.values():
        corners = points[[lid[0], lid[-1]], :2]
        centre, width = corners.mean(axis=0) - (0, 4), np.linalg.norm(corners[0] - corners[1])
        near = ((x - centre[0]) / (0.52 * width)) ** 2 + ((y - centre[1]) / (0.42 * width)) ** 2
        bulge += (7.0 * np.exp(-near)).astype(np.float32)
    return bulge


def _toward(relief: Relief, light: tuple[float, float, float], wrap: float) -> Float32Array:
    direction = np.array(light, np.float32) / np.float32(np.linalg.norm(light))
    facing: Float32Array = np.clip((relief.normal @ direction + wrap) / (1 + wrap), 0, 1)
    return facing


def lit(relief: Relief) -> Float32Array:
    """Light on bare skin, one value per colour channel: red travels further under the skin."""
    key, fill = _toward(relief, KEY_LIGHT, 0.35), _toward(relief, FILL_LIGHT, 0.3)
    sky = 0.5 - 0.5 * relief.normal[..., 1]
    light = 0.12 + 0.56 * key + 0.16 * fill + 0.20 * sky
    for sigma_px, strength in ((5, 0.021), (12, 0.010), (26, 0.005)):
        hollow = blurred(relief.height, sigma_px) - relief.height
        light *= 1 - np.clip(strength * hollow, -0.05, 0.30)
    spread = [blurred(light, sigma_px) for sigma_px in (4.5, 2.2, 1.2)]
    return np.stack([0.75 * s + 0.25 * light for s in spread], axis=2)


def gloss(relief: Relief) -> Float32Array:
    """The soft sheen of the key light: float32[h, w] in [0, 1]."""
    half = np.array(KEY_LIGHT, np.float32)
    half[2] += np.linalg.norm(half)
    facing = np.clip(relief.normal @ (half / np.linalg.norm(half)), 0, 1)
    return (0.6 * facing**18 + 0.4 * facing**60).astype(np.float32)


def face_mask(points: Float64Array) -> Mask:
    """The face with some of the temple and forehead that hair will cover."""
    oval = points[list(FACE_OVAL), :2].copy()
    middle = oval.mean(axis=0)
    above = np.clip((300 - oval[:, 1]) / 150, 0, 1)[:, None]
    return mask_of(
        spline(
            np.concatenate([oval, oval[:1]]) * 1.0
            + np.concatenate([above, above[:1]]) * 0.10 * (np.concatenate([oval, oval[:1]]) - middle)
        )
    )


def paint_face(look: Look, points: Float64Array, relief: Relief) -> Layer:
    """The bare face: shading, blush, sheen, nostrils."""
    layer = Layer.empty()
    mask = face_mask(points)
    light = lit(relief)
    colour = np.zeros((*layer.alpha.shape, 3), np.float32)
    rows, columns = light.shape[:2]
    colour[relief.top : relief.top + rows, relief.left : relief.left + columns] = ramp(look.palette.skin, light)
    layer.fill(mask, colour[mask.window])
    _zones(look, layer, mask)
    window = Mask(relief.top, relief.left, gloss(relief) ** 1.0)
    layer.tint(window.within(mask), (255, 246, 236), 0.26, "screen")
    _nose(look, layer, mask)
    return layer


def _both(x: float, y: float, rx: float, ry: float, turn_deg: float = 0.0) -> list[Float64Array]:
    return [ellipse(CENTRE_X_PX + side * x, y, rx, ry, side * turn_deg) for side in (-1, 1)]


def _zones(look: Look, layer: Layer, mask: Mask) -> None:
    """Colour that no light makes: warm cheeks and nose, a cooler brow and jaw."""
    blush = look.palette.blush
    for shape in _both(80, 338, 34, 22, -18):
        layer.tint(mask_of(shape, 15).within(mask), blush, 0.31)
    layer.tint(mask_of(ellipse(CENTRE_X_PX, 340, 22, 16), 9).within(mask), blush, 0.20)
    layer.tint(mask_of(ellipse(CENTRE_X_PX, 442, 22, 10), 9).within(mask), blush, 0.12)
    for shape in _both(58, 257, 36, 13, -4):
        layer.tint(mask_of(shape, 9).within(mask), (196, 112, 92), 0.16)
    _smile(layer, mask)
    _freckles(look, layer, mask)


def _freckles(look: Look, layer: Layer, mask: Mask) -> None:
    """A few, hardly seen: skin without a mark looks like wax."""
    rng = np.random.default_rng(look.seed + 4)
    for _ in range(64):
        x, y = rng.normal(0, 46), rng.normal(330, 13) + rng.uniform(0, 6)
        spot = ellipse(CENTRE_X_PX + x, y - abs(x) * 0.06, rng.uniform(0.5, 1.05), rng.uniform(0.45, 0.9))
        layer.tint(mask_of(spot, 0.5).within(mask), (196, 116, 84), rng.uniform(0.08, 0.20))


def _smile(layer: Layer, mask: Mask) -> None:
    """What a friendly closed mouth does to the cheeks: round apples, a hint of a fold."""
    for side in (-1, 1):
        fold = spline(np.array([(30, 350), (40, 362), (49, 374), (54, 386)], np.float64)) * (side, 1) + (CENTRE_X_PX, 0)
        layer.tint(mask_of(fold, 3.4, 3.0).within(mask), (196, 112, 92), 0.30)
        layer.tint(mask_of(fold + (side * 6, -3), 4.5, 5.0).within(mask), (255, 230, 214), 0.30)
        apple = ellipse(CENTRE_X_PX + side * 72, 324, 24, 12, side * -24)
        layer.tint(mask_of(apple, 8).within(mask), (255, 240, 226), 0.34 if side < 0 else 0.22, "screen")


def _nose(look: Look, layer: Layer, mask: Mask) -> None:
    shadow = (128, 58, 44)
    for side in (-1, 1):
        nostril = spline(np.array([(5.5, 353.5), (9, 350.0), (14.5, 349.2), (18.5, 351.6), (15, 354.2), (9, 355.2)]))
        nostril = np.column_stack([CENTRE_X_PX + side * nostril[:, 0], nostril[:, 1]])
        layer.tint(mask_of(nostril, 2.6).within(mask), shadow, 0.50)
        layer.tint(mask_of(nostril, 0.9).within(mask), (84, 32, 28), 0.62)
        wing = spline(np.array([(19.5, 332.5), (24.6, 338.5), (25.4, 345.5), (21.5, 351.8)], np.float64))
        wing = np.column_stack([CENTRE_X_PX + side * wing[:, 0], wing[:, 1]])
        layer.tint(mask_of(wing, 2.6, 4.0).within(mask), (214, 120, 96), 0.42 if side > 0 else 0.32, "multiply")
        layer.tint(mask_of(wing, 1.4, 1.6).within(mask), (186, 92, 68), 0.30)
        ala = ellipse(CENTRE_X_PX + side * 18, 341, 5, 5.5)
        layer.tint(mask_of(ala, 2.6).within(mask), (255, 226, 208), 0.30 if side < 0 else 0.16, "screen")
    under = ellipse(CENTRE_X_PX + 3, 360, 20, 5)
    layer.tint(mask_of(under, 4).within(mask), shadow, 0.24)
    layer.tint(mask_of(ellipse(CENTRE_X_PX - 4, 335, 7, 6), 3.2).within(mask), (255, 250, 244), 0.5, "screen")
    layer.tint(
        mask_of(spline(np.array([(637.0, 286), (636.5, 305), (636, 322)])), 3, 5).within(mask),
        (255, 246, 236),
        0.26,
        "screen",
    )
