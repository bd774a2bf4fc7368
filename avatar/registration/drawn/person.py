"""A drawn person, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..mesh import SIDES, Float64Array
from .canvas import SUPERSAMPLING, Layer, Mask, blurred
from .clothes import paint_clothes, paint_neck
from .eyes import (
    catchlights,
    cut_to_opening,
    lid_shadow,
    paint_balls,
    paint_brows,
    paint_lashes,
    paint_lids,
    paint_lower_lashes,
)
from .geometry import landmarks
from .hair import paint_back_hair, paint_front_hair
from .lips import paint_lips
from .look import Look
from .scene import paint_scene
from .skin import paint_face, relief_of


@dataclass(frozen=True, slots=True)
class Drawing:
    """Exact layers and exact landmarks of one portrait."""

    points: Float64Array
    """float64[478, 3], canvas pixels."""
    lash_colour: tuple[int, int, int]
    scene: Layer
    back_hair: Layer
    body: Layer
    face: Layer
    """Bare face with the eyes in it, without lashes."""
    lashes: Layer
    front_hair: Layer
    eyeballs: Layer
    """Without lids and without their shadow."""

    def person(self, with_lashes: bool) -> Layer:
        """All but the scene, flattened."""
        flat = self.body.over(self.back_hair)
        flat = self.face.over(flat)
        if with_lashes:
            flat = self.lashes.over(flat)
        return self.front_hair.over(flat)

    def portrait(self) -> Layer:
        """The finished picture."""
        return self.person(with_lashes=True).over(self.scene)


def draw(look: Look) -> Drawing:
    """Draw a person; the same look gives the same picture."""
    points = landmarks(look.shape)
    front = paint_front_hair(look)
    body = Layer.empty()
    paint_neck(look, body)
    paint_clothes(look, body)
    face = paint_face(look, points, relief_of(points))
    paint_lips(look, face, points)
    paint_lids(look, face, points)
    paint_brows(look, face, points)
    balls = paint_balls(look, points)
    catchlights(balls, points, look)
    _open_eyes(face, balls, points)
    paint_lower_lashes(look, face, points)
    lashes = Layer.empty()
    paint_lashes(look, lashes, points)
    _cast(front, face, (3, 7), 7, 0.55)
    _cast(front, body, (4, 10), 9, 0.60)
    return Drawing(
        points, look.palette.lash, paint_scene(look), paint_back_hair(look), body, face, lashes, front, balls
    )


def _open_eyes(face: Layer, balls: Layer, points: Float64Array) -> None:
    shaded = Layer(balls.rgb.copy(), balls.alpha)
    for side in SIDES:
        lid_shadow(shaded, points, side)
    opening = cut_to_opening(points)
    face.fill(opening, shaded.rgb[opening.window])


def _cast(above: Layer, below: Layer, shift_px: tuple[int, int], blur_px: float, strength: float) -> None:
    """The soft shadow one layer throws on another."""
    moved = np.roll(above.alpha, (shift_px[1] * SUPERSAMPLING, shift_px[0] * SUPERSAMPLING), axis=(0, 1))
    below.tint(Mask(0, 0, blurred(moved, blur_px)), (120, 62, 52), strength, "multiply")
