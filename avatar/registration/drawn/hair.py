"""Hair: thousands of tapering strands, bundled into locks that wave, catch light and end in points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import skia

from ..mesh import Float64Array
from .canvas import SUPERSAMPLING, Layer, Mask, mask_of
from .geometry import along, spline
from .look import CENTRE_X_PX, Curve, Look

STEPS = 30
FINE = 2
"""Strands are drawn this much finer again, since triangles come without soft edges."""
HEAD_PX = (640.0, 250.0, 162.0, 195.0)
"""Centre and half axes of the head the hair lies on."""
BOX_PX = (420, 36, 860, 660)


@dataclass(frozen=True, slots=True)
class Fall:
    """Hair between two lines that run from the parting to the ends; x counted from the middle."""

    outer: Curve
    inner: Curve
    is_right: bool
    """On the picture's right."""

    def grid(self) -> tuple[Float64Array, Float64Array]:
        """Both lines at STEPS equal parts of their length."""
        parts = np.linspace(0, 1, STEPS)
        shift = (CENTRE_X_PX, 0)
        return along(spline(self.outer), parts) + shift, along(spline(self.inner), parts) + shift


RIGHT = Fall(
    outer=((-26, 68), (40, 60), (104, 86), (145, 148), (158, 235), (163, 325), (174, 415), (183, 500), (176, 568),
           (146, 622)),
    inner=((-24, 138), (18, 147), (68, 172), (101, 212), (114, 262), (113, 320), (106, 375), (110, 430), (120, 490),
           (114, 548), (92, 596)),
    is_right=True,
)  # fmt: skip
LEFT = Fall(
    outer=((-26, 68), (-78, 73), (-124, 104), (-151, 164), (-160, 240), (-163, 330), (-173, 415), (-182, 500),
           (-174, 570), (-148, 620)),
    inner=((-24, 138), (-50, 150), (-82, 177), (-104, 220), (-114, 266), (-113, 320), (-105, 378), (-110, 430),
           (-120, 490), (-113, 550), (-92, 592)),
    is_right=False,
)  # fmt: skip
BACK: Curve = (
    (0, 78), (70, 84), (124, 120), (148, 180), (156, 250), (160, 330), (169, 420), (176, 500), (170, 560), (146, 598),
    (112, 594), (84, 580), (66, 560), (0, 540),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strands:
    """A bundle: centre lines, half widths, light and opacity per point."""

    lines: Float64Array
    """float64[n, STEPS, 2]."""
    half_width: Float64Array
    light: Float64Array
    opacity: Float64Array


def _lay(fall: Fall, u: Float64Array, wave: Float64Array) -> Float64Array:
    """Lines at places u (0 outer .. 1 inner) per strand and step, moved across by `wave` pixels."""
    outer, inner = fall.grid()
    lines = outer * (1 - u[..., None]) + inner * u[..., None]
    tangent = np.gradient(lines, axis=1)
    across = tangent[..., ::-1] * (-1, 1)
    across /= np.linalg.norm(across, axis=2, keepdims=True).clip(1e-6)
    lines += across * wave[..., None]
    return lines


def _head_light(lines: Float64Array) -> Float64Array:
    """Light by place on the head, with the ring of sheen around the crown."""
    x0, y0, rx, ry = HEAD_PX
    nx = ((lines[..., 0] - x0) / rx).clip(-1, 1)
    ny = ((lines[..., 1] - y0) / ry).clip(-1, 0.25)
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
    facing = np.clip(-0.50 * nx - 0.52 * ny + 0.62 * nz, 0, 1)
    fade = np.clip((lines[..., 1] - 470) / 170, 0, 1)
    light: Float64Array = 0.16 + 0.40 * facing - 0.08 * fade
    return light


def _sheen(lines: Float64Array, phase: Float64Array) -> Float64Array:
    x0, y0, rx, ry = HEAD_PX
    nx, ny = (lines[..., 0] - x0) / rx, (lines[..., 1] - y0) / ry
    ring = np.exp(-(((np.hypot(nx * 0.72, ny) - 0.72 + 0.05 * np.sin(phase * 3.1)[:, None]) / 0.12) ** 2))
    ring = ring * np.clip(-ny + 0.1, 0, 1)
    low = np.exp(-(((lines[..., 1] - 418 - 26 * np.sin(phase)[:, None]) / 34) ** 2))
    strength = (0.55 + 0.45 * np.sin(phase * 7.3))[:, None]
    left = np.where(lines[..., 0] < CENTRE_X_PX, 1.0, 0.72)
    sheen: Float64Array = (0.52 * ring + 0.24 * low) * strength * left
    return sheen


def _base(fall: Fall, rng: np.random.Generator, count: int) -> Strands:
    """The even mass under the locks."""
    t = np.linspace(0, 1, STEPS)
    u = np.clip(np.linspace(0.0, 1.0, count)[:, None] + rng.normal(0, 0.012, (count, 1)), 0, 1)
    clump = np.sin(u * 23 + 1.3) * 0.5 + np.sin(u * 61 + 0.4) * 0.3
    stop = rng.uniform(0.84, 0.97, (count, 1))
    u = u * np.clip((stop - t) * 40, 0, 1) + u * (1 - np.clip((stop - t) * 40, 0, 1))
    wave = 5.0 * np.sin(2 * np.pi * 1.35 * t + 1.1 * clump + 0.6) * np.clip((t - 0.42) / 0.4, 0, 1)
    lines = _lay(fall, u, np.broadcast_to(wave, (count, STEPS)))
    light = _head_light(lines) + 0.10 * clump + rng.normal(0, 0.035, (count, 1)) + 0.5 * _sheen(lines, u[:, 0] * 40)
    width = np.where(t < stop, 1.5, 1.5 * np.clip(1 - (t - stop) / (1.001 - stop), 0, 1))
    return Strands(lines, width * rng.uniform(0.7, 1.2, (count, 1)), light - 0.10, np.full_like(light, 0.9))


def _lock(fall: Fall, rng: np.random.Generator, centre: float, breadth: float, count: int) -> Strands:
    """One lock: strands around a centre, drawn together to a point at the end."""
    t = np.linspace(0, 1, STEPS)
    s = rng.uniform(-1, 1, (count, 1))
    stop = rng.uniform(0.86, 1.0)
    ends = np.clip(stop - 0.07 * np.abs(s) - rng.uniform(0, 0.05, (count, 1)), 0.2, 1.0)
    gather = np.interp(t, (0, 0.30, 0.70, 0.88, 1.0), (1.0, 1.0, 0.80, 0.50, 0.16))
    phase, turns = rng.uniform(-0.5, 0.5), rng.uniform(1.25, 1.55)
    swing = rng.uniform(6.0, 11.0) * np.clip((t - 0.40) / 0.45, 0, 1)
    wave = swing * np.sin(2 * np.pi * turns * t + phase + 0.5 * s) + rng.normal(0, 0.5, (count, 1))
    at = np.minimum(t, ends)
    u = np.clip(centre + breadth * s * gather, -0.02, 1.03)
    lines = _lay(fall, np.broadcast_to(u, (count, STEPS)).copy(), wave)
    lines = _resampled(lines, at)
    round_light = 0.17 * (1 - s**2) - 0.10 * s * (1 if fall.is_right else -1) - 0.13 * s**4
    turn = 0.10 * np.sin(2 * np.pi * turns * t + phase + 1.2) * np.clip((t - 0.35) / 0.3, 0, 1)
    phases = np.repeat(rng.uniform(0, 6.28), count) + 0.5 * s[:, 0]
    light = _head_light(lines) + round_light + turn + _sheen(lines, phases) + rng.normal(0, 0.04, (count, 1))
    light -= 0.16 * np.clip((0.10 - t) / 0.10, 0, 1)
    taper = np.interp(t, (0, 0.1, 0.75, 1.0), (0.55, 1.0, 1.0, 0.18))
    width = 1.05 * rng.uniform(0.55, 1.25, (count, 1)) * taper
    opacity = np.broadcast_to(np.interp(t, (0, 0.06, 0.9, 1.0), (0.55, 0.8, 0.8, 0.55)), light.shape)
    return Strands(lines, width, light, opacity)


def _resampled(lines: Float64Array, at: Float64Array) -> Float64Array:
    """Each line cut at its own end: `at` are the parts 0..1 its points move to."""
    place = at * (STEPS - 1)
    low = np.clip(place.astype(int), 0, STEPS - 2)
    rest = (place - low)[..., None]
    rows = np.arange(len(lines))[:, None]
    cut: Float64Array = lines[rows, low] * (1 - rest) + lines[rows, low + 1] * rest
    return cut


def _rim(fall: Fall, rng: np.random.Generator, count: int) -> Strands:
    """Light from behind on the outermost strands, and a few that stand off."""
    t = np.linspace(0, 1, STEPS)
    u = np.abs(rng.normal(0, 0.022, (count, 1))) - 0.012
    wave = 5.0 * np.sin(2 * np.pi * 1.35 * t + 1.2 + rng.normal(0, 0.35, (count, 1))) * np.clip((t - 0.42) / 0.4, 0, 1)
    lines = _lay(fall, np.broadcast_to(u, (count, STEPS)).copy(), wave)
    strength = 1.0 if fall.is_right else 0.72
    light = np.full((count, STEPS), 0.62 + 0.36 * strength) + rng.normal(0, 0.08, (count, 1))
    fade = np.interp(t, (0, 0.16, 0.34, 0.62, 1.0), (0.0, 0.25, 0.42, 0.30, 0.0)) * strength
    return Strands(lines, np.full((count, STEPS), 0.62), light, fade * rng.uniform(0.3, 1.0, (count, 1)))


def _draw(layer: Layer, look: Look, bundles: Iterator[Strands]) -> None:
    scale = SUPERSAMPLING * FINE
    x0, y0, x1, y1 = BOX_PX
    surface = skia.Surface((x1 - x0) * scale, (y1 - y0) * scale)
    canvas = surface.getCanvas()
    canvas.scale(scale, scale)
    canvas.translate(-x0, -y0)
    for bundle in bundles:
        _draw_bundle(canvas, look, bundle)
    pixels = surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType).astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    small = cv2.resize(pixels, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA)
    cover = small[..., 3] / 255
    rgb = small[..., :3] / np.maximum(cover, 1e-3)[..., None]
    layer.fill(Mask(y0 * SUPERSAMPLING, x0 * SUPERSAMPLING, cover), np.clip(rgb, 0, 255))


