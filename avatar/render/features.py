"""Eyes and mouth, drawn pixel by pixel between the lip and lid curves (compiled).

Coordinates and `scale` as in `kernels`; curves are sampled at every half pixel so that luma samples (x + 0.5)
and chroma samples (2c + 1) both fall on one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .kernels import compiled


class EyeLook(NamedTuple):
    """One eye in one picture; px are canvas px."""

    left_px: float
    right_px: float
    """Corners."""
    top_px: int
    bottom_px: int
    """Rows that lids, line and lashes can reach."""
    margin_px: float
    """How far lashes reach beyond the corners."""
    above_px: float
    below_px: float
    """How far line and lashes reach over and under the upper lid."""
    gaze_x_px: float
    gaze_y_px: float
    """Shift of the iris, y down."""
    iris_x: float
    iris_y: float
    """Iris at rest, in sprite pixels."""
    iris_px: float
    reach_px: float
    """Where the shift has faded out around the iris."""
    shade: float
    """Shadow of the upper lid on the eyeball, 0..1."""
    line_px: float
    """Width of the line of a shut eye."""
    line: float
    """Its opacity once the lids meet."""
    is_line_on_lid: bool
    """The line lies along the upper lid before the lids meet, too (its lashes are a layer of their own)."""
    lash_turn: float
    """1 lashes as drawn, -1 pointing down."""
    lash_alpha: float


class MouthLook(NamedTuple):
    """The mouth in one picture; px are canvas px."""

    left_px: float
    right_px: float
    """Corners."""
    top_px: int
    bottom_px: int
    """Rows between which lips and tongue lie."""
    width_px: float
    """At rest: the scale of all shading."""
    soft_px: float
    teeth: float
    """How much the teeth show, 0..1: rounded lips hide them."""
    photo: float
    """Opacity of the portrait's own teeth."""
    tuck_px: float
    """How far the upper teeth cover the lower lip (f, v)."""
    tongue_front: float
    """0 behind the lower teeth .. 1 before them."""


@compiled
def trace(points, first_px, ys):  # type: ignore[no-untyped-def]
    """Smooth curve through points, at half pixels.

    Args:
        points: float32[n, >=2] px, x not falling; where it does fall the point is pushed right.
        first_px: x of ys[0].
        ys: float32[m], written: y at x = first_px + k / 2; beyond the ends the end's y.
    """
    n = points.shape[0]
    xs = np.empty(n)
    xs[0] = points[0, 0]
    for i in range(1, n):
        xs[i] = max(float(points[i, 0]), xs[i - 1] + 0.05)
    i = 1
    for k in range(ys.shape[0]):
        x = first_px + 0.5 * k
        if x <= xs[0]:
            ys[k] = points[0, 1]
            continue
        if x >= xs[n - 1]:
            ys[k] = points[n - 1, 1]
            continue
        while xs[i] < x:
            i += 1
        step = xs[i] - xs[i - 1]
        slope = (points[i, 1] - points[i - 1, 1]) / step
        # Means of the neighbouring slopes (Catmull-Rom for uneven steps), limited so that no bump appears.
        m0, m1 = slope, slope
        if i > 1:
            before = (points[i - 1, 1] - points[i - 2, 1]) / (xs[i - 1] - xs[i - 2])
            m0 = 0.5 * (slope + before)
        if i < n - 1:
            after = (points[i + 1, 1] - points[i, 1]) / (xs[i + 1] - xs[i])
            m1 = 0.5 * (slope + after)
        limit = 3.0 * abs(slope) + 1.0
        m0, m1 = min(max(m0, -limit), limit), min(max(m1, -limit), limit)
        t = (x - xs[i - 1]) / step
        t2, t3 = t * t, t * t * t
        ys[k] = ((2 * t3 - 3 * t2 + 1) * points[i - 1, 1] + (t3 - 2 * t2 + t) * step * m0
                 + (3 * t2 - 2 * t3) * points[i, 1] + (t3 - t2) * step * m1)  # fmt: skip


@compiled
def _unit(x):  # type: ignore[no-untyped-def]
    return min(max(x, 0.0), 1.0)


@compiled
def _smooth(x):  # type: ignore[no-untyped-def]
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@compiled
def _sample(sprite, u, v, c):  # type: ignore[no-untyped-def]
    """Bilinear channel c of a sprite uint8[h, w, n] at sprite pixel (u, v); 0 outside."""
    h, w = sprite.shape[0], sprite.shape[1]
    if not (u >= 0.0 and v >= 0.0 and u < w - 1.001 and v < h - 1.001):
        return 0.0
    i, j, one = np.uint32(u), np.uint32(v), np.uint32(1)
    fu, fv = u - i, v - j
    a, b = float(sprite[j, i, c]), float(sprite[j, i + one, c])
    d, e = float(sprite[j + one, i, c]), float(sprite[j + one, i + one, c])
    top = a + (b - a) * fu
    return top + (d + (e - d) * fu - top) * fv


