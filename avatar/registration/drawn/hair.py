"""Hair: thousands of tapering strands, bundled into locks that wave, catch light and end in points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..mesh import Float64Array
from .canvas import Layer, mask_of
from .geometry import along, spline
from .look import CENTRE_X_PX, Fall, Look
from .ribbons import STEPS, Strands, draw_strands, normals

HEAD_PX = (640.0, 250.0, 162.0, 195.0)
"""Centre and half axes of the head the hair lies on."""
BOX_PX = (420, 36, 860, 660)


def _grid(fall: Fall) -> tuple[Float64Array, Float64Array]:
    """Outer and inner line of a fall at STEPS equal parts of their length: float64[STEPS, 2] each."""
    parts, shift = np.linspace(0, 1, STEPS), (CENTRE_X_PX, 0)
    return along(spline(fall.outer), parts) + shift, along(spline(fall.inner), parts) + shift


def _lay(fall: Fall, u: Float64Array, wave: Float64Array) -> Float64Array:
    """Lines at places u (0 outer .. 1 inner) per strand and step, moved across by `wave` pixels."""
    outer, inner = _grid(fall)
    lines = outer * (1 - u[..., None]) + inner * u[..., None]
    laid: Float64Array = lines + normals(lines) * wave[..., None]
    return laid


def _head_light(lines: Float64Array) -> Float64Array:
    """Light by place on the head: a ball above, falling cloth below."""
    x0, y0, rx, ry = HEAD_PX
    nx = ((lines[..., 0] - x0) / rx).clip(-1, 1)
    ny = ((lines[..., 1] - y0) / ry).clip(-1, 0.2)
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
    facing = np.clip(-0.50 * nx - 0.50 * ny + 0.58 * nz, 0, 1)
    fade = np.clip((lines[..., 1] - 440) / 190, 0, 1)
    light: Float64Array = 0.17 + 0.34 * facing**1.2 - 0.07 * fade
    return light


def _sheen(lines: Float64Array, phase: Float64Array) -> Float64Array:
    """A soft ring around the crown and a glow on the lower waves; `phase` breaks them up per strand."""
    x0, y0, rx, ry = HEAD_PX
    nx, ny = (lines[..., 0] - x0) / rx, (lines[..., 1] - y0) / ry
    wander = 0.035 * np.sin(phase * 3.1)[:, None]
    ring = np.exp(-(((np.hypot(nx * 0.80, ny) - 0.70 + wander) / 0.13) ** 2)) * np.clip(-ny * 1.6, 0, 1)
    low = np.exp(-(((lines[..., 1] - 446 - 20 * np.sin(phase)[:, None]) / 36) ** 2))
    strength = (0.66 + 0.34 * np.sin(phase * 7.3))[:, None]
    side = np.where(lines[..., 0] < CENTRE_X_PX, 1.0, 0.78)
    # The ring starts away from the parting, where hair still stands up.
    away = np.clip((np.linspace(0, 1, STEPS) - 0.03) / 0.12, 0, 1)
    sheen: Float64Array = (0.40 * ring * away + 0.20 * low) * strength * side
    return sheen


def _occlusion(t: Float64Array, u: Float64Array) -> Float64Array:
    """Darker at the parting, and where the hair turns in behind the jaw."""
    root = 0.30 * np.clip((0.11 - t) / 0.11, 0, 1) ** 1.5
    inside = 0.09 * np.clip((u - 0.55) / 0.45, 0, 1) * np.clip((t - 0.52) / 0.12, 0, 1)
    ends = -0.05 * np.clip((t - 0.8) / 0.2, 0, 1)
    occlusion: Float64Array = root + inside + ends
    return occlusion


def _base(fall: Fall, rng: np.random.Generator, count: int) -> Strands:
    """The even mass under the locks."""
    t = np.linspace(0, 1, STEPS)
    u = np.clip(np.linspace(0.0, 1.0, count)[:, None] + rng.normal(0, 0.014, (count, 1)), 0, 1)
    clump = 0.6 * np.sin(u * 19 + 1.3) + 0.4 * np.sin(u * 47 + 0.4)
    wave = 8.0 * np.sin(2 * np.pi * 1.75 * t + 3.2 * u) * np.clip((t - 0.44) / 0.30, 0, 1)
    lines = _lay(fall, np.broadcast_to(u, (count, STEPS)), np.broadcast_to(wave, (count, STEPS)))
    lines = _parted(fall, rng, _resampled(lines, np.minimum(t, rng.uniform(0.80, 0.93, (count, 1)))))
    light = _head_light(lines) + 0.045 * clump + rng.normal(0, 0.035, (count, 1))
    light += 0.6 * _sheen(lines, u[:, 0] * 9) - _occlusion(t, u) - 0.05
    width = np.interp(t, (0, 0.85, 1.0), (1.6, 1.6, 0.2)) * rng.uniform(0.8, 1.2, (count, 1))
    return Strands(lines, width, light, np.full_like(light, 0.92))


def _lock(fall: Fall, rng: np.random.Generator, centre: float, breadth: float, count: int) -> Strands:
    """One lock: strands around a centre, drawn together to a point at the end."""
    t = np.linspace(0, 1, STEPS)
    s = rng.normal(0, 0.48, (count, 1)).clip(-1.25, 1.25)
    ends = np.clip(rng.uniform(0.90, 1.0) - 0.06 * np.abs(s) - rng.exponential(0.025, (count, 1)), 0.3, 1.0)
    gather = np.interp(t, (0, 0.30, 0.62, 0.85, 1.0), (1.0, 1.1, 0.95, 0.60, 0.14))
    # Neighbours wave nearly together: locks lie in each other.
    phase, turns = 3.2 * centre + rng.normal(0, 0.35), rng.uniform(1.65, 1.85)
    swing = rng.uniform(7.0, 11.5) * np.clip((t - 0.44) / 0.30, 0, 1)
    wave = swing * np.sin(2 * np.pi * turns * t + phase + 0.35 * s)
    wave = wave + rng.normal(0, 1.0, (count, 1)) * t + rng.normal(0, 0.4, (count, 1))
    u = np.clip(centre + breadth * s * gather, -0.03, 1.03)
    lines = _parted(fall, rng, _resampled(_lay(fall, u, np.broadcast_to(wave, (count, STEPS))), np.minimum(t, ends)))
    body = 0.085 * (1 - s**2) - 0.05 * s * (1 if fall.is_right else -1)
    turn = 0.13 * np.sin(2 * np.pi * turns * t + phase + 1.2) * np.clip((t - 0.35) / 0.3, 0, 1)
    phases = np.full(count, rng.uniform(0, 6.28)) + 0.35 * s[:, 0]
    light = _head_light(lines) + body + turn + _sheen(lines, phases) + rng.normal(0, 0.05, (count, 1))
    light += rng.normal(0, 0.03) - _occlusion(t, u)
    taper = np.interp(t, (0, 0.08, 0.72, 1.0), (0.5, 1.0, 0.95, 0.12))
    width = 0.78 * rng.uniform(0.5, 1.25, (count, 1)) * taper
    opacity = np.interp(t, (0, 0.05, 0.9, 1.0), (0.35, 0.55, 0.55, 0.40)) * np.exp(-(s**2) * 0.5)
    return Strands(lines, width, light, opacity)


def _parted(fall: Fall, rng: np.random.Generator, lines: Float64Array) -> Float64Array:
    """Let the roots of both sides reach across the parting a little, each by its own way."""
    over = np.abs(rng.normal(0.6, 2.6, (len(lines), 1))) * (-1 if fall.is_right else 1)
    near = np.exp(-np.linspace(0, 1, STEPS) / 0.02)
    lines[..., 0] += over * near
    lines[..., 1] += rng.normal(0, 1.0, (len(lines), 1)) * near
    return lines


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
    u = np.abs(rng.normal(0, 0.026, (count, 1))) - 0.012
    wave = 8.0 * np.sin(2 * np.pi * 1.75 * t + rng.normal(0, 0.3, (count, 1))) * np.clip((t - 0.44) / 0.30, 0, 1)
    lines = _lay(fall, np.broadcast_to(u, (count, STEPS)), wave)
    strength = 1.0 if fall.is_right else 0.55
    light = np.full((count, STEPS), 0.66 + 0.30 * strength) + rng.normal(0, 0.08, (count, 1))
    here = np.exp(-(((t - rng.uniform(0.1, 0.85, (count, 1))) / rng.uniform(0.06, 0.16, (count, 1))) ** 2))
    fade = np.interp(t, (0, 0.14, 0.34, 0.62, 1.0), (0.0, 0.5, 0.8, 0.5, 0.0)) * strength * here
    return Strands(lines, np.full((count, STEPS), 0.5), light, fade * rng.uniform(0.15, 0.7, (count, 1)))


def _wisps(fall: Fall, rng: np.random.Generator, count: int) -> Strands:
    """Fine hair along the brow and temple, lying on the skin."""
    t = np.linspace(0, 1, STEPS)
    sign = 1 if fall.is_right else -1
    u = np.full((count, 1), 1.0) - rng.uniform(0, 0.03, (count, 1))
    bend = rng.uniform(0.5, 5.0, (count, 1)) * np.sin(np.pi * t) * sign
    lines = _lay(fall, np.broadcast_to(u, (count, STEPS)), bend)
    start = rng.uniform(0.0, 0.42, (count, 1))
    lines = _resampled(lines, start + t * rng.uniform(0.06, 0.22, (count, 1)))
    light = _head_light(lines) + 0.02 + rng.normal(0, 0.04, (count, 1))
    shape = np.sin(np.pi * t) ** 0.7 * rng.uniform(0.10, 0.34, (count, 1))
    return Strands(lines, np.full((count, STEPS), 0.34), light, shape)


def _parting(look: Look, rng: np.random.Generator) -> Strands:
    """The shadow between the two sides."""
    count, t = 26, np.linspace(0, 1, STEPS)
    line = along(spline(look.hair.parting), t) + (CENTRE_X_PX, 0)
    lines = np.repeat(line[None], count, axis=0)
    lines[..., 0] += rng.normal(0, 1.1, (count, 1)) + rng.normal(0, 0.8, (count, 1)) * np.sin(2 * np.pi * t + 1)
    start = rng.uniform(0.0, 0.7, (count, 1))
    lines = _resampled(lines, np.minimum(start + t * rng.uniform(0.2, 0.5, (count, 1)), 1.0))
    fade = np.sin(np.pi * t) * rng.uniform(0.02, 0.06, (count, 1))
    return Strands(lines, np.full((count, STEPS), 2.2), np.full((count, STEPS), 0.12), fade)


def _flyaways(fall: Fall, rng: np.random.Generator, count: int) -> Strands:
    """Single hairs that leave the outline: no head of hair is a helmet."""
    t = np.linspace(0, 1, STEPS)
    reach = rng.exponential(3.5, (count, 1)).clip(0, 11) * (-1 if fall.is_right else 1)
    bend = np.sin(np.pi * np.clip(t * rng.uniform(1.0, 1.8, (count, 1)) + rng.uniform(-0.3, 0.2, (count, 1)), 0, 1))
    u = rng.uniform(0.0, 0.05, (count, 1))
    lines = _lay(fall, np.broadcast_to(u, (count, STEPS)), -reach * bend)
    start = rng.uniform(0.0, 0.5, (count, 1))
    lines = _resampled(lines, start + t * rng.uniform(0.2, 0.45, (count, 1)))
    light = _head_light(lines) + 0.12 + 0.5 * _sheen(lines, rng.uniform(0, 6, count))
    shape = np.sin(np.pi * t) * rng.uniform(0.18, 0.42, (count, 1))
    return Strands(lines, np.full((count, STEPS), 0.36), light, shape)


def paint_back_hair(look: Look) -> Layer:
    """The dark mass behind neck and shoulders."""
    layer = Layer.empty()
    half = spline(look.hair.back)
    outline = np.concatenate([half, half[::-1] * (-1, 1)]) + (CENTRE_X_PX, 0)
    shade = np.mean(look.palette.hair[:2], axis=0) * 0.8
    layer.fill(mask_of(outline, 1.0), (int(shade[0]), int(shade[1]), int(shade[2])))
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

    draw_strands(layer, look.palette.hair, BOX_PX, bundles())
    return layer


def paint_front_hair(look: Look) -> Layer:
    """What falls over forehead, temples and shoulders."""
    layer = Layer.empty()
    rng = np.random.default_rng(look.seed + 32)

    def bundles() -> Iterator[Strands]:
        for fall in (look.hair.left, look.hair.right):
            yield _base(fall, rng, 900)
        for fall in (look.hair.left, look.hair.right):
            centres = np.linspace(0.02, 0.98, 26) + rng.normal(0, 0.012, 26)
            for centre in rng.permutation(centres):
                yield _lock(fall, rng, float(centre), float(rng.uniform(0.035, 0.07)), 170)
            yield _rim(fall, rng, 190)
            yield _flyaways(fall, rng, 46)
            yield _wisps(fall, rng, 60)
        yield _parting(look, rng)

    draw_strands(layer, look.palette.hair, BOX_PX, bundles())
    return layer