def _draw_bundle(canvas: skia.Canvas, look: Look, bundle: Strands, chunk: int = 800) -> None:
    stops = np.linspace(0, 1, len(look.palette.hair))
    table = np.asarray(look.palette.hair, np.float64)
    tangent = np.gradient(bundle.lines, axis=1)
    across = tangent[..., ::-1] * (-1, 1)
    across /= np.linalg.norm(across, axis=2, keepdims=True).clip(1e-6)
    offset = across * np.broadcast_to(bundle.half_width, bundle.light.shape)[..., None]
    edges = np.stack([bundle.lines - offset, bundle.lines + offset], axis=2)
    light = bundle.light.clip(0, 1)
    channels = [np.interp(light, stops, table[:, k]).astype(np.int64) for k in range(3)]
    alpha = (bundle.opacity.clip(0, 1) * 255).astype(np.int64)
    colours = alpha << 24 | channels[0] << 16 | channels[1] << 8 | channels[2]
    quad = np.array([0, 1, 2, 1, 3, 2])
    paint = skia.Paint(AntiAlias=True)
    for start in range(0, len(edges), chunk):
        part = edges[start : start + chunk]
        points = [skia.Point(x, y) for x, y in part.reshape(-1, 2).tolist()]
        tints = np.repeat(colours[start : start + chunk], 2, axis=1).ravel().tolist()
        steps = (np.arange(STEPS - 1) * 2)[:, None] + quad
        indices = (np.arange(len(part)) * 2 * STEPS)[:, None, None] + steps
        mesh = skia.Vertices.MakeCopy(
            skia.Vertices.VertexMode.kTriangles_VertexMode, points, None, tints, indices.ravel().tolist()
        )
        canvas.drawVertices(mesh, paint, skia.BlendMode.kDst)