@compiled
def _lay(sprite, u, v, opacity, light, y, cb, cr):  # type: ignore[no-untyped-def]
    """A premultiplied sprite over a colour; `light` scales its brightness and saturation alike."""
    a = _sample(sprite, u, v, 3) / 255.0
    if a <= 0.004:
        return y, cb, cr
    y += ((_sample(sprite, u, v, 0) - 16.0 * a) * light + (16.0 - y) * a) * opacity
    cb += ((_sample(sprite, u, v, 1) - 128.0 * a) * light + (128.0 - cb) * a) * opacity
    cr += ((_sample(sprite, u, v, 2) - 128.0 * a) * light + (128.0 - cr) * a) * opacity
    return y, cb, cr


@compiled
def _eye_pixel(x, y, top, bottom, look, lash_yuv, skull, rest_top, rest_first, eyeball, lashes, old):  # type: ignore[no-untyped-def]
    """Colour over `old` (y, u, v) at canvas point (x, y)."""
    luma, cb, cr = old
    gap = bottom - top
    u = skull[0, 0] * x + skull[0, 1] * y + skull[0, 2]
    v = skull[1, 0] * x + skull[1, 1] * y + skull[1, 2]
    inside = x > look.left_px and x < look.right_px
    if inside and gap > 0.4:
        cover = _unit((y - top) / 1.4 + 0.5) * _unit((bottom - y) / 1.4 + 0.5) * _unit((gap - 1.2) / 2.5)
        if cover > 0.0:
            du, dv = u - look.gaze_x_px - look.iris_x, v - look.gaze_y_px - look.iris_y
            far = (math.sqrt(du * du + dv * dv) - 1.1 * look.iris_px) / max(1.0, look.reach_px - 1.1 * look.iris_px)
            bump = 1.0 - _smooth(far)
            eu, ev = u - look.gaze_x_px * bump, v - look.gaze_y_px * bump
            down = (y - top) / (0.35 * look.iris_px + 1.0)
            light = 1.0 - look.shade * math.exp(-down * down)
            luma += (16.0 + (_sample(eyeball, eu, ev, 0) - 16.0) * light - luma) * cover
            cb += (_sample(eyeball, eu, ev, 1) - cb) * cover
            cr += (_sample(eyeball, eu, ev, 2) - cr) * cover
    if inside and (look.is_line_on_lid or gap < look.line_px * 2.2):
        taper = _unit(min(x - look.left_px, look.right_px - x) / (0.16 * (look.right_px - look.left_px)))
        half = look.line_px * 0.5 * (0.45 + 0.55 * taper)
        meet = (1.0 if look.is_line_on_lid else _unit(1.0 - gap / (look.line_px * 2.2))) * look.line
        middle = top + 0.5 * min(gap, look.line_px)
        a = _unit((half + 0.9 - abs(y - middle)) / 1.8) * meet * (0.35 + 0.65 * taper)
        luma += (lash_yuv[0] - luma) * a
        cb += (lash_yuv[1] - cb) * a
        cr += (lash_yuv[2] - cr) * a
    if look.lash_alpha > 0.0:
        k = min(max(int(2.0 * (u - rest_first) + 0.5), 0), rest_top.shape[0] - 1)
        lv = rest_top[k] + (y - top) / look.lash_turn
        a = _sample(lashes, u, lv, 3) / 255.0 * look.lash_alpha
        if a > 0.004:
            k2 = look.lash_alpha
            luma = luma * (1.0 - a) + _sample(lashes, u, lv, 0) * k2
            cb = cb * (1.0 - a) + _sample(lashes, u, lv, 1) * k2
            cr = cr * (1.0 - a) + _sample(lashes, u, lv, 2) * k2
    return luma, cb, cr


@compiled
def _reach(x, top, bottom, look):  # type: ignore[no-untyped-def]
    """Rows that eyeball, line and lashes touch in one column."""
    low, high = top - look.above_px, top + look.below_px
    if x > look.left_px and x < look.right_px:
        low, high = min(low, top - 1.0), max(high, bottom + 1.0)
    return int(low), int(high) + 2


