"""The two shops: what they sell looks like, and how they and their customers photograph it."""

from dataclasses import dataclass

from pipeline.datasets.atelier.cloth.fabric import Colour, palette
from pipeline.datasets.atelier.garments.tailor import Proportions

Range = tuple[float, float]
Backdrop = tuple[Colour, Colour]  # above, below
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Camera:
    """Ranges of what a camera does to a picture.

    `turn`: radians. `size`: share of the frame that the garment fills; `shift` of its centre, in halves of the frame.
    `warp`: how far cloth is pulled, in halves of the frame. `warmth` (red up, blue down), `exposure` and `shadow`
    (depth of uneven light): shares of the light. `blur`: pixels and `noise`: levels, at 96 px. `quality` of the JPEG.
    """

    turn: Range
    size: Range
    shift: float
    warp: float
    warmth: Range
    exposure: Range
    shadow: Range
    blur: Range
    noise: Range
    quality: tuple[int, int]


@dataclass(frozen=True)
class Style:
    """One meta-domain.

    `plain`: share of plain cloth; `favourites`: patterns drawn three times as often. `hanger`: share of shop pictures
    with one; `arms`: how far sleeves stick out there, radians. `worn`: share of consumer pictures with a wearer.
    """

    palette: tuple[Colour, ...]
    proportions: Proportions
    plain: float
    favourites: frozenset[str]
    backdrops: tuple[Backdrop, ...]
    hanger: float
    arms: Range
    shop: Camera
    worn: float
    rooms: tuple[str, ...]
    floors: tuple[str, ...]
    consumer: Camera


SOURCE = Style(
    palette=palette(
        "#f4f3ef #20232a #1f2f56 #d8342f #f2b632 #2f6b46 #6fb4e0 #f3a7b4 #b9a3dc #1f8a8c #ee7a36 #9aa0a6 "
        "#4c5058 #d9c7a6 #7b1e34 #6b7338 #2f57c4 #9fdcc3 #f0675e #7a4a2b #f6ecc9 #e4519a #5b3b8c #a7c84a"
    ),
    proportions=Proportions(ease=0.98, length=1.15, extras=1.0),
    plain=0.3,
    favourites=frozenset({"stripes", "breton", "dots", "gingham", "block", "band"}),
    backdrops=((WHITE, (246, 247, 249)), ((252, 252, 252), (238, 240, 243)), (WHITE, WHITE)),
    hanger=0.0,
    arms=(0.22, 0.5),
    shop=Camera(
        turn=(-0.02, 0.02),
        size=(0.86, 0.93),
        shift=0.01,
        warp=0.0,
        warmth=(-0.01, 0.01),
        exposure=(0.0, 0.04),
        shadow=(0.0, 0.03),
        blur=(0.0, 0.2),
        noise=(0.0, 1.0),
        quality=(88, 95),
    ),
    worn=0.45,
    rooms=("bedroom", "mirror", "kitchen"),
    floors=("bed", "parquet", "rug", "tiles"),
    consumer=Camera(
        turn=(-0.5, 0.5),
        size=(0.58, 0.86),
        shift=0.09,
        warp=0.05,
        warmth=(-0.02, 0.14),
        exposure=(-0.12, 0.2),
        shadow=(0.08, 0.38),
        blur=(0.0, 0.9),
        noise=(1.0, 4.0),
        quality=(45, 80),
    ),
)

TARGET = Style(
    palette=palette(
        "#efe9dc #26262b #3a4658 #b5533c #c8963e #5f6f52 #8fa6b2 #d9b3a6 #8d7a94 #3f6f73 #c77f4f #b9b4aa "
        "#5a5552 #c9b391 #6d2e3a #7d7a4b #56688f #b7c4ab #cf8a80 #5c4030 #e6d8b8 #a8617a #4a3d56 #94a07a"
    ),
    proportions=Proportions(ease=1.1, length=0.75, extras=1.25),
    plain=0.4,
    favourites=frozenset({"floral", "tartan", "windowpane", "leopard", "chevron", "gradient", "pinstripe"}),
    backdrops=(
        ((233, 226, 214), (208, 198, 183)),
        ((222, 226, 226), (196, 203, 205)),
        ((238, 226, 220), (216, 200, 192)),
        ((226, 228, 218), (202, 206, 192)),
    ),
    hanger=0.55,
    arms=(0.1, 0.34),
    shop=Camera(
        turn=(-0.04, 0.04),
        size=(0.78, 0.9),
        shift=0.03,
        warp=0.0,
        warmth=(0.0, 0.06),
        exposure=(-0.1, 0.04),
        shadow=(0.05, 0.2),
        blur=(0.1, 0.45),
        noise=(1.0, 3.0),
        quality=(74, 88),
    ),
    worn=0.65,
    rooms=("street", "park", "bricks", "cafe"),
    floors=("concrete", "grass", "planks", "blanket"),
    consumer=Camera(
        turn=(-0.7, 0.7),
        size=(0.48, 0.8),
        shift=0.12,
        warp=0.08,
        warmth=(-0.12, 0.06),
        exposure=(-0.1, 0.28),
        shadow=(0.15, 0.5),
        blur=(0.2, 1.1),
        noise=(2.0, 7.0),
        quality=(30, 64),
    ),
)
