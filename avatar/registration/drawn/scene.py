"""The room behind: an office in the evening, far out of focus."""

from __future__ import annotations

import numpy as np

from ..mesh import Float64Array
from .canvas import COLUMNS, ROWS, SUPERSAMPLING, Float32Array, Layer, blurred, ellipse, mask_of
from .look import HEIGHT_PX, WIDTH_PX, Colour, Look


def paint_scene(look: Look) -> Layer:
    """The opaque background."""
    layer = Layer.empty()
    layer.rgb[:] = _wall()
    layer.alpha[:] = 1.0
    _window(layer)
    _shelves(look, layer)
    _plant(look, layer)
    _lights(look, layer)
    layer.rgb[:] *= _vignette()[..., None]
    return layer


def _wall() -> Float32Array:
    x = np.linspace(0, 1, COLUMNS)[None, :, None]
    y = np.linspace(0, 1, ROWS)[:, None, None]
    left, right = np.array([92, 116, 122.0]), np.array([186, 160, 134.0])
    wall = left * (1 - x) + right * x
    wall = wall * (1.05 - 0.24 * y)
    lamp = np.exp(-(((x - 0.80) / 0.26) ** 2 + ((y - 0.26) / 0.42) ** 2))
    wall = wall + lamp * np.array([74, 50, 22.0])
    opaque: Float32Array = wall.astype(np.float32)
    return opaque


def _rect(x: float, y: float, width: float, height: float) -> Float64Array:
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], np.float64)


def _window(layer: Layer) -> None:
    """A tall window on the left with the blue of the evening."""
    for x, width in ((58, 118), (196, 118)):
        layer.tint(mask_of(_rect(x, -40, width, 500), 11), (186, 212, 222), 0.78)
        layer.tint(mask_of(_rect(x, -40, width, 250), 40), (228, 240, 240), 0.6)
        layer.tint(mask_of(_rect(x, 330, width, 120), 30), (96, 120, 126), 0.5)
    layer.tint(mask_of(_rect(-20, 470, 360, 16), 7), (214, 214, 204), 0.35)
    layer.tint(mask_of(_rect(-40, 500, 1400, 260), 34), (58, 62, 64), 0.50)


def _shelves(look: Look, layer: Layer) -> None:
    """Books on boards at the right, only their colours left."""
    rng = np.random.default_rng(look.seed + 21)
    tones: tuple[Colour, ...] = (
        (150, 84, 60),
        (196, 150, 98),
        (92, 108, 104),
        (212, 190, 156),
        (120, 70, 62),
        (74, 88, 96),
    )
    for board in (150, 296, 442):
        layer.tint(mask_of(_rect(930, board - 112, 330, 112), 9), (92, 68, 54), 0.30)
        x = 946.0
        while x < 1230:
            width, height = rng.uniform(13, 27), rng.uniform(66, 100)
            if rng.uniform() < 0.84:
                tone = tones[int(rng.integers(len(tones)))]
                layer.tint(mask_of(_rect(x, board - height, width, height), 6.5), tone, 0.58)
            x += width + rng.uniform(0, 5)
        layer.tint(mask_of(_rect(922, board, 350, 9), 5), (206, 164, 122), 0.60)
        layer.tint(mask_of(_rect(922, board + 10, 350, 16), 8), (64, 46, 38), 0.40)


def _plant(look: Look, layer: Layer) -> None:
    rng = np.random.default_rng(look.seed + 22)
    for _ in range(16):
        turn = rng.uniform(-70, 70)
        reach = rng.uniform(40, 120)
        x = 352 + np.sin(np.deg2rad(turn)) * reach
        y = 470 - np.cos(np.deg2rad(turn)) * reach
        tone = ((64, 98, 78), (96, 130, 92), (52, 80, 70))[int(rng.integers(3))]
        layer.tint(mask_of(ellipse(x, y, 13, 44, turn), 8), tone, 0.60)
    layer.tint(mask_of(_rect(318, 486, 66, 70), 10), (176, 132, 104), 0.5)


def _lights(look: Look, layer: Layer) -> None:
    """Discs of confusion: lamps of the town and of the room."""
    rng = np.random.default_rng(look.seed + 23)
    for _ in range(13):
        x, y, radius = rng.uniform(64, 310), rng.uniform(250, 440), rng.uniform(9, 21)
        tone: Colour = ((255, 214, 150), (255, 236, 206), (255, 190, 120))[int(rng.integers(3))]
        layer.tint(mask_of(ellipse(x, y, radius, radius), 3.0), tone, rng.uniform(0.08, 0.22), "screen")
    for x, y, radius, strength in (
        (1012, 92, 34, 0.34),
        (1150, 212, 26, 0.26),
        (884, 138, 20, 0.2),
        (1216, 384, 30, 0.18),
        (962, 330, 18, 0.16),
        (1090, 372, 22, 0.14),
        (420, 96, 22, 0.12),
        (466, 214, 15, 0.10),
    ):
        disc = ellipse(x, y, radius, radius)
        layer.tint(mask_of(disc, 1.8), (255, 212, 156), strength, "screen")
        layer.tint(mask_of(disc, 0.8, 1.6, True), (255, 232, 196), strength * 0.5, "screen")


def _vignette() -> Float32Array:
    x = (np.arange(COLUMNS) / SUPERSAMPLING - WIDTH_PX / 2) / (WIDTH_PX / 2)
    y = (np.arange(ROWS) / SUPERSAMPLING - HEIGHT_PX / 2) / (HEIGHT_PX / 2)
    fall = 1 - 0.24 * np.clip(x[None] ** 2 * 0.8 + y[:, None] ** 2 * 0.5, 0, 1.2) ** 1.4
    return blurred(fall.astype(np.float32), 4)