@compiled
def draw_eye(look, lash_yuv, skull, first_px, tops, bottoms, rest_top, rest_first, eyeball, lashes, luma, cb, cr):  # type: ignore[no-untyped-def]
    """Draw eyeball, lid shadow, the line of a shut eye and the lashes.

    Args:
        look: `EyeLook`.
        lash_yuv: three floats.
        skull: float64[2, 3], canvas point to sprite pixel.
        first_px: x of tops[0] and bottoms[0].
        tops: float32[m], upper lid at half pixels; bottoms: the lower one.
        bottoms: see tops.
        rest_top: float32[n], upper lid at rest in sprite pixels, at half pixels from rest_first.
        rest_first: see rest_top.
        eyeball: uint8[he, we, 3].
        lashes: uint8[he, we, 4].
        luma: uint8[h, w], drawn into; cb, cr: uint8[h // 2, w // 2].
        cb: see luma.
        cr: see luma.
    """
    h, w = luma.shape
    x0, x1 = max(int(look.left_px - look.margin_px), 16), min(int(look.right_px + look.margin_px) + 2, w - 16)
    y0, y1 = max(look.top_px, 16), min(look.bottom_px, h - 16)
    for x in range(x0, x1):
        k = min(max(2 * (x - first_px) + 1, 0), tops.shape[0] - 1)
        low, high = _reach(x + 0.5, tops[k], bottoms[k], look)
        for y in range(max(y0, low), min(y1, high)):
            old = (float(luma[y, x]), 0.0, 0.0)
            a, _, _ = _eye_pixel(
                x + 0.5, y + 0.5, tops[k], bottoms[k], look, lash_yuv, skull, rest_top, rest_first, eyeball, lashes, old
            )
            luma[y, x] = np.uint8(a + 0.5)
    for x in range(x0 // 2, (x1 + 1) // 2):
        k = min(max(2 * (2 * x + 1 - first_px), 0), tops.shape[0] - 1)
        low, high = _reach(2.0 * x + 1, tops[k], bottoms[k], look)
        for y in range(max(y0, low) // 2, (min(y1, high) + 1) // 2):
            old = (0.0, float(cb[y, x]), float(cr[y, x]))
            _, b, c = _eye_pixel(
                2.0 * x + 1, 2.0 * y + 1, tops[k], bottoms[k], look, lash_yuv, skull, rest_top, rest_first, eyeball,
                lashes, old,
            )  # fmt: skip
            cb[y, x], cr[y, x] = np.uint8(b + 0.5), np.uint8(c + 0.5)


@compiled
def _mouth_pixel(x, y, top, bottom, look, dark, warm, skull, jaw, lick, upper, lower, tongue, photo):  # type: ignore[no-untyped-def]
    """Opacity and colour of the mouth at canvas point (x, y)."""
    gap = bottom - top
    mw = look.width_px
    edge = min(x - look.left_px, look.right_px - x)
    cover = (_unit((y - top) / look.soft_px + 0.5) * _unit((bottom - y) / look.soft_px + 0.5)
             * _unit((gap - 0.6) / 1.6) * _unit(edge / look.soft_px))  # fmt: skip
    su, sv = skull[0, 0] * x + skull[0, 1] * y + skull[0, 2], skull[1, 0] * x + skull[1, 1] * y + skull[1, 2]
    ju, jv = jaw[0, 0] * x + jaw[0, 1] * y + jaw[0, 2], jaw[1, 0] * x + jaw[1, 1] * y + jaw[1, 2]
    lu, lv = lick[0, 0] * x + lick[0, 1] * y + lick[0, 2], lick[1, 0] * x + lick[1, 1] * y + lick[1, 2]
    over = 0.0
    if look.tuck_px > 0.0:
        # Only where the teeth are: their edge rests on the lip.
        over = _unit((bottom + look.tuck_px - y) / look.soft_px + 0.5) * _unit((y - top) / look.soft_px + 0.5)
        over *= _sample(upper, su, sv, 3) / 255.0 * _smooth(edge / (0.22 * mw))
    shown = max(cover, over)
    if shown <= 0.0:
        return 0.0, 16.0, 128.0, 128.0
    depth = _unit((y - top) / max(gap, 1e-3))
    depth *= depth
    luma = dark[0] + (warm[0] - dark[0]) * depth
    cb = dark[1] + (warm[1] - dark[1]) * depth
    cr = dark[2] + (warm[2] - dark[2]) * depth
    # A narrow slit between resting lips is dark, not a row of tooth crumbs.
    tucked = _unit(look.tuck_px / (0.015 * mw))
    teeth = look.teeth * max(_smooth((gap / mw - 0.015) / 0.04), tucked)
    # The rows of teeth curve back towards the corners.
    teeth *= _smooth(edge / (0.2 * mw))
    light = 0.5 + 0.5 * look.teeth
    luma, cb, cr = _lay(tongue, lu, lv, 1.0 - look.tongue_front, 0.85, luma, cb, cr)
    luma, cb, cr = _lay(lower, ju, jv, teeth * (1.0 - tucked), light * 0.9, luma, cb, cr)
    luma, cb, cr = _lay(tongue, lu, lv, look.tongue_front, 1.0, luma, cb, cr)
    # The tip pushes in front of the lower half of the upper teeth.
    hidden = look.tongue_front * _sample(tongue, lu, lv, 3) / 255.0 * _smooth((y - top) / gap * 3.0 - 0.9)
    luma, cb, cr = _lay(upper, su, sv, teeth * (1.0 - hidden), light, luma, cb, cr)
    lid = _unit((y - top) / (0.09 * mw))
    light = (0.72 + 0.28 * lid * (2.0 - lid)) * (0.5 + 0.5 * _smooth(edge / (0.16 * mw)))
    light *= 0.8 + 0.2 * max(_unit((bottom - y) / (0.05 * mw)), tucked)
    luma, cb, cr = 16.0 + (luma - 16.0) * light, 128.0 + (cb - 128.0) * light, 128.0 + (cr - 128.0) * light
    if look.photo > 0.0:
        a = _sample(photo, su, sv, 3) / 255.0 * look.photo
        luma = luma * (1.0 - a) + _sample(photo, su, sv, 0) * look.photo
        cb = cb * (1.0 - a) + _sample(photo, su, sv, 1) * look.photo
        cr = cr * (1.0 - a) + _sample(photo, su, sv, 2) * look.photo
    return shown, luma, cb, cr


@compiled
def draw_mouth(look, dark, warm, skull, jaw, lick, first_px, tops, bottoms, upper, lower, tongue, photo, luma, cb, cr):  # type: ignore[no-untyped-def]
    """Draw the inside of the mouth between the lips.

    Args:
        look: `MouthLook`.
        dark: Y, U, V under the upper lip; warm: above the lower one.
        warm: see dark.
        skull: float64[2, 3], canvas point to sprite pixel of what is fixed to the skull; jaw: to the jaw;
            lick: of the tongue.
        jaw: see skull.
        lick: see skull.
        first_px: x of tops[0] and bottoms[0].
        tops: float32[m], inner edge of the upper lip at half pixels; bottoms: of the lower lip.
        bottoms: see tops.
        upper: uint8[hm, wm, 4] teeth; lower, tongue, photo likewise.
        lower: see upper.
        tongue: see upper.
        photo: see upper.
        luma: uint8[h, w], drawn into; cb, cr: uint8[h // 2, w // 2].
        cb: see luma.
        cr: see luma.
    """
    h, w = luma.shape
    x0, x1 = max(int(look.left_px), 16), min(int(look.right_px) + 1, w - 16)
    y0, y1 = max(look.top_px, 16), min(look.bottom_px, h - 16)
    for x in range(x0, x1):
        k = min(max(2 * (x - first_px) + 1, 0), tops.shape[0] - 1)
        if bottoms[k] - tops[k] < 0.6 and look.tuck_px <= 0.0:
            continue
        low, high = int(tops[k] - look.soft_px), int(bottoms[k] + look.soft_px + look.tuck_px) + 2
        for y in range(max(y0, low), min(y1, high)):
            a, c0, _, _ = _mouth_pixel(
                x + 0.5, y + 0.5, tops[k], bottoms[k], look, dark, warm, skull, jaw, lick, upper, lower, tongue, photo
            )
            luma[y, x] = np.uint8(luma[y, x] * (1.0 - a) + c0 * a + 0.5)
    for x in range(x0 // 2, (x1 + 1) // 2):
        k = min(max(2 * (2 * x + 1 - first_px), 0), tops.shape[0] - 1)
        if bottoms[k] - tops[k] < 0.6 and look.tuck_px <= 0.0:
            continue
        low, high = int(tops[k] - look.soft_px), int(bottoms[k] + look.soft_px + look.tuck_px) + 2
        for y in range(max(y0, low) // 2, (min(y1, high) + 1) // 2):
            a, _, c1, c2 = _mouth_pixel(
                2.0 * x + 1, 2.0 * y + 1, tops[k], bottoms[k], look, dark, warm, skull, jaw, lick, upper, lower, tongue,
                photo,
            )  # fmt: skip
            cb[y, x] = np.uint8(cb[y, x] * (1.0 - a) + c1 * a + 0.5)
            cr[y, x] = np.uint8(cr[y, x] * (1.0 - a) + c2 * a + 0.5)
