"""Draw a built-in portrait and prepare its Identity; needs the dependency group "draw".

    python -m avatar.registration.build mira

Writes avatar/identities/<name>/ (identity.npz, portrait.png, CREDITS.md) and personas/<name>/portrait.png. The same
code gives the same Identity.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..identity import Identity, IdentityMeta, save_identity
from ..media import NUM_BLENDSHAPES, UInt8Array
from . import colour, rig
from .mesh import IRIS, LOWER_LID, LOWER_LIP_INNER, NUM_POINTS, UPPER_LID, UPPER_LIP_INNER, Float64Array, Int32Array

if TYPE_CHECKING:
    from .drawn.person import Drawing

ROOT = Path(__file__).resolve().parents[2]
IDENTITIES = ROOT / "avatar" / "identities"
PERSONAS = ROOT / "personas"
EYE_MARGIN_PX = 24
CAVITY_DARK, CAVITY_WARM = (44, 16, 18), (104, 42, 44)


@dataclass(frozen=True, slots=True)
class MouthSprites:
    """See `Identity`."""

    origin: Int32Array
    upper: UInt8Array
    lower: UInt8Array
    tongue: UInt8Array


def main(arguments: list[str]) -> None:
    for name in arguments:
        build(name)


def build(name: str) -> Identity:
    """Draw, prepare and write one built-in portrait."""
    from .drawn.look import LOOKS
    from .drawn.person import draw

    drawing = draw(LOOKS[name])
    portrait = drawing.portrait().shrunk()[..., :3]
    identity = prepare(name, drawing, portrait)
    folder = IDENTITIES / name
    folder.mkdir(parents=True, exist_ok=True)
    save_identity(identity, folder / "identity.npz")
    for path in (folder, PERSONAS / name):
        if path.is_dir():
            cv2.imwrite(str(path / "portrait.png"), np.ascontiguousarray(portrait[..., ::-1]))
    return identity


def prepare(name: str, drawing: Drawing, portrait: UInt8Array) -> Identity:
    """Everything a renderer needs of a drawn portrait."""
    points = drawing.points
    height, width = portrait.shape[:2]
    person = drawing.person(with_lashes=False).shrunk()
    edges = rig.contours()
    seal_upper, seal_lower = rig.seal_weights()
    lid_upper, lid_lower = rig.lid_weights()
    head, breath = rig.node_weights(points, width, height)
    mouth = _mouth(points)
    origin, eyeballs, lashes = _eyes(drawing)
    return Identity(
        meta=_meta(name, drawing, portrait),
        plate_i420=colour.to_i420(_bled(person)),
        bg_i420=colour.to_i420(drawing.scene.shrunk()[..., :3]),
        alpha=np.ascontiguousarray(person[..., 3]),
        vertices=rig.shallow(rig.roomy(points))[:NUM_POINTS].astype(np.float32),
        triangles=rig.painter_triangles(points),
        deltas=rig.shape_deltas(points, rig.SHAPE_NAMES),
        rest_weights=np.zeros(NUM_BLENDSHAPES, np.float32),
        oval=edges.oval,
        lips_upper=edges.lips_upper,
        lips_lower=edges.lips_lower,
        lids_upper=edges.lids_upper,
        lids_lower=edges.lids_lower,
        seal_upper=seal_upper,
        seal_lower=seal_lower,
        lid_upper=lid_upper,
        lid_lower=lid_lower,
        pivot=rig.pivot_of(points),
        head_weight=head,
        breath_weight=breath,
        mouth_origin=mouth.origin,
        teeth_upper=mouth.upper,
        teeth_lower=mouth.lower,
        tongue=mouth.tongue,
        photo_mouth=np.zeros_like(mouth.upper),
        eye_origin=origin,
        eyeballs=eyeballs,
        lashes=lashes,
        iris=_irises(points),
    )


def _meta(name: str, drawing: Drawing, portrait: UInt8Array) -> IdentityMeta:
    lash = colour.to_yuv(np.array(drawing.lash_colour))
    dark, warm = colour.to_yuv(np.array(CAVITY_DARK)), colour.to_yuv(np.array(CAVITY_WARM))
    return IdentityMeta(
        name=name,
        portrait_sha256=hashlib.sha256(np.ascontiguousarray(portrait).tobytes()).hexdigest(),
        shape_names=rig.SHAPE_NAMES,
        width_px=portrait.shape[1],
        height_px=portrait.shape[0],
        lash_yuv=(float(lash[0]), float(lash[1]), float(lash[2])),
        cavity_dark_yuv=(float(dark[0]), float(dark[1]), float(dark[2])),
        cavity_warm_yuv=(float(warm[0]), float(warm[1]), float(warm[2])),
        lash_width_px=2.6,
        eye_shade=0.55,
    )


def _bled(person: UInt8Array) -> UInt8Array:
    """Carry the colours on beyond the matte, so that a moved edge never shows what is not there."""
    alpha = person[..., 3].astype(np.float32) / 255
    rgb = person[..., :3].astype(np.float32)
    solid = (alpha > 0.6).astype(np.uint8)
    edge = solid - cv2.erode(solid, np.ones((5, 5), np.uint8))
    _, nearest = cv2.distanceTransformWithLabels(1 - edge, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    palette = np.zeros((int(nearest.max()) + 1, 3), np.float32)
    palette[nearest[edge > 0]] = rgb[edge > 0]
    spread = cv2.GaussianBlur(palette[nearest], (0, 0), 2.0)
    known = np.clip((alpha - 0.004) / 0.02, 0, 1)[..., None]
    bled: UInt8Array = np.clip(rgb * known + spread * (1 - known) + 0.5, 0, 255).astype(np.uint8)
    return bled


def _mouth(points: Float64Array) -> MouthSprites:
    from .drawn.mouth import paint_lower_teeth, paint_tongue, paint_upper_teeth

    corners = points[[UPPER_LIP_INNER[0], UPPER_LIP_INNER[-1]], :2]
    seam = points[[UPPER_LIP_INNER[5], LOWER_LIP_INNER[5]], :2].mean(axis=0)
    width = float(np.linalg.norm(corners[1] - corners[0]))
    x, y = float(seam[0]), float(seam[1])
    side = int(2 * np.ceil(0.55 * width))
    left, top = round(x) - side // 2, round(y) - side // 2
    window = (slice(top, top + side), slice(left, left + side))
    layers = (
        paint_upper_teeth((x, y + 0.07 * width), width),
        paint_lower_teeth((x, y + 0.02 * width), width),
        paint_tongue((x, y - 0.03 * width), width),
    )
    sprites = [colour.premultiplied(layer.shrunk()[window]) for layer in layers]
    return MouthSprites(np.array([left, top], np.int32), *sprites)


def _eyes(drawing: Drawing) -> tuple[Int32Array, UInt8Array, UInt8Array]:
    balls, lashes = drawing.eyeballs.shrunk(), drawing.lashes.shrunk()
    boxes = []
    for side in rig.EYES:
        outline = drawing.points[list(UPPER_LID[side] + LOWER_LID[side]), :2]
        boxes.append((np.floor(outline.min(axis=0)) - EYE_MARGIN_PX, np.ceil(outline.max(axis=0)) + EYE_MARGIN_PX))
    width, height = np.max([high - low for low, high in boxes], axis=0).astype(int)
    origin = np.array([low for low, _ in boxes], np.int32)
    windows = [(slice(y, y + height), slice(x, x + width)) for x, y in origin.tolist()]
    ball_sprites = np.stack([colour.yuv_bytes(balls[window][..., :3]) for window in windows])
    return origin, ball_sprites, np.stack([colour.premultiplied(lashes[window]) for window in windows])


def _irises(points: Float64Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rims = [points[list(IRIS[side]), :2] for side in rig.EYES]
    radii = [np.linalg.norm(rim[1:] - rim[0], axis=1).mean() for rim in rims]
    return np.array([(*rim[0], radius) for rim, radius in zip(rims, radii, strict=True)], np.float32)


if __name__ == "__main__":
    main(sys.argv[1:])
