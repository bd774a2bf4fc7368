"""Skin: the relief of the face lit softly, light bleeding through it, colour by zone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..mesh import FACE_OVAL, NUM_POINTS, UPPER_LID, Float64Array
from .canvas import SUPERSAMPLING, Float32Array, Layer, Mask, blurred, ellipse, mask_of, ramp
from .geometry import ThinPlate, spline
from .look import Curve, Look

KEY_LIGHT = (-0.52, -0.50, 0.70)
"""Towards the big soft light: left, up, near."""
FILL_LIGHT = (0.80, -0.05, 0.45)
RELIEF_SMOOTHING = 70.0
MARGIN_PX = 26
SIDES = (-1.0, 1.0)
"""The subject's right and left, as the sign of x."""
NOSE_BASE, NOSE_WINGS = 2, (64, 294)
NOSE_WIDTH_PX = 51.6
NOSTRIL: Curve = ((5.5, -3), (9, -6.5), (14.5, -7.3), (18.5, -4.9), (15, -2.3), (9, -1.3))
NOSE_SHADE, GLOSS = (128, 58, 44), (255, 246, 236)


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
    oval = points[[*FACE_OVAL, FACE_OVAL[0]], :2]
    above = np.clip((300 - oval[:, 1:]) / 150, 0, 1)
    return mask_of(spline(oval + 0.10 * above * (oval - oval[:-1].mean(axis=0))))


@dataclass(frozen=True, slots=True)
class Middle:
    """A frame for what the mesh is too coarse to hold: x from the middle of the face, y from the base of the nose.

    Both count in pixels of a nose NOSE_WIDTH_PX wide and grow with the face's own nose.
    """

    x: float
    y: float
    scale: float

    def __call__(self, points: Curve, side: float = 1.0) -> Float64Array:
        """Places on the canvas of points on the subject's left (side 1) or right (-1)."""
        return np.array(points, np.float64) * (side * self.scale, self.scale) + (self.x, self.y)

    def spot(self, x: float, y: float, rx: float, ry: float, side: float = 1.0, turn_deg: float = 0.0) -> Float64Array:
        """An ellipse, turned outwards."""
        (centre,) = self(((x, y),), side)
        return ellipse(centre[0], centre[1], rx * self.scale, ry * self.scale, side * turn_deg)


def middle_of(points: Float64Array) -> Middle:
    """The frame of a face."""
    left, right = (points[index, 0] for index in NOSE_WINGS)
    return Middle(float(points[NOSE_BASE, 0]), float(points[NOSE_BASE, 1]), float(abs(left - right)) / NOSE_WIDTH_PX)


def paint_face(look: Look, points: Float64Array, relief: Relief) -> Layer:
    """The bare face: shading, blush, sheen, nostrils."""
    layer = Layer.empty()
    mask = face_mask(points)
    light = lit(relief)
    colour = np.zeros((*layer.alpha.shape, 3), np.float32)
    rows, columns = light.shape[:2]
    colour[relief.top : relief.top + rows, relief.left : relief.left + columns] = ramp(look.palette.skin, light)
    layer.fill(mask, colour[mask.window])
    middle = middle_of(points)
    _zones(look, layer, mask, middle)
    _smile(layer, mask, middle)
    _freckles(look, layer, mask, middle)
    layer.tint(Mask(relief.top, relief.left, gloss(relief)).within(mask), GLOSS, 0.26, "screen")
    _nose(layer, mask, middle)
    return layer


def _zones(look: Look, layer: Layer, mask: Mask, middle: Middle) -> None:
    """Colour that no light makes: warm cheeks, nose and chin, shaded sockets."""
    blush = look.palette.blush
    for side in SIDES:
        layer.tint(mask_of(middle.spot(80, -18.5, 34, 22, side, -18), 15).within(mask), blush, 0.31)
        layer.tint(mask_of(middle.spot(58, -99.5, 36, 13, side, -4), 9).within(mask), (196, 112, 92), 0.16)
    layer.tint(mask_of(middle.spot(0, -16.5, 22, 16), 9).within(mask), blush, 0.20)
    layer.tint(mask_of(middle.spot(0, 85.5, 22, 10), 9).within(mask), blush, 0.12)


def _freckles(look: Look, layer: Layer, mask: Mask, middle: Middle) -> None:
    """A few, hardly seen: skin without a mark looks like wax."""
    rng = np.random.default_rng(look.seed + 4)
    for _ in range(64):
        x, y = rng.normal(0, 46), rng.normal(-26.5, 13) + rng.uniform(0, 6)
        spot = middle.spot(x, y - abs(x) * 0.06, rng.uniform(0.5, 1.05), rng.uniform(0.45, 0.9))
        layer.tint(mask_of(spot, 0.5).within(mask), (196, 116, 84), rng.uniform(0.08, 0.20))


def _smile(layer: Layer, mask: Mask, middle: Middle) -> None:
    """What a friendly closed mouth does to the cheeks: round apples, a hint of a fold."""
    for side in SIDES:
        fold = spline(middle(((30, -6.5), (40, 5.5), (49, 17.5), (54, 29.5)), side))
        layer.tint(mask_of(fold, 3.4, 3.0).within(mask), (196, 112, 92), 0.30)
        layer.tint(mask_of(fold + (side * 6, -3), 4.5, 5.0).within(mask), (255, 230, 214), 0.30)
        apple = middle.spot(72, -32.5, 24, 12, side, -24)
        layer.tint(mask_of(apple, 8).within(mask), (255, 240, 226), 0.34 if side < 0 else 0.22, "screen")


def _nose(layer: Layer, mask: Mask, middle: Middle) -> None:
    for side in SIDES:
        nostril = spline(middle(NOSTRIL, side))
        layer.tint(mask_of(nostril, 2.6).within(mask), NOSE_SHADE, 0.50)
        layer.tint(mask_of(nostril, 0.9).within(mask), (84, 32, 28), 0.62)
        wing = spline(middle(((19.5, -24), (24.6, -18), (25.4, -11), (21.5, -4.7)), side))
        layer.tint(mask_of(wing, 2.6, 4.0).within(mask), (214, 120, 96), 0.42 if side > 0 else 0.32, "multiply")
        layer.tint(mask_of(wing, 1.4, 1.6).within(mask), (186, 92, 68), 0.30)
        ala = middle.spot(18, -15.5, 5, 5.5, side)
        layer.tint(mask_of(ala, 2.6).within(mask), (255, 226, 208), 0.30 if side < 0 else 0.16, "screen")
    layer.tint(mask_of(middle.spot(3, 3.5, 20, 5), 4).within(mask), NOSE_SHADE, 0.24)
    layer.tint(mask_of(middle.spot(-4, -21.5, 7, 6), 3.2).within(mask), (255, 250, 244), 0.5, "screen")
    bridge = spline(middle(((-3, -70.5), (-3.5, -51.5), (-4, -34.5))))
    layer.tint(mask_of(bridge, 3, 5).within(mask), GLOSS, 0.26, "screen")
