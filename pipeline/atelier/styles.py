"""The two shops: what they sell looks like, and how they and their customers photograph it."""

from dataclasses import dataclass

import numpy as np

from pipeline.atelier.fabric import Colour, Fabric, brightness, colour, mix
from pipeline.atelier.tailor import Proportions

Range = tuple[float, float]


@dataclass(frozen=True)
class Camera:
    """Ranges of a camera: `turn` radians, `size` share of the frame that the garment fills, `shift` of its centre.

    `warp` of the cloth, `warmth` (red up, blue down) and `exposure` as shares of the light, `shadow` depth of uneven
    light, `blur` and `noise` in pixels and levels at 96 px, JPEG `quality`.
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
    """One meta-domain. `plain` share of plain cloth, `favourites` patterns drawn three times as often."""

    palette: tuple[Colour, ...]
    proportions: Proportions
    plain: float
    favourites: frozenset[str]
    backdrops: tuple[tuple[Colour, Colour], ...]
    hanger: float
    shop: Camera
    worn: float
    rooms: tuple[str, ...]
    floors: tuple[str, ...]
    consumer: Camera
    arms: Range


def _palette(codes: str) -> tuple[Colour, ...]:
    return tuple(colour(code) for code in codes.split())


SOURCE = Style(
    palette=_palette(
        "#f4f3ef #20232a #1f2f56 #d8342f #f2b632 #2f6b46 #6fb4e0 #f3a7b4 #b9a3dc #1f8a8c #ee7a36 #9aa0a6 #4c5058 "
        "#d9c7a6 #7b1e34 #6b7338 #2f57c4 #9fdcc3 #f0675e #7a4a2b #f6ecc9 #e4519a #5b3b8c #a7c84a"
    ),
    proportions=Proportions(ease=0.98, length=1.15, extras=1.0),
    plain=0.3,
    favourites=frozenset({"stripes", "breton", "dots", "gingham", "block", "band"}),
    backdrops=(
        ((255, 255, 255), (246, 247, 249)),
        ((252, 252, 252), (238, 240, 243)),
        ((255, 255, 255), (255, 255, 255)),
    ),
    hanger=0.0,
    shop=Camera(
        (-0.02, 0.02), (0.86, 0.93), 0.01, 0.0, (-0.01, 0.01), (0.0, 0.04), (0.0, 0.03), (0.0, 0.2), (0, 1), (88, 95)
    ),
    worn=0.45,
    rooms=("bedroom", "mirror", "kitchen"),
    floors=("bed", "parquet", "rug", "tiles"),
    consumer=Camera(
        (-0.5, 0.5), (0.58, 0.86), 0.09, 0.05, (-0.02, 0.14), (-0.12, 0.2), (0.08, 0.38), (0.0, 0.9), (1, 4), (45, 80)
    ),
    arms=(0.22, 0.5),
)

TARGET = Style(
    palette=_palette(
        "#efe9dc #26262b #3a4658 #b5533c #c8963e #5f6f52 #8fa6b2 #d9b3a6 #8d7a94 #3f6f73 #c77f4f #b9b4aa #5a5552 "
        "#c9b391 #6d2e3a #7d7a4b #56688f #b7c4ab #cf8a80 #5c4030 #e6d8b8 #a8617a #4a3d56 #94a07a"
    ),
    proportions=Proportions(ease=1.1, length=0.75, extras=1.25),
    plain=0.4,
    favourites=frozenset({"floral", "tartan", "windowpane", "leopard", "chevron", "gradient", "pinstripe"}),
    backdrops=(((233, 226, 214), (208, 198, 183)), ((222, 226, 226), (196, 203, 205)), ((238, 226, 220), (216, 200, 192)),
               ((226, 228, 218), (202, 206, 192))),
    hanger=0.55,
    shop=Camera((-0.04, 0.04), (0.78, 0.9), 0.03, 0.0, (0.0, 0.06), (-0.1, 0.04), (0.05, 0.2), (0.1, 0.45), (1, 3), (74, 88)),
    worn=0.65,
    rooms=("street", "park", "bricks", "cafe"),
    floors=("concrete", "grass", "planks", "blanket"),
    consumer=Camera((-0.7, 0.7), (0.48, 0.8), 0.12, 0.08, (-0.12, 0.06), (-0.1, 0.28), (0.15, 0.5), (0.2, 1.1), (2, 7), (30, 64)),
    arms=(0.1, 0.34),
)  # fmt: skip

DENIM = _palette("#2b3f66 #4a6a9a #86a6c8 #23252b #b9cbdc #5a6270 #e4e2da")
STRAW = _palette("#d9bf8b #c49a5b #e8d9b8 #8a6a45 #f0e6cf #3a332d")
LEATHER = _palette("#7a4a2b #2a2526 #b5713d #8e2f2f #d9c7a6 #3d4a3a #e7ded1 #5a3a52 #c98f8f #34466b")
METAL = _palette("#c9a24a #b8bcc2 #2b2b2e #efe9dc #8a5a2e")
STITCH = _palette("#d18a3c #e6c069 #c9c9c4")

# kind of cloth: weaves, and patterns with their frequency among patterned cloths
CLOTHS: dict[str, tuple[tuple[str, ...], dict[str, float]]] = {
    "jersey": (("smooth", "smooth", "rib"), {"stripes": 3, "breton": 3, "triple": 1, "band": 2, "block": 2, "gradient": 1,
                                             "tie_dye": 1, "dots": 1, "diagonal": 1, "leopard": 1}),
    "shirting": (("smooth",), {"pinstripe": 2, "candy": 2, "gingham": 2, "tartan": 3, "windowpane": 1, "dots": 1, "floral": 2, "halves": 0.5}),
    "flowing": (("smooth",), {"floral": 4, "dots": 2, "leopard": 1, "gradient": 1, "candy": 1, "chevron": 1, "blotches": 1, "gingham": 1, "stripes": 1}),
    "knit": (("rib", "cable"), {"breton": 2, "stripes": 2, "argyle": 2, "chevron": 2, "band": 2, "block": 2, "triple": 1, "diagonal": 1}),
    "fleece": (("smooth",), {"block": 3, "band": 2, "tie_dye": 2, "blotches": 1, "gradient": 1, "diagonal": 2, "halves": 1}),
    "shell": (("smooth", "quilted", "quilted", "diamond"), {"block": 3, "blotches": 2, "band": 2, "diagonal": 1, "gradient": 1, "leopard": 0.5}),
    "suiting": (("smooth",), {"pinstripe": 3, "windowpane": 2, "tartan": 2, "gingham": 1, "chevron": 1, "leopard": 0.5}),
    "skirting": (("smooth",), {"floral": 2, "tartan": 2, "dots": 2, "candy": 1, "gingham": 1, "leopard": 1, "stripes": 1, "windowpane": 1, "chevron": 1}),
    "sport": (("smooth",), {"block": 2, "blotches": 2, "leopard": 1, "gradient": 2, "tie_dye": 1, "chevron": 1, "diagonal": 1}),
    "canvas": (("smooth",), {"candy": 2, "gingham": 1, "blotches": 1, "floral": 1, "dots": 1, "windowpane": 1, "tartan": 1, "block": 1}),
    "denim": (("denim",), {"gradient": 1, "halves": 0.3}),
    "straw": (("diamond", "rib"), {"breton": 1, "stripes": 1}),
    "leather": (("smooth", "smooth", "diamond"), {"block": 1, "leopard": 1, "halves": 0.5, "gingham": 0.5}),
}  # fmt: skip
OWN_COLOURS = {"denim": DENIM, "straw": STRAW, "leather": LEATHER}


def choose_cloth(
    rng: np.random.Generator, style: Style, kind: str, top: float, extent: float
) -> tuple[Fabric, Fabric, Colour]:
    """Main cloth, accent cloth and colour of the trims for an item of this kind of cloth."""
    weaves, patterns = CLOTHS[kind]
    colours = OWN_COLOURS.get(kind, style.palette)
    names = sorted(patterns)
    weights = np.array([patterns[name] * (3 if name in style.favourites else 1) for name in names])
    pattern = str(rng.choice(names, p=weights / weights.sum()))
    plain = rng.random() < (0.8 if kind == "denim" else style.plain)
    ground, second, third = (colours[i] for i in rng.choice(len(colours), 3, replace=False))
    if abs(brightness(ground) - brightness(second)) < 0.18:  # a pattern has to show
        second = mix(second, (250, 248, 242) if brightness(ground) < 0.5 else (32, 30, 40), 0.55)
    fabric = Fabric(
        (ground, second, third),
        "plain" if plain else pattern,
        str(rng.choice(weaves)),
        extent * rng.uniform(0.075, 0.15),
        float(rng.random()),
        top,
        extent,
    )
    accent = Fabric((second, ground), weave=fabric.weave, top=top, extent=extent)
    trims = STITCH if kind == "denim" else METAL
    return fabric, accent, trims[rng.integers(len(trims))]
