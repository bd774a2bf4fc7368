"""The loops over pixels, compiled; the only importer of numba.

Compiled code is kept on disk (beside this file, or in the user's cache folder where that is read-only) and
every call releases the GIL. Everything is single-threaded and a pure function of its arguments.

Coordinates: a point (X, Y) is in canvas pixels, pixel x has its centre at x + 0.5. A plane of `scale` 1 is luma,
of `scale` 2 chroma: its sample c has its centre at 2c + 1, so that a point lies at X / scale - 0.5 in samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

_F = TypeVar("_F", bound=Callable[..., Any])
_FIXED = 65536
"""Fixed point of source coordinates."""


def compiled(function: _F) -> _F:
    """Compile once and keep on disk.

    A caller must stand in the same file as what it calls, else an edit leaves stale code on disk.
    """
    wrapped: Any = numba.njit(cache=True, nogil=True, error_model="numpy", boundscheck=False)(function)
    return cast(_F, wrapped)


@compiled
def _over255(value):  # type: ignore[no-untyped-def]
    """value / 255, rounded, exact for 0..65025."""
    t = value + np.int32(128)
    return (t + (t >> np.int32(8))) >> np.int32(8)


@compiled
def _blend_run(over, under, alpha):  # type: ignore[no-untyped-def]
    """over = alpha over under, runs of one length."""
    for m in range(over.shape[0]):
        k = np.int32(alpha[m])
        over[m] = np.uint8(_over255(np.int32(over[m]) * k + np.int32(under[m]) * (np.int32(255) - k)))


@compiled
def composite(src, alpha, bg, dst):  # type: ignore[no-untyped-def]
    """dst = alpha over bg, whole planes uint8[h, w]."""
    flat = dst.ravel()
    flat[:] = src.ravel()
    _blend_run(flat, bg.ravel(), alpha.ravel())


@compiled
def move_nodes(nodes, spill, follows, head, breath, outline_shift, turn, offset, breath_px, still_px, forward):  # type: ignore[no-untyped-def]
    """Where head, neck and torso go.

    Args:
        nodes: float32[n, 3] px at rest.
        spill: float32[n, 36], how much a node follows each point of the face outline.
        follows: bool[n], whether it follows the outline at all.
        head: float32[n], 1 goes with the skull.
        breath: float32[n], 1 rises with the chest.
        outline_shift: float32[36, 3] px, head frame.
        turn: float32[3, 3].
        offset: float32[3] px.
        breath_px: rise of the chest.
        still_px: less is no motion.
        forward: float32[n, 2] px, written; exactly 0 where nothing moves.
    """
    for i in range(nodes.shape[0]):
        x, y, z = nodes[i, 0], nodes[i, 1], nodes[i, 2]
        for k in range(spill.shape[1] if follows[i] else 0):
            w = spill[i, k]
            x, y, z = x + w * outline_shift[k, 0], y + w * outline_shift[k, 1], z + w * outline_shift[k, 2]
        u = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z + offset[0]
        v = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z + offset[1]
        u = x + head[i] * (u - x) - nodes[i, 0]
        v = y + head[i] * (v - y) - nodes[i, 1] - breath[i] * breath_px
        moves = max(abs(u), abs(v)) >= still_px
        forward[i, 0] = u if moves else 0.0
        forward[i, 1] = v if moves else 0.0


@compiled
def invert_nodes(forward, cell_px, width_px, height_px, back):  # type: ignore[no-untyped-def]
    """Displacement that leads from a node back to its source.

    Args:
        forward: float32[gh, gw, 2] px, where the canvas goes at each node; bilinear between nodes.
        cell_px: spacing of the nodes.
        width_px: canvas; sources are kept one pixel inside it.
        height_px: canvas.
        back: float32[gh, gw, 2] px, written; 0 exactly where nothing moves.
    """
    gh, gw = forward.shape[0], forward.shape[1]
    for j in range(gh):
        for i in range(gw):
            x, y = float(i * cell_px), float(j * cell_px)
            dx, dy = -float(forward[j, i, 0]), -float(forward[j, i, 1])
            # Four rounds: the field changes by < 0.3 px per px, so the rest is < 0.3**5 of the way.
            for _ in range(4):
                u = min(max((x + dx) / cell_px, 0.0), gw - 1.001)
                v = min(max((y + dy) / cell_px, 0.0), gh - 1.001)
                iu, iv = int(u), int(v)
                fu, fv = u - iu, v - iv
                a00, a01 = (1 - fu) * (1 - fv), fu * (1 - fv)
                a10, a11 = (1 - fu) * fv, fu * fv
                was_x, was_y = dx, dy
                dx = -(forward[iv, iu, 0] * a00 + forward[iv, iu + 1, 0] * a01
                       + forward[iv + 1, iu, 0] * a10 + forward[iv + 1, iu + 1, 0] * a11)  # fmt: skip
                dy = -(forward[iv, iu, 1] * a00 + forward[iv, iu + 1, 1] * a01
                       + forward[iv + 1, iu, 1] * a10 + forward[iv + 1, iu + 1, 1] * a11)  # fmt: skip
                if abs(dx - was_x) + abs(dy - was_y) < 0.01:
                    break
            back[j, i, 0] = min(max(x + dx, 1.0), width_px - 2.0) - x
            back[j, i, 1] = min(max(y + dy, 1.0), height_px - 2.0) - y


@compiled
def _is_inside(x, y, polygon):  # type: ignore[no-untyped-def]
    """Whether a point lies in a polygon float32[n, >=2] (even-odd)."""
    inside = False
    n = polygon.shape[0]
    for k in range(n):
        ax, ay = polygon[k, 0], polygon[k, 1]
        bx, by = polygon[(k + 1) % n, 0], polygon[(k + 1) % n, 1]
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            inside = not inside
    return inside


@compiled
def _shows_person(high, block_px, x, y, cell_px):  # type: ignore[no-untyped-def]
    """Whether the picture at rest has anything but background in a cell."""
    for b in range(y // block_px, min((y + cell_px - 1) // block_px + 1, high.shape[0])):
        for a in range(x // block_px, min((x + cell_px - 1) // block_px + 1, high.shape[1])):
            if high[b, a] != 0:
                return True
    return False


@compiled
def classify_cells(back, cell_px, low, high, block_px, oval, node_inside, kind):  # type: ignore[no-untyped-def]
    """What to do with each cell between four nodes.

    Args:
        back: float32[gh, gw, 2] from `invert_nodes`.
        cell_px: spacing of the nodes.
        low: uint8[bh, bw], least alpha of each block of block_px.
        high: uint8[bh, bw], greatest alpha of each block.
        block_px: size of those blocks.
        oval: float32[n, 2], face outline where it now is; cells wholly inside are left to the triangles.
        node_inside: uint8[gh, gw], scratch.
        kind: uint8[gh - 1, gw - 1], written: 0 leave as it is, 1 person, 2 person and background, 3 background.
    """
    gh, gw = back.shape[0], back.shape[1]
    left, right = oval[:, 0].min() / cell_px, oval[:, 0].max() / cell_px
    top, bottom = oval[:, 1].min() / cell_px, oval[:, 1].max() / cell_px
    for j in range(gh):
        for i in range(gw):
            near = left < i and i < right and top < j and j < bottom
            node_inside[j, i] = near and _is_inside(i * cell_px, j * cell_px, oval)
    for j in range(gh - 1):
        for i in range(gw - 1):
            moved, covered = False, True
            x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
            for q in range(4):
                n, m = j + (q >> 1), i + (q & 1)
                covered = covered and node_inside[n, m] != 0
                dx, dy = back[n, m, 0], back[n, m, 1]
                moved = moved or dx != 0.0 or dy != 0.0
                x0, x1 = min(x0, m * cell_px + dx), max(x1, m * cell_px + dx)
                y0, y1 = min(y0, n * cell_px + dy), max(y1, n * cell_px + dy)
            kind[j, i] = 0
            if not moved or covered:
                continue
            # Two pixels for the bilinear neighbours, of chroma too.
            bx0, bx1 = max(int((x0 - 2) / block_px), 0), min(int((x1 + 2) / block_px), low.shape[1] - 1)
            by0, by1 = max(int((y0 - 2) / block_px), 0), min(int((y1 + 2) / block_px), low.shape[0] - 1)
            least, most = 255, 0
            for b in range(by0, by1 + 1):
                for a in range(bx0, bx1 + 1):
                    least, most = min(least, int(low[b, a])), max(most, int(high[b, a]))
            if most == 0:
                kind[j, i] = 3 if _shows_person(high, block_px, i * cell_px, j * cell_px, cell_px) else 0
            else:
                kind[j, i] = 1 if least == 255 else 2


@compiled
def _warp_run(src, stride, q, fx, dx, fy, dy, first, end, dst, o):  # type: ignore[no-untyped-def]
    """Bilinear samples first..end-1 of a row whose whole-pixel offset is constant.

    Slices, so that the compiler sees plain neighbours and vectorises: 5 times faster than indices.
    """
    count = end - first
    above, below = src[q + first : q + end + 1], src[q + stride + first : q + stride + end + 1]
    target = dst[o + first : o + end]
    unit = np.float32(1.0 / _FIXED)
    gx, gy = np.float32((fx + first * dx) & (_FIXED - 1)) * unit, np.float32((fy + first * dy) & (_FIXED - 1)) * unit
    hx, hy = np.float32(dx) * unit, np.float32(dy) * unit
    for m in range(count):
        k = np.float32(np.int32(m))
        wu, wv = gx + k * hx, gy + k * hy
        a, b = np.float32(above[m]), np.float32(above[m + 1])
        c, e = np.float32(below[m]), np.float32(below[m + 1])
        top = a + (b - a) * wu
        target[m] = np.uint8(np.int32(top + (c + (e - c) * wu - top) * wv + np.float32(0.5)))


@compiled
def _run_end(x, dx, k, end):  # type: ignore[no-untyped-def]
    """First step after k at which the whole part of x (fixed point at k) has changed."""
    if (x + dx * (end - k - np.int32(1))) >> np.int32(16) == x >> np.int32(16):
        return end
    if dx > 0:
        return min(end, k + (np.int32(_FIXED) - (x & np.int32(_FIXED - 1)) + dx - np.int32(1)) // dx)
    if dx < 0:
        return min(end, k + (x & np.int32(_FIXED - 1)) // (-dx) + np.int32(1))
    return end


@compiled
def warp_cells(back, kind, cell, scale, margin, src, alpha, bg, dst, scratch):  # type: ignore[no-untyped-def]
    """Draw one plane of everything outside the face.

    Args:
        back: float32[gh, gw, 2] canvas px.
        kind: uint8[gh - 1, gw - 1] from `classify_cells`.
        cell: cell size in samples of this plane.
        scale: 1 luma, 2 chroma.
        margin: samples along the border that are never written.
        src: uint8[h, w] the person.
        alpha: uint8[h, w] its matte at this plane's size.
        bg: uint8[h, w] behind it.
        dst: uint8[h, w] drawn into.
        scratch: uint8[>= cell].
    """
    h, w = dst.shape
    s, a, b, d = src.ravel(), alpha.ravel(), bg.ravel(), dst.ravel()
    fixed = np.float32(_FIXED) / np.float32(scale)
    step = np.float32(1.0) / np.float32(cell)
    for j in range(kind.shape[0]):
        for i in range(kind.shape[1]):
            if kind[j, i] == 0:
                continue
            begin, width = np.int32(max(0, margin - i * cell)), np.int32(min(cell, w - margin - i * cell))
            if begin >= width:
                continue
            for r in range(max(0, margin - j * cell), min(cell, h - margin - j * cell)):
                y = j * cell + r
                o = y * w + i * cell
                if kind[j, i] == 3:
                    d[o + begin : o + width] = b[o + begin : o + width]
                    continue
                t = (np.float32(r) + np.float32(0.5)) * step
                lx = back[j, i, 0] + (back[j + 1, i, 0] - back[j, i, 0]) * t
                rx = back[j, i + 1, 0] + (back[j + 1, i + 1, 0] - back[j, i + 1, 0]) * t
                ly = back[j, i, 1] + (back[j + 1, i, 1] - back[j, i, 1]) * t
                ry = back[j, i + 1, 1] + (back[j + 1, i + 1, 1] - back[j, i + 1, 1]) * t
                dx, dy = np.int32((rx - lx) * step * fixed), np.int32((ry - ly) * step * fixed)
                fx, fy = np.int32(lx * fixed) + (dx >> np.int32(1)), np.int32(ly * fixed) + (dy >> np.int32(1))
                k = begin
                while k < width:
                    x_at, y_at = fx + k * dx, fy + k * dy
                    e = max(k + np.int32(1), _run_end(y_at, dy, k, _run_end(x_at, dx, k, width)))
                    q = (y + (y_at >> np.int32(16))) * w + i * cell + (x_at >> np.int32(16))
                    _warp_run(s, w, q, fx, dx, fy, dy, k, e, d, o)
                    if kind[j, i] == 2:
                        _warp_run(a, w, q, fx, dx, fy, dy, k, e, scratch, 0)
                    k = e
                if kind[j, i] == 2:
                    _blend_run(d[o + begin : o + width], b[o + begin : o + width], scratch[begin:width])


@compiled
def _sample8(plane, q, stride, wu, wv):  # type: ignore[no-untyped-def]
    """Bilinear sample of a flat uint8 plane, weights 0..255, as int32; indices unsigned: no sign checks."""
    a, b = np.int32(plane[q]), np.int32(plane[q + np.uint32(1)])
    c, e = np.int32(plane[q + stride]), np.int32(plane[q + stride + np.uint32(1)])
    top = (a << np.int32(8)) + (b - a) * wu
    bottom = (c << np.int32(8)) + (e - c) * wu
    return ((top << np.int32(8)) + (bottom - top) * wv + np.int32(32768)) >> np.int32(16)


@compiled
def _triangle_row(  # type: ignore[no-untyped-def]
    s0, s1, alpha, b0, b1, d0, d1, stride, first, end, fu, fv, du, dv, is_mixed, is_pair
):
    """One row of one triangle, flat planes, samples first..end-1; source place as 16.16 fixed point."""
    for n in range(first, end):
        x = np.uint32(n)
        q = np.uint32(np.uint32(fv >> np.int32(16)) * stride + np.uint32(fu >> np.int32(16)))
        wu, wv = (fu >> np.int32(8)) & np.int32(255), (fv >> np.int32(8)) & np.int32(255)
        c0 = _sample8(s0, q, stride, wu, wv)
        c1 = _sample8(s1, q, stride, wu, wv) if is_pair else np.int32(0)
        if is_mixed:
            g = _sample8(alpha, q, stride, wu, wv)
            c0 = _over255(c0 * g + np.int32(b0[x]) * (np.int32(255) - g))
            c1 = _over255(c1 * g + np.int32(b1[x]) * (np.int32(255) - g)) if is_pair else c1
        d0[x] = np.uint8(c0)
        if is_pair:
            d1[x] = np.uint8(c1)
        fu += du
        fv += dv


@compiled
def _by_height(points, corners):  # type: ignore[no-untyped-def]
    """Corners from top to bottom: both sides of a shared edge then compute the very same numbers, no cracks."""
    p, q, r = corners[0], corners[1], corners[2]
    if points[p, 1] > points[q, 1]:
        p, q = q, p
    if points[q, 1] > points[r, 1]:
        q, r = r, q
    if points[p, 1] > points[q, 1]:
        p, q = q, p
    return p, q, r


@compiled
def _start(value, slope, count, limit):  # type: ignore[no-untyped-def]
    """Fixed-point start of a run, moved and if need be flattened so that the whole run lies in 0..limit."""
    at, step = int(value * _FIXED), int(slope * _FIXED)
    end = at + step * (count - 1)
    if min(at, end) < 0 or max(at, end) > limit:
        at = min(max(at, 0), limit)
        end = min(max(end, 0), limit)
        step = (end - at) // max(count - 1, 1)
    return np.int32(at), np.int32(step)


@compiled
def warp_triangles(  # type: ignore[no-untyped-def]
    points, rest, triangles, is_mixed, scale, margin, src0, src1, alpha, bg0, bg1, dst0, dst1, is_pair
):
    """Draw one plane, or two of the same size, of the face mesh, triangle after triangle.

    Args:
        points: float32[n, >=2] canvas px, where the vertices are now.
        rest: float32[n, 2] canvas px, where they are in the source.
        triangles: int32[m, 3], painted in this order.
        is_mixed: uint8[m], 1 where the matte is not full under a triangle.
        scale: 1 luma, 2 chroma.
        margin: samples along the border that are never written.
        src0: uint8[h, w] the person; src1 likewise, read if is_pair.
        src1: see src0.
        alpha: uint8[h, w] matte.
        bg0: uint8[h, w] behind it; bg1 likewise.
        bg1: see bg0.
        dst0: uint8[h, w] drawn into; dst1 likewise.
        dst1: see dst0.
        is_pair: whether there is a second plane.
    """
    h, w = dst0.shape
    s0, s1, al, b0, b1 = src0.ravel(), src1.ravel(), alpha.ravel(), bg0.ravel(), bg1.ravel()
    d0, d1 = dst0.ravel(), dst1.ravel()
    inv, stride, umax, vmax = 1.0 / scale, np.uint32(w), ((w - 1) << 16) - 1, ((h - 1) << 16) - 1
    for t in range(triangles.shape[0]):
        p, q, r = _by_height(points, triangles[t])
        x0, y0 = points[p, 0] * inv - 0.5, points[p, 1] * inv - 0.5
        x1, y1 = points[q, 0] * inv - 0.5, points[q, 1] * inv - 0.5
        x2, y2 = points[r, 0] * inv - 0.5, points[r, 1] * inv - 0.5
        det = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        first, last = max(margin, int(math.ceil(y0))), min(h - margin, int(math.ceil(y2)))
        if abs(det) < 1e-6 or first >= last:
            continue
        k = 1.0 / det
        u0, v0 = rest[p, 0] * inv - 0.5, rest[p, 1] * inv - 0.5
        du1, dv1 = (rest[q, 0] - rest[p, 0]) * inv * k, (rest[q, 1] - rest[p, 1]) * inv * k
        du2, dv2 = (rest[r, 0] - rest[p, 0]) * inv * k, (rest[r, 1] - rest[p, 1]) * inv * k
        ux, uy = du1 * (y2 - y0) - du2 * (y1 - y0), du2 * (x1 - x0) - du1 * (x2 - x0)
        vx, vy = dv1 * (y2 - y0) - dv2 * (y1 - y0), dv2 * (x1 - x0) - dv1 * (x2 - x0)
        long_slope = (x2 - x0) / (y2 - y0)
        slope_a = (x1 - x0) / (y1 - y0) if y1 > y0 else 0.0
        slope_b = (x2 - x1) / (y2 - y1) if y2 > y1 else 0.0
        for y in range(first, last):
            xa = x0 + (y - y0) * long_slope
            xb = x0 + (y - y0) * slope_a if y < y1 else x1 + (y - y1) * slope_b
            left, right = max(margin, int(math.ceil(min(xa, xb)))), min(w - margin, int(math.ceil(max(xa, xb))))
            if left >= right:
                continue
            fu, du = _start(u0 + ux * (left - x0) + uy * (y - y0), ux, right - left, umax)
            fv, dv = _start(v0 + vx * (left - x0) + vy * (y - y0), vx, right - left, vmax)
            o, mixed = y * w, is_mixed[t] != 0
            _triangle_row(s0, s1, al, b0, b1, d0, d1, stride, o + left, o + right, fu, fv, du, dv, mixed, is_pair)
