"""The parameters of a drawn portrait: one value per person."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
Curve = tuple[Point, ...]
Colour = tuple[int, int, int]
"""sRGB, 0..255."""

WIDTH_PX, HEIGHT_PX = 1280, 720
CENTRE_X_PX = 640.0


@dataclass(frozen=True, slots=True)
class FaceShape:
    """Contours of the subject's left half in canvas pixels, x counted from the middle of the face."""

    oval: Curve
    """Top of the forehead to the chin."""
    upper_lid: Curve
    """Outer corner to inner corner, as the lower lid."""
    lower_lid: Curve
    iris: Point
    iris_radius_px: float
    brow_upper: Curve
    """Nose outwards, as the lower edge."""
    brow_lower: Curve
    upper_lip: Curve
    """Corner to middle, as the seam and the lower lip."""
    lip_seam: Curve
    lower_lip: Curve
    nose: dict[int, Point]
    """Landmark number -> place."""
    depth: float = 1.0
    """Depth of the relief against the reference face."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that make the person."""

    skin: tuple[Colour, ...]
    """From deep shadow to highlight, evenly spaced in light."""
    blush: Colour
    lip: tuple[Colour, ...]
    """From shadow to highlight."""
    iris: tuple[Colour, ...]
    """Rim, dark ring, body, glow."""
    hair: tuple[Colour, ...]
    """Deep shadow, body, sheen, sun."""
    brow: Colour
    lash: Colour
    coat: tuple[Colour, ...]
    blouse: tuple[Colour, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One drawn person."""

    name: str
    seed: int
    shape: FaceShape
    palette: Palette


MIRA = Look(
    name="mira",
    seed=11,
    shape=FaceShape(
        oval=(
            (0, 150), (45, 152), (79, 163), (102, 186), (114, 216), (119, 250), (119.5, 285), (117, 318),
            (112, 350), (102.5, 382), (88, 410), (67, 434), (43, 450.5), (20, 457.5), (0, 459),
        ),
        upper_lid=((87, 282.5), (80, 275.5), (71, 270.5), (61, 268), (51, 268.8), (41, 273.8), (32, 282.8), (26, 291)),
        lower_lid=((87, 282.5), (80, 290), (70, 295.8), (58, 298.5), (46, 298.2), (35, 295.5), (26, 291)),
        iris=(56.5, 283.0),
        iris_radius_px=14.8,
        brow_upper=((24, 248.5), (45, 239), (64, 235.5), (80, 239.5), (96, 251)),
        brow_lower=((25, 258.0), (46, 248), (65, 243.8), (80, 246.5), (96, 252.5)),
        upper_lip=((43.5, 385.5), (35, 381.8), (24, 377.8), (12, 374.9), (6.5, 374.8), (0, 377.0)),
        lip_seam=((43.5, 385.5), (38, 387.4), (29, 389.4), (18, 390.7), (8, 391.0), (0, 392.2)),
        lower_lip=((43.5, 385.5), (36.5, 393.0), (27, 401.0), (15, 406.6), (0, 408.6)),
        nose={
            278: (25.5, 341), 294: (25.8, 346.5), 327: (21.5, 352.5), 326: (10, 355.5), 2: (0, 356.5),
            1: (0, 341), 4: (0, 331), 6: (0, 300), 168: (0, 284),
        },
    ),
    palette=Palette(
        skin=((112, 52, 42), (176, 98, 76), (222, 152, 122), (243, 188, 158), (252, 214, 190), (255, 236, 220)),
        blush=(226, 104, 92),
        lip=((104, 34, 44), (158, 62, 70), (196, 92, 94), (222, 126, 122), (244, 176, 168)),
        iris=((38, 26, 20), (74, 50, 26), (142, 92, 44), (214, 152, 82)),
        hair=((28, 14, 12), (84, 44, 28), (152, 88, 54), (232, 168, 112)),
        brow=(70, 40, 28),
        lash=(34, 19, 16),
        coat=((22, 44, 54), (36, 72, 84), (62, 108, 118)),
        blouse=((206, 190, 178), (240, 230, 220), (255, 250, 244)),
    ),
)  # fmt: skip
LOOKS = {MIRA.name: MIRA}
