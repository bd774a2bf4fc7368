"""A prepared face: everything the renderer needs of one portrait, in one file, shared by all its calls.

Registration makes an `Identity` once, from a photo or from drawn layers; renderers only read it.
All places are canvas pixels: x to the right, y down, the centre of the top left pixel at (0.5, 0.5).
Depth z is scaled like x, smaller is nearer to the viewer. Colours are BT.601 studio range YUV (Y 16..235,
U and V around 128), the colours of the frames. "Right" and "left" are the subject's: index 0 of a pair of
eyes is the right eye, on the left of the picture.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .errors import IdentityError
from .media import NUM_BLENDSHAPES, Float32Array, UInt8Array

IDENTITY_VERSION: Final = 1
NUM_POINTS: Final = 468
"""Points of the face mesh."""
CELL_PX: Final = 32
"""Spacing of the nodes that carry the head, neck and torso outside the face."""
Int32Array = npt.NDArray[np.int32]
Colour = tuple[float, float, float]
"""Y, U, V."""


@dataclass(frozen=True, slots=True)
class IdentityMeta:
    """What is said about a face besides its arrays."""

    name: str
    portrait_sha256: str
    """Hex digest of the portrait (or of the drawing's parameters) this was made from."""
    shape_names: tuple[str, ...]
    """The 52 ARKit names in the order of `Identity.deltas` and of `FaceState.weights`."""
    width_px: int
    """Canvas; even."""
    height_px: int
    """Canvas; even."""
    lash_yuv: Colour
    """Line of a shut eye."""
    cavity_dark_yuv: Colour
    """Inside of the mouth, just below the upper lip."""
    cavity_warm_yuv: Colour
    """Inside of the mouth, just above the lower lip."""
    lash_width_px: float
    """Full width of the line of a shut eye."""
    eye_shade: float = 0.0
    """0..1: shadow the upper lid casts on the eyeball at rest; 0 where `eyeballs` already carry it (photos)."""
    version: int = IDENTITY_VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A prepared face; immutable, its arrays are read-only and C-contiguous.

    H, W: canvas; GH, GW: `node_shape`; HM, WM: mouth sprites; HE, WE: eye sprites. Sprites lie on the canvas
    grid at rest: sprite pixel [j, i] is canvas pixel [origin_y + j, origin_x + i]. "Premultiplied" YUVA holds
    Y*a, U*a, V*a (rounded, a = A/255) and A. Only linear expressions have deltas; lids, lip seal, gaze and
    tongue are the renderer's own operators.
    """

    meta: IdentityMeta
    plate_i420: UInt8Array
    """uint8[H*3//2, W]: colours of the person, carried on a little beyond the matte, so that
    alpha * plate + (1 - alpha) * bg is the portrait."""
    bg_i420: UInt8Array
    """uint8[H*3//2, W]: what is behind the person; shown untouched wherever `alpha` is 0."""
    alpha: UInt8Array
    """uint8[H, W]: 0 background .. 255 person (without a torso matte: 255 below the chin)."""
    vertices: Float32Array
    """float32[468, 3] px: the face mesh at rest, as the portrait shows it."""
    triangles: Int32Array
    """int32[M, 3]: the face mesh, mouth and eye holes included, painted in this order (far to near)."""
    deltas: Float32Array
    """float32[52, 468, 3] px: displacement for weight 1, head frame; rows of eyeBlink*, eyeLook*, mouthClose and
    tongueOut are zero."""
    rest_weights: Float32Array
    """float32[52]: added to every state to make a smiling or open portrait neutral; may be negative; zeros
    for a neutral portrait. The mouthClose entry fades as the mouth opens, all fade with a smile."""
    oval: Int32Array
    """int32[36]: vertices of the face outline, in order around the face."""
    lips_upper: Int32Array
    """int32[11]: inner edge of the upper lip, from picture left to right, both corners included."""
    lips_lower: Int32Array
    """int32[11]: inner edge of the lower lip; pairs with `lips_upper`, same corners."""
    lids_upper: Int32Array
    """int32[2, 9]: edge of the upper lid, from one corner of the eye to the other."""
    lids_lower: Int32Array
    """int32[2, 9]: edge of the lower lid; pairs with `lids_upper`, same corners."""
    seal_upper: Float32Array
    """float32[468, 11] in [0, 1]: how much a vertex follows each point of `lips_upper` when the lips seal."""
    seal_lower: Float32Array
    """float32[468, 11] in [0, 1]: the same for `lips_lower`."""
    lid_upper: Float32Array
    """float32[2, 468, 9] in [0, 1]: how much a vertex follows each point of `lids_upper` in a blink."""
    lid_lower: Float32Array
    """float32[2, 468, 9] in [0, 1]: the same for `lids_lower`."""
    pivot: Float32Array
    """float32[3] px: where head turns about (in the neck: chin height, 0.42 face widths behind the face)."""
    head_weight: Float32Array
    """float32[GH, GW] in [0, 1] at the nodes (x = CELL_PX * column, y = CELL_PX * row): 1 goes with the
    skull (head and hair), 0 stays; smooth down the neck. May be 1 over background, which never moves."""
    breath_weight: Float32Array
    """float32[GH, GW] in [0, 1] at the nodes: 1 rises with breath (chest and shoulders)."""
    mouth_origin: Int32Array
    """int32[2]: x, y px of the mouth sprites' top left pixel."""
    teeth_upper: UInt8Array
    """uint8[HM, WM, 4] premultiplied YUVA, fixed to the skull, unoccluded: reaches up under the upper lip
    (by about 0.15 mouth widths); the renderer cuts and shades it."""
    teeth_lower: UInt8Array
    """uint8[HM, WM, 4]: fixed to the jaw, as it lies with the jaw shut."""
    tongue: UInt8Array
    """uint8[HM, WM, 4]: fixed to the jaw, as it lies with the jaw shut; tongueOut lifts it."""
    photo_mouth: UInt8Array
    """uint8[HM, WM, 4]: the portrait's own teeth where it showed them, fixed to the skull; else all zero."""
    eye_origin: Int32Array
    """int32[2, 2]: x, y px of each eye sprite's top left pixel."""
    eyeballs: UInt8Array
    """uint8[2, HE, WE, 3] YUV: the eyeball without lids, carried on at least 20 px beyond the aperture."""
    lashes: UInt8Array
    """uint8[2, HE, WE, 4] premultiplied YUVA: upper lash line and lashes of the open eye as a layer of their own,
    drawn over the lid (then `plate_i420` shows none); all zero when the plate keeps its lashes (photos)."""
    iris: Float32Array
    """float32[2, 3] px: centre x, y and radius of each iris at rest, looking at the viewer."""

    def __post_init__(self) -> None:
        _check(self)
        for name, _, _ in _LAYOUT:
            array = np.ascontiguousarray(getattr(self, name))
            if array.flags.writeable:
                array = array.view()
                array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def node_shape(self) -> tuple[int, int]:
        """Rows and columns of the nodes of `head_weight`, the last ones on or beyond the canvas."""
        return node_shape(self.meta.width_px, self.meta.height_px)

    @property
    def face_height_px(self) -> float:
        """Height of the face outline at rest."""
        return float(np.ptp(self.vertices[self.oval, 1]))


def node_shape(width_px: int, height_px: int) -> tuple[int, int]:
    """Rows and columns of the CELL_PX nodes that cover a canvas."""
    return -(-height_px // CELL_PX) + 1, -(-width_px // CELL_PX) + 1


_LAYOUT: Final[tuple[tuple[str, type[np.generic], tuple[int | str, ...]], ...]] = (
    ("plate_i420", np.uint8, ("H*3//2", "W")), ("bg_i420", np.uint8, ("H*3//2", "W")), ("alpha", np.uint8, ("H", "W")),
    ("vertices", np.float32, (NUM_POINTS, 3)), ("triangles", np.int32, ("M", 3)),
    ("deltas", np.float32, (NUM_BLENDSHAPES, NUM_POINTS, 3)), ("rest_weights", np.float32, (NUM_BLENDSHAPES,)),
    ("oval", np.int32, (36,)), ("lips_upper", np.int32, (11,)), ("lips_lower", np.int32, (11,)),
    ("lids_upper", np.int32, (2, 9)), ("lids_lower", np.int32, (2, 9)),
    ("seal_upper", np.float32, (NUM_POINTS, 11)), ("seal_lower", np.float32, (NUM_POINTS, 11)),
    ("lid_upper", np.float32, (2, NUM_POINTS, 9)), ("lid_lower", np.float32, (2, NUM_POINTS, 9)),
    ("pivot", np.float32, (3,)), ("head_weight", np.float32, ("GH", "GW")), ("breath_weight", np.float32, ("GH", "GW")),
    ("mouth_origin", np.int32, (2,)), ("teeth_upper", np.uint8, ("HM", "WM", 4)),
    ("teeth_lower", np.uint8, ("HM", "WM", 4)), ("tongue", np.uint8, ("HM", "WM", 4)),
    ("photo_mouth", np.uint8, ("HM", "WM", 4)), ("eye_origin", np.int32, (2, 2)),
    ("eyeballs", np.uint8, (2, "HE", "WE", 3)), ("lashes", np.uint8, (2, "HE", "WE", 4)), ("iris", np.float32, (2, 3)),
)  # fmt: skip
"""Name, dtype and shape of every array; a letter is a size that must be the same wherever it stands."""


def save_identity(identity: Identity, path: Path) -> None:
    """Write one compressed `.npz` (no pickle); the same identity gives the same bytes.

    The file appears whole or not at all.
    """
    part = path.with_name(path.name + ".part")
    meta = np.frombuffer(json.dumps(asdict(identity.meta), sort_keys=True).encode(), dtype=np.uint8)
    arrays = {name: getattr(identity, name) for name, _, _ in _LAYOUT}
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, meta=meta, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def load_identity(path: Path) -> Identity:
    """Read what `save_identity` wrote (<= 50 ms for 1280x720).

    Raises:
        IdentityError: no such file, damaged, or of another version; the text says which and what to do.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            meta = _read_meta(json.loads(file["meta"].tobytes()), path)
            arrays: dict[str, Any] = {name: file[name] for name, _, _ in _LAYOUT}
    except FileNotFoundError as error:
        raise IdentityError(f"{path}: no prepared face there") from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise IdentityError(f"{path}: not a readable prepared face ({error}); prepare the portrait again") from error
    return Identity(meta=meta, **arrays)


def _read_meta(raw: Mapping[str, Any], path: Path) -> IdentityMeta:
    """Meta from JSON; the version is looked at before anything else."""
    version = raw.get("version")
    if version != IDENTITY_VERSION:
        raise IdentityError(
            f"{path}: prepared face of version {version}, this program reads {IDENTITY_VERSION}; "
            "prepare the portrait again"
        )
    known = {field.name for field in fields(IdentityMeta)}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in raw.items() if key in known
    }
    return IdentityMeta(**values)


def _check(identity: Identity) -> None:
    """Raise IdentityError unless every array has its dtype and shape and every index lies inside."""
    meta = identity.meta
    if meta.width_px < 64 or meta.height_px < 64 or meta.width_px % 2 or meta.height_px % 2:
        raise IdentityError(f"canvas {meta.width_px}x{meta.height_px}: both sides must be even and at least 64")
    if len(set(meta.shape_names)) != NUM_BLENDSHAPES:
        raise IdentityError(f"shape_names: {NUM_BLENDSHAPES} different names expected")
    rows, columns = identity.node_shape
    sizes = {"H": meta.height_px, "W": meta.width_px, "H*3//2": meta.height_px * 3 // 2, "GH": rows, "GW": columns}
    for name, dtype, shape in _LAYOUT:
        array: npt.NDArray[np.generic] = getattr(identity, name)
        if array.dtype != dtype or array.ndim != len(shape):
            raise IdentityError(f"{name}: {dtype.__name__}{list(shape)} expected, got {array.dtype}{list(array.shape)}")
        for wanted, got in zip(shape, array.shape, strict=True):
            size = sizes.setdefault(wanted, got) if isinstance(wanted, str) else wanted
            if size != got:
                found, sought = list(array.shape), list(shape)
                raise IdentityError(f"{name}: shape {found} does not fit {sought} with {wanted}={size}")
    for name in ("triangles", "oval", "lips_upper", "lips_lower", "lids_upper", "lids_lower"):
        index: Int32Array = getattr(identity, name)
        if index.size and (int(index.min()) < 0 or int(index.max()) >= NUM_POINTS):
            raise IdentityError(f"{name}: vertex numbers must lie in 0..{NUM_POINTS - 1}")
