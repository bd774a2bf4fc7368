"""Layers of straight colour and alpha at twice the canvas size, painted through soft masks.

Shapes and their edges are drawn by skia; colour is mixed here in numpy, so that light can be computed
per pixel. All coordinates are canvas pixels (1280x720).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
import skia

from ..mesh import Float64Array
from .look import HEIGHT_PX, WIDTH_PX, Colour

SUPERSAMPLING = 2
ROWS, COLUMNS = HEIGHT_PX * SUPERSAMPLING, WIDTH_PX * SUPERSAMPLING
Float32Array = npt.NDArray[np.float32]
Mode = Literal["normal", "multiply", "screen"]


@dataclass(frozen=True, slots=True)
class Mask:
    """Coverage 0..1 within a window of the supersampled canvas."""

    top: int
    left: int
    cover: Float32Array

    @property
    def window(self) -> tuple[slice, slice]:
        rows, columns = self.cover.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)

    def within(self, other: Mask) -> Mask:
        """This mask cut to another."""
        full = np.zeros((ROWS, COLUMNS), np.float32)
        full[other.window] = other.cover
        return Mask(self.top, self.left, self.cover * full[self.window])

    def full(self) -> Float32Array:
        """float32[ROWS, COLUMNS]."""
        whole = np.zeros((ROWS, COLUMNS), np.float32)
        whole[self.window] = self.cover
        return whole


def path_of(points: Float64Array, closed: bool = True) -> skia.Path:
    """A skia path through points float[n, 2]."""
    return skia.Path.Polygon([skia.Point(float(x), float(y)) for x, y in points], closed)


def mask_of(
    points: Float64Array | Sequence[Float64Array],
    blur_px: float = 0.0,
    stroke_px: float = 0.0,
    closed: bool | None = None,
) -> Mask:
    """Coverage of one polygon or several.

    Args:
        points: float[n, 2], or a sequence of such.
        blur_px: standard deviation of the edge's softness.
        stroke_px: width of a line along the points; 0 fills them.
        closed: whether the last point joins the first; by default only filled shapes do.
    """
    shapes = [points] if isinstance(points, np.ndarray) else list(points)
    stacked = np.concatenate(shapes)
    margin = 3 * blur_px + stroke_px + 2
    low = np.floor((stacked.min(axis=0) - margin) * SUPERSAMPLING).astype(int).clip(0, (COLUMNS - 1, ROWS - 1))
    high = np.ceil((stacked.max(axis=0) + margin) * SUPERSAMPLING).astype(int).clip(low + 1, (COLUMNS, ROWS))
    columns, rows = (int(n) for n in high - low)
    pixels = np.zeros((rows, columns), np.uint8)
    surface = skia.Surface.MakeRasterDirect(
        skia.ImageInfo.Make(columns, rows, skia.kAlpha_8_ColorType, skia.kPremul_AlphaType), pixels
    )
    canvas = surface.getCanvas()
    canvas.translate(float(-low[0]), float(-low[1]))
    canvas.scale(SUPERSAMPLING, SUPERSAMPLING)
    paint = skia.Paint(AntiAlias=True, Color=skia.ColorWHITE)
    if stroke_px:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(stroke_px)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    if blur_px:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur_px))
    for shape in shapes:
        canvas.drawPath(path_of(shape, not stroke_px if closed is None else closed), paint)
    surface.flushAndSubmit()
    return Mask(int(low[1]), int(low[0]), pixels.astype(np.float32) / np.float32(255))


def ellipse(x: float, y: float, rx: float, ry: float, turn_deg: float = 0.0) -> Float64Array:
    """float64[64, 2] around an ellipse."""
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    u, v = rx * np.cos(t), ry * np.sin(t)
    return np.stack([x + c * u - s * v, y + s * u + c * v], axis=1)


@dataclass(frozen=True, slots=True)
class Layer:
    """Straight colour float32[ROWS, COLUMNS, 3] (0..255) and coverage float32[ROWS, COLUMNS]."""

    rgb: Float32Array
    alpha: Float32Array

    @classmethod
    def empty(cls) -> Layer:
        return cls(np.zeros((ROWS, COLUMNS, 3), np.float32), np.zeros((ROWS, COLUMNS), np.float32))

    def fill(self, mask: Mask, colour: Colour | Float32Array, opacity: float = 1.0) -> None:
        """Lay colour over the layer. A colour array has the shape of the mask's window."""
        rows, columns = mask.window
        cover = mask.cover * opacity
        under = self.alpha[rows, columns] * (1 - cover)
        total = cover + under
        share = np.divide(cover, total, out=np.zeros_like(cover), where=total > 1e-6)[..., None]
        self.rgb[rows, columns] += (np.asarray(colour, np.float32) - self.rgb[rows, columns]) * share
        self.alpha[rows, columns] = total

    def tint(self, mask: Mask, colour: Colour, opacity: float, mode: Mode = "normal") -> None:
        """Colour what the layer already covers; its coverage stays."""
        rows, columns = mask.window
        share = (mask.cover * opacity)[..., None]
        under = self.rgb[rows, columns]
        ink = np.asarray(colour, np.float32)
        if mode == "multiply":
            mixed = under * ink / 255
        elif mode == "screen":
            mixed = 255 - (255 - under) * (255 - ink) / 255
        else:
            mixed = np.broadcast_to(ink, under.shape)
        self.rgb[rows, columns] += (mixed - under) * share

    def over(self, below: Layer) -> Layer:
        """This layer on top of another."""
        under = below.alpha * (1 - self.alpha)
        total = self.alpha + under
        share = np.divide(self.alpha, total, out=np.zeros_like(total), where=total > 1e-6)[..., None]
        return Layer(below.rgb + (self.rgb - below.rgb) * share, total)

    def shrunk(self) -> npt.NDArray[np.uint8]:
        """Box-filtered to the canvas size: uint8[720, 1280, 4], straight alpha."""
        premultiplied = np.concatenate([self.rgb * self.alpha[..., None], self.alpha[..., None] * 255], axis=2)
        n = SUPERSAMPLING
        small = premultiplied.reshape(HEIGHT_PX, n, WIDTH_PX, n, 4).mean(axis=(1, 3))
        small[..., :3] /= np.maximum(small[..., 3:] / 255, 1e-4)
        pixels: npt.NDArray[np.uint8] = np.clip(small + 0.5, 0, 255).astype(np.uint8)
        return pixels


def blurred(values: Float32Array, sigma_px: float) -> Float32Array:
    """A Gaussian blur; sigma in canvas pixels."""
    soft = cv2.GaussianBlur(values, (0, 0), sigma_px * SUPERSAMPLING)
    return np.asarray(soft, np.float32)


def ramp(colours: Sequence[Colour], light: Float32Array) -> Float32Array:
    """Colour by light 0..1 along evenly spaced stops; light may carry one channel each for r, g, b."""
    stops = np.linspace(0, 1, len(colours))
    table = np.asarray(colours, np.float64)
    channels = [light[..., k] if light.ndim == 3 else light for k in range(3)]
    mixed = np.stack([np.interp(channel, stops, table[:, k]) for k, channel in enumerate(channels)], axis=-1)
    return mixed.astype(np.float32)