def paint_back_hair(look: Look) -> Layer:
    """The dark mass behind neck and shoulders."""
    layer = Layer.empty()
    half = spline(BACK)
    outline = np.concatenate([half, half[::-1] * (-1, 1)]) + (CENTRE_X_PX, 0)
    layer.fill(mask_of(outline, 1.0), look.palette.hair[0])
    rng = np.random.default_rng(look.seed + 31)

    def bundles() -> Iterator[Strands]:
        for sign in (-1, 1):
            fall = Fall(
                tuple((sign * x, y) for x, y in ((10, 80), (110, 110), (150, 220), (160, 400), (172, 520), (150, 606))),
                tuple((sign * x, y) for x, y in ((10, 90), (60, 160), (60, 300), (54, 430), (60, 520), (84, 590))),
                sign > 0,
            )
            for centre in rng.permutation(np.linspace(0.04, 0.96, 13)):
                lock = _lock(fall, rng, float(centre), 0.09, 110)
                depth = 0.26 * np.clip((lock.lines[..., 1] - 300) / 260, 0, 1)
                yield Strands(lock.lines, lock.half_width * 1.4, 0.34 * lock.light + depth * 0.25, lock.opacity)

    _draw(layer, look, bundles())
    return layer


def paint_front_hair(look: Look) -> Layer:
    """What falls over forehead, temples and shoulders."""
    layer = Layer.empty()
    rng = np.random.default_rng(look.seed + 32)

    def bundles() -> Iterator[Strands]:
        for fall in (LEFT, RIGHT):
            yield _base(fall, rng, 620)
            centres = np.linspace(0.03, 0.97, 19) + rng.normal(0, 0.012, 19)
            for centre in rng.permutation(centres):
                yield _lock(fall, rng, float(centre), float(rng.uniform(0.04, 0.075)), 130)
            yield _rim(fall, rng, 70)

    _draw(layer, look, bundles())
    return layer
