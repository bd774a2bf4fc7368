"""What parted lips show: teeth and tongue as sprites of their own."""

from __future__ import annotations

import numpy as np

from ..mesh import Float64Array
from .canvas import Layer, ellipse, mask_of
from .geometry import spline
from .look import Colour

ENAMEL: Colour = (255, 246, 231)
GUM: Colour = (196, 104, 104)
TONGUE: Colour = (206, 108, 108)
UPPER_WIDTHS = (0.205, 0.160, 0.165, 0.130, 0.105, 0.08)
"""Width of each tooth from the middle outwards, in half arches (foreshortened towards the back)."""
UPPER_HEIGHTS = (1.0, 0.90, 0.97, 0.84, 0.74, 0.62)
LOWER_WIDTHS = (0.145, 0.150, 0.165, 0.150, 0.120, 0.10)
LOWER_HEIGHTS = (0.92, 0.94, 1.0, 0.88, 0.78, 0.66)


def _tooth(x: float, edge: float, width: float, height: float, down: float, corner: float) -> Float64Array:
    """Outline of one tooth: `down` is +1 where the biting edge points down."""
    half = width / 2 - 0.10
    points = [
        (-half * 0.95, -height), (-half, -height * 0.55), (-half, -height * 0.20),
        (-half * (1 - 0.4 * corner), -0.6 * corner), (0, 0.35), (half * (1 - 0.4 * corner), -0.6 * corner),
        (half, -height * 0.20), (half, -height * 0.55), (half * 0.95, -height),
    ]  # fmt: skip
    line = spline(np.array([(x + px, edge + down * py) for px, py in points], np.float64), 8)
    return line


def _arch(
    middle: tuple[float, float],
    width: float,
    height: float,
    down: float,
    sizes: tuple[tuple[float, ...], tuple[float, ...]],
) -> Layer:
    layer = Layer.empty()
    x0, edge = middle
    gum = ellipse(x0, edge - down * height * 1.02, width * 0.5, height * 0.42)
    layer.fill(mask_of(gum, 1.2), GUM, 0.95)
    layer.fill(
        mask_of(ellipse(x0, edge - down * height * 0.56, width * 0.47, height * 0.40), 1.0), (186, 150, 132), 1.0
    )
    for side in (-1.0, 1.0):
        x = 0.0
        for k, (share, tall) in enumerate(zip(*sizes, strict=True)):
            w, h = share * width / 2 / sum(sizes[0]), height * tall
            lift = down * 0.0042 * (x + w / 2) ** 2
            outline = _tooth(x0 + side * (x + w / 2), edge - lift, w, h, down, 0.55 if k else 0.35)
            tooth = mask_of(outline, 0.28)
            fade = 1 - 0.055 * k - 0.020 * k * k
            tone = tuple(int(c * fade * (1, 0.992 - 0.008 * k, 0.985 - 0.02 * k)[j]) for j, c in enumerate(ENAMEL))
            layer.fill(tooth, (tone[0], tone[1], tone[2]))
            centre = x0 + side * (x + w / 2)
            root = ellipse(centre, edge - lift - down * h, w * 0.52, h * 0.38)
            layer.tint(mask_of(root, 2.2).within(tooth), (214, 158, 134), 0.55)
            glow = ellipse(centre - 1.0, edge - lift - down * h * 0.42, w * 0.17, h * 0.25)
            layer.tint(mask_of(glow, 1.3).within(tooth), (255, 255, 255), 0.75 * fade)
            bite = ellipse(centre, edge - lift, w * 0.5, 1.3)
            layer.tint(mask_of(bite, 0.8).within(tooth), (206, 202, 204), 0.45)
            layer.tint(mask_of(outline, 0.5, 0.8, True).within(tooth), (178, 146, 130), 0.34)
            x += w
    return layer


def paint_upper_teeth(middle: tuple[float, float], mouth_width_px: float) -> Layer:
    """The upper row; `middle` is the biting edge between the front teeth."""
    return _arch(middle, mouth_width_px * 0.90, mouth_width_px * 0.205, 1.0, (UPPER_WIDTHS, UPPER_HEIGHTS))


def paint_lower_teeth(middle: tuple[float, float], mouth_width_px: float) -> Layer:
    """The lower row; its biting edge points up."""
    return _arch(middle, mouth_width_px * 0.74, mouth_width_px * 0.165, -1.0, (LOWER_WIDTHS, LOWER_HEIGHTS))


def paint_tongue(middle: tuple[float, float], mouth_width_px: float) -> Layer:
    """The tongue lying low; `middle` is the middle of its back edge."""
    layer = Layer.empty()
    rx, ry = mouth_width_px * 0.355, mouth_width_px * 0.27
    x, y = middle[0], middle[1] + ry
    body = mask_of(ellipse(x, y, rx, ry), 1.4)
    layer.fill(body, TONGUE)
    layer.tint(mask_of(ellipse(x, y + ry * 0.9, rx * 1.1, ry * 0.8), 5).within(body), (120, 48, 56), 0.5)
    layer.tint(mask_of(ellipse(x, y - ry * 0.15, rx * 0.10, ry * 0.75), 2.2).within(body), (150, 64, 70), 0.55)
    for side in (-1, 1):
        sheen = ellipse(x + side * rx * 0.38, y - ry * 0.46, rx * 0.26, ry * 0.18, side * 14)
        layer.tint(mask_of(sheen, 2.6).within(body), (255, 190, 184), 0.55, "screen")
    layer.tint(mask_of(ellipse(x, y, rx, ry), 1.2, 2.2, True).within(body), (130, 54, 60), 0.5)
    return layer
