"""Neck, shoulders and what is worn: a blazer over a light blouse, a fine chain."""

from __future__ import annotations

import numpy as np

from ..mesh import Float64Array
from .canvas import COLUMNS, ROWS, SUPERSAMPLING, Float32Array, Layer, Mask, blurred, ellipse, mask_of, ramp
from .geometry import spline
from .look import CENTRE_X_PX, HEIGHT_PX, Curve, Look

NECK: Curve = (
    (60, 380), (59, 430), (58, 468), (60, 500), (68, 524), (88, 543), (122, 560), (150, 590), (0, 720),
)  # fmt: skip
SHOULDER: Curve = (
    (116, 552), (134, 556), (160, 563), (204, 573), (254, 592), (290, 620), (314, 662), (330, 728),
)  # fmt: skip
NECKLINE: Curve = ((132, 540), (94, 554), (60, 594), (28, 634), (0, 662))
"""Edge of the blouse, from the shoulder to the middle."""
COLLAR: Curve = ((116, 552), (110, 566), (106, 580), (101, 600), (80, 640), (26, 730), (0, 760))
"""Front edge of the coat, from the neck down."""


def _symmetric(half: Curve) -> Float64Array:
    right = spline(half)
    left = right[::-1] * (-1, 1)
    return np.concatenate([right, left]) + (CENTRE_X_PX, 0)


def _side(points: Curve, sign: float) -> Float64Array:
    return spline(points) * (sign, 1) + (CENTRE_X_PX, 0)


def _poly(points: Curve, sign: float = 1.0) -> Float64Array:
    return np.array(points, np.float64) * (sign, 1) + (CENTRE_X_PX, 0)


def _column_light(mask: Mask, half_width_px: float, middle_px: float) -> Float32Array:
    """A cylinder lit from the upper left."""
    rows, columns = mask.cover.shape
    x = ((mask.left + np.arange(columns) + 0.5) / SUPERSAMPLING - middle_px) / half_width_px
    turn = np.clip(x, -1, 1)
    facing = np.clip(-0.55 * turn + 0.83 * np.sqrt(1 - turn**2), 0, 1)
    return np.repeat((0.30 + 0.52 * facing)[None], rows, axis=0).astype(np.float32)


def paint_neck(look: Look, layer: Layer) -> None:
    """Neck and the top of the chest, in the shade of the chin."""
    mask = mask_of(_symmetric(NECK), 0.6)
    light = _column_light(mask, 84, CENTRE_X_PX)
    y = (mask.top + np.arange(mask.cover.shape[0]) + 0.5) / SUPERSAMPLING
    chest = np.clip((y - 512) / 50, 0, 1)[:, None]
    light = (light * (1 - chest) + (0.60 + 0.05 * chest) * chest).astype(np.float32)
    chin = mask_of(ellipse(CENTRE_X_PX + 4, 452, 86, 44), 15).full()[mask.window]
    layer.fill(mask, ramp(look.palette.skin, _soften(light * (1 - 0.46 * chin))))
    layer.tint(mask_of(ellipse(CENTRE_X_PX + 3, 446, 66, 34), 6).within(mask), (150, 78, 60), 0.55)
    for sign in (-1, 1):
        tendon = _side(((46, 476), (32, 520), (14, 560), (9, 572)), sign)
        layer.tint(mask_of(tendon, 4.5, 6).within(mask), (190, 112, 88), 0.30 if sign > 0 else 0.18)
        bone = _side(((16, 580), (50, 575), (92, 566), (128, 562)), sign)
        layer.tint(mask_of(bone + (0, 5), 4, 5).within(mask), (186, 108, 84), 0.36)
        layer.tint(mask_of(bone - (0, 2), 3.5, 5).within(mask), (255, 232, 214), 0.34)
    pit = ellipse(CENTRE_X_PX, 577, 9, 8)
    layer.tint(mask_of(pit, 5).within(mask), (180, 100, 78), 0.42)


def _soften(light: Float32Array) -> Float32Array:
    spread = [blurred(light, sigma_px) for sigma_px in (6.0, 3.0, 1.5)]
    return np.stack(spread, axis=2)


def paint_clothes(look: Look, layer: Layer) -> None:
    """Blouse, then blazer, then lapels."""
    right = spline(NECKLINE)
    hem = np.concatenate([right * (-1, 1), right[-2::-1]]) + (CENTRE_X_PX, 0)
    inner = mask_of(np.concatenate([hem, _poly(((190, 740), (-190, 740)))]), 0.5)
    layer.tint(mask_of(hem - (0, 3), 4.0, 5.0), (146, 78, 60), 0.40)
    layer.fill(inner, _cloth(look.palette.blouse, inner, 0.72))
    layer.tint(mask_of(hem + (0, 4), 1.0, 1.2).within(inner), (176, 156, 142), 0.55)
    layer.fill(mask_of(hem, 0.5, 1.6), (250, 243, 236), 0.9)
    for sign, reach in ((-1, 20), (1, -14), (1, 34), (-1, -30)):
        fold = _poly(((reach, 668), (reach + sign * 8, 700), (reach + sign * 4, 730)))
        layer.tint(mask_of(fold, 4, 5).within(inner), (188, 168, 154), 0.5)
    _blazer(look, layer)
    _chain(layer)


