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
class Fall:
    """Hair between two lines that run from the parting to the ends; x counted from the middle."""

    outer: Curve
    inner: Curve
    is_right: bool
    """On the picture's right."""


@dataclass(frozen=True, slots=True)
class HairStyle:
    """Where the hair falls."""

    parting: Curve
    """From the crown to the hairline."""
    right: Fall
    left: Fall
    back: Curve
    """Half an outline of what hangs behind the neck."""


@dataclass(frozen=True, slots=True)
class Look:
    """One drawn person."""

    name: str
    seed: int
    shape: FaceShape
    palette: Palette
    hair: HairStyle


MIRA = Look(
    name="mira",
    seed=11,
    shape=FaceShape(
        oval=(
            (0, 150), (45, 152), (79, 163), (102, 186), (114, 216), (119, 250), (119.5, 285), (116.5, 318),
            (110.5, 350), (100, 382), (84, 410), (63, 434), (41, 450.5), (20, 458), (0, 460),
        ),
        upper_lid=((89.6, 281.3), (82.0, 274.8), (72.2, 270.5), (61.4, 268.6), (50.5, 269.5),
                   (39.7, 274.3), (29.9, 283.0), (23.4, 291.6)),
        lower_lid=((89.6, 281.3), (82.0, 289.0), (71.1, 295.1), (58.1, 297.9), (45.1, 297.9),
                   (33.1, 295.8), (23.4, 291.6)),
        iris=(56.6, 283.2),
        iris_radius_px=16.0,
        brow_upper=((24, 247), (45, 237), (65, 232.5), (82, 237), (99, 249.5)),
        brow_lower=((25, 256), (46, 245.5), (66, 240.5), (82, 243.5), (99, 251)),
        upper_lip=((46.5, 380.5), (37, 379.2), (24.5, 376.8), (12, 374.8), (6.5, 374.8), (0, 376.8)),
        lip_seam=((46.5, 380.5), (41.5, 384.2), (32, 388.2), (19, 390.8), (8, 391.6), (0, 392.6)),
        lower_lip=((46.5, 380.5), (39, 390.6), (29, 400.4), (15, 407.0), (0, 408.8)),
        nose={
            278: (25.5, 341), 294: (25.8, 346.5), 327: (21.5, 352.5), 326: (10, 355.5), 2: (0, 356.5),
            1: (0, 341), 4: (0, 331), 6: (0, 300), 168: (0, 284),
        },
    ),
    palette=Palette(
        skin=((104, 48, 42), (170, 96, 80), (216, 150, 126), (240, 188, 163), (251, 214, 193), (255, 237, 224)),
        blush=(226, 104, 92),
        lip=((104, 34, 44), (158, 62, 70), (196, 92, 94), (222, 126, 122), (244, 176, 168)),
        iris=((38, 26, 20), (74, 50, 26), (142, 92, 44), (214, 152, 82)),
        hair=((28, 14, 12), (84, 44, 28), (152, 88, 54), (232, 168, 112)),
        brow=(70, 40, 28),
        lash=(34, 19, 16),
        coat=((22, 44, 54), (36, 72, 84), (62, 108, 118)),
        blouse=((206, 190, 178), (240, 230, 220), (255, 250, 244)),
    ),
    hair=HairStyle(
        parting=((-24, 54), (-25, 90), (-29, 124), (-35, 156)),
        right=Fall(
            outer=((-24, 53), (30, 49.5), (94, 69), (140, 124), (158, 200), (162, 285), (160, 350), (170, 412),
                   (187, 470), (190, 526), (180, 588), (156, 644)),
            inner=((-35, 154), (2, 162), (53, 185), (91, 220), (108, 262), (112, 312), (105, 360), (101, 394),
                   (106, 432), (122, 470), (124, 520), (118, 570), (108, 634)),
            is_right=True,
        ),
        left=Fall(
            outer=((-24, 53), (-72, 57), (-118, 86), (-149, 144), (-161, 216), (-163, 292), (-161, 352), (-172, 414),
                   (-189, 472), (-190, 530), (-176, 586), (-146, 630)),
            inner=((-35, 154), (-55, 163), (-81, 187), (-101, 223), (-110, 266), (-112, 314), (-106, 362), (-102, 396),
                   (-107, 434), (-123, 472), (-123, 524), (-111, 572), (-94, 618)),
            is_right=False,
        ),
        back=(
            (0, 74), (70, 82), (120, 118), (140, 180), (144, 250), (140, 330), (150, 420), (168, 490), (164, 550),
            (144, 598), (112, 594), (84, 580), (66, 560), (0, 540),
        ),
    ),
)  # fmt: skip
LOOKS = {MIRA.name: MIRA}
