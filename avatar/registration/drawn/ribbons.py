"""Strands as tapering ribbons whose colour runs along them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import skia

from ..mesh import Float64Array
from .canvas import SUPERSAMPLING, Float32Array, Layer, Mask
from .look import Colour

STEPS = 46
"""Points along a strand."""
FINE = 2
"""Ribbons are drawn this much finer again, since skia's triangles come without soft edges."""
CHUNK = 600
"""Strands a call: skia counts the corners of a call in 16 bits."""


@dataclass(frozen=True, slots=True)
class Strands:
    """A bundle: centre lines, half widths, light and opacity per point."""

    lines: Float64Array
    """float64[n, STEPS, 2]."""
    half_width: Float64Array
    light: Float64Array
    opacity: Float64Array


def normals(lines: Float64Array) -> Float64Array:
    """Unit vectors across each line, at each of its points: float64[n, STEPS, 2]."""
    across = np.gradient(lines, axis=1)[..., ::-1] * (-1, 1)
    unit: Float64Array = across / np.linalg.norm(across, axis=2, keepdims=True).clip(1e-6)
    return unit


def draw_strands(
    layer: Layer, colours: Sequence[Colour], box_px: tuple[int, int, int, int], bundles: Iterable[Strands]
) -> None:
    """Lay bundles over each other, then over the layer.

    Args:
        layer: what is painted on.
        colours: from shadow to sun.
        box_px: left, top, right, bottom of the canvas part they lie in.
        bundles: back to front.
    """
    scale = SUPERSAMPLING * FINE
    x0, y0, x1, y1 = box_px
    surface = skia.Surface((x1 - x0) * scale, (y1 - y0) * scale)
    canvas = surface.getCanvas()
    canvas.scale(scale, scale)
    canvas.translate(-x0, -y0)
    for bundle in bundles:
        _draw_bundle(canvas, colours, bundle)
    pixels = surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType).astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    small = np.asarray(cv2.resize(pixels, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA), np.float32)
    cover: Float32Array = (small[..., 3] / 255).astype(np.float32)
    rgb: Float32Array = (small[..., :3] / np.maximum(cover, 1e-3)[..., None]).clip(0, 255).astype(np.float32)
    layer.fill(Mask(y0 * SUPERSAMPLING, x0 * SUPERSAMPLING, cover), rgb)


def _draw_bundle(canvas: skia.Canvas, colours: Sequence[Colour], bundle: Strands) -> None:
    offset = normals(bundle.lines) * np.broadcast_to(bundle.half_width, bundle.light.shape)[..., None]
    edges = np.stack([bundle.lines - offset, bundle.lines + offset], axis=2)
    tints = _argb(colours, bundle)
    steps = (np.arange(STEPS - 1) * 2)[:, None] + np.array([0, 1, 2, 1, 3, 2])
    paint = skia.Paint(AntiAlias=True)
    for start in range(0, len(edges), CHUNK):
        part = edges[start : start + CHUNK]
        points = [skia.Point(x, y) for x, y in part.reshape(-1, 2).tolist()]
        indices = (np.arange(len(part)) * 2 * STEPS)[:, None, None] + steps
        mesh = skia.Vertices.MakeCopy(
            skia.Vertices.VertexMode.kTriangles_VertexMode,
            points,
            None,
            np.repeat(tints[start : start + CHUNK], 2, axis=1).ravel().tolist(),
            indices.ravel().tolist(),
        )
        canvas.drawVertices(mesh, paint, skia.BlendMode.kDst)


def _argb(colours: Sequence[Colour], bundle: Strands) -> npt.NDArray[np.int64]:
    stops, table = np.linspace(0, 1, len(colours)), np.asarray(colours, np.float64)
    light = bundle.light.clip(0, 1)
    red, green, blue = (np.interp(light, stops, table[:, k]).astype(np.int64) for k in range(3))
    alpha = (bundle.opacity.clip(0, 1) * 255).astype(np.int64)
    argb: npt.NDArray[np.int64] = alpha << 24 | red << 16 | green << 8 | blue
    return argb