def _blazer(look: Look, layer: Layer) -> None:
    for sign in (-1, 1):
        outer = _side(SHOULDER, sign)
        front = _side(COLLAR, sign)[::-1]
        body = np.concatenate([outer, _poly(((345, 790),), sign), front])
        mask = mask_of(body, 0.5)
        layer.tint(mask_of(front + (-sign * 6, 5), 6, 10), (60, 44, 44), 0.30)
        layer.fill(mask, _cloth(look.palette.coat, mask, 0.60 if sign < 0 else 0.42, sign))
        sleeve = _side(((226, 740), (228, 700), (240, 655), (258, 612)), sign)
        layer.tint(mask_of(sleeve, 8, 10).within(mask), (8, 22, 28), 0.55)
        layer.tint(mask_of(sleeve + (sign * 15, 0), 10, 12).within(mask), (110, 160, 166), 0.18)
        for fold in (
            ((170, 590), (190, 640), (198, 710)),
            ((140, 650), (172, 690), (182, 740)),
            ((276, 640), (268, 690), (272, 740)),
        ):
            layer.tint(mask_of(_side(fold, sign), 8, 8).within(mask), (8, 22, 28), 0.34)
        rim = (255, 210, 160) if sign > 0 else (170, 206, 214)
        layer.tint(mask_of(outer, 3.0, 5.0).within(mask), rim, 0.40, "screen")
        layer.tint(mask_of(outer, 0.7, 1.6).within(mask), rim, 0.38, "screen")
        _lapel(look, layer, mask, sign)


def _lapel(look: Look, layer: Layer, coat: Mask, sign: float) -> None:
    edge: Curve = (
        (118, 551),
        (130, 560),
        (144, 586),
        (158, 610),
        (140, 620),
        (150, 634),
        (118, 690),
        (74, 750),
        (34, 790),
        (0, 790),
    )
    inner: Curve = ((0, 770), (26, 732), (60, 676), (84, 632), (101, 600), (106, 580), (110, 566), (118, 551))
    shape = np.concatenate([_poly(edge, sign), _side(inner, sign)])
    lapel = mask_of(shape, 0.5)
    layer.tint(mask_of(shape + (sign * 5, 5), 5).within(coat), (6, 16, 22), 0.62)
    layer.fill(lapel, _cloth(look.palette.coat, lapel, 0.84 if sign < 0 else 0.62, sign))
    layer.tint(mask_of(_poly(edge[:8], sign), 0.8, 1.3).within(lapel), (150, 196, 200), 0.40)
    seam = _poly(((108, 582), (124, 604), (140, 620)), sign)
    layer.tint(mask_of(seam, 0.6, 1.1).within(lapel), (8, 20, 26), 0.65)
    layer.tint(mask_of(_side(inner, sign), 3.0, 5.0).within(lapel), (6, 18, 24), 0.45)


def _cloth(colours: tuple[tuple[int, int, int], ...], mask: Mask, light: float, sign: float = 0.0) -> Float32Array:
    """Fabric darker towards the bottom and away from the light, with a fine weave."""
    rows, columns = mask.cover.shape
    y = (mask.top + np.arange(rows)[:, None]) / SUPERSAMPLING
    x = (mask.left + np.arange(columns)[None]) / SUPERSAMPLING
    value = light - 0.34 * np.clip((y - 560) / (HEIGHT_PX - 540), 0, 1) - sign * 0.0005 * (x - CENTRE_X_PX)
    weave = np.random.default_rng(rows * 31 + columns).normal(0, 0.022, (ROWS, COLUMNS))[:rows, :columns]
    return ramp(colours, np.clip(value + weave, 0, 1).astype(np.float32))


def _chain(layer: Layer) -> None:
    line = spline(
        np.array(
            [(-71, 524), (-60, 548), (-40, 578), (-17, 600), (0, 608), (17, 600), (40, 578), (60, 548), (71, 524)],
            np.float64,
        )
    )
    line = line + (CENTRE_X_PX, 0)
    layer.tint(mask_of(line + (0.8, 1.8), 1.2, 1.6), (140, 74, 54), 0.40)
    layer.tint(mask_of(line, 0.3, 1.1), (214, 170, 98), 0.95)
    drop = ellipse(CENTRE_X_PX, 612, 3.4, 3.9)
    layer.tint(mask_of(drop + (1, 2), 1.5), (140, 74, 54), 0.45)
    layer.fill(mask_of(drop, 0.4), (222, 178, 104))
    layer.tint(mask_of(ellipse(CENTRE_X_PX - 1.1, 610.6, 1.2, 1.3), 0.4), (255, 246, 214), 0.95)
