"""Which cloth an item is made of."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.atelier.cloth.fabric import Fabric, Materials, brightness, mix, palette
from pipeline.datasets.atelier.styles import Style

DENIM = palette("#2b3f66 #4a6a9a #86a6c8 #23252b #b9cbdc #5a6270 #e4e2da")
STRAW = palette("#d9bf8b #c49a5b #e8d9b8 #8a6a45 #f0e6cf #3a332d")
LEATHER = palette("#7a4a2b #2a2526 #b5713d #8e2f2f #d9c7a6 #3d4a3a #e7ded1 #5a3a52 #c98f8f #34466b")
METAL = palette("#c9a24a #b8bcc2 #2b2b2e #efe9dc #8a5a2e")
PLAIN_DENIM = 0.8
STITCH = palette("#d18a3c #e6c069 #c9c9c4")


@dataclass(frozen=True)
class ClothKind:
    """What cloth of a kind may be: its weaves, its common patterns, and those a third as frequent."""

    weaves: str
    common: str
    rare: str


CLOTHS = {
    "jersey": ClothKind(
        "smooth smooth rib", "stripes breton band block", "triple gradient tie_dye dots diagonal leopard"
    ),
    "shirting": ClothKind("smooth", "pinstripe candy gingham tartan floral", "windowpane dots halves"),
    "flowing": ClothKind("smooth", "floral dots", "leopard gradient candy chevron blotches gingham stripes"),
    "knit": ClothKind("rib cable", "breton stripes argyle chevron band block", "triple diagonal"),
    "fleece": ClothKind("smooth", "block band tie_dye diagonal", "blotches gradient halves"),
    "shell": ClothKind("smooth quilted diamond", "block blotches band", "diagonal gradient leopard"),
    "suiting": ClothKind("smooth", "pinstripe windowpane tartan", "gingham chevron leopard"),
    "skirting": ClothKind("smooth", "floral tartan dots", "candy gingham leopard stripes windowpane chevron"),
    "sport": ClothKind("smooth", "block blotches gradient", "leopard tie_dye chevron diagonal"),
    "canvas": ClothKind("smooth", "candy", "gingham blotches floral dots windowpane tartan block"),
    "denim": ClothKind("denim", "gradient", "halves"),
    "straw": ClothKind("diamond rib", "breton stripes", ""),
    "leather": ClothKind("smooth smooth diamond", "block leopard", "halves gingham"),
}
OWN_COLOURS = {"denim": DENIM, "straw": STRAW, "leather": LEATHER}


def choose_materials(rng: np.random.Generator, style: Style, kind: str, top: float, extent: float) -> Materials:
    """Materials of this kind of cloth for an item that reaches from `top` over `extent` body units."""
    cloth = CLOTHS[kind]
    colours = OWN_COLOURS.get(kind, style.palette)
    names = [*cloth.common.split(), *cloth.rare.split()]
    weights = np.where(np.arange(len(names)) < len(cloth.common.split()), 3.0, 1.0)
    weights *= [3.0 if name in style.favourites else 1.0 for name in names]
    pattern = str(rng.choice(names, p=weights / weights.sum()))
    if rng.random() < (PLAIN_DENIM if kind == "denim" else style.plain):
        pattern = "plain"
    ground, second, third = (colours[i] for i in rng.choice(len(colours), 3, replace=False))
    if abs(brightness(ground) - brightness(second)) < 0.18:  # a pattern has to show
        second = mix(second, (250, 248, 242) if brightness(ground) < 0.5 else (32, 30, 40), 0.55)
    main = Fabric(
        (ground, second, third),
        pattern,
        str(rng.choice(cloth.weaves.split())),
        period=extent * rng.uniform(0.075, 0.15),
        phase=float(rng.random()),
        top=top,
        extent=extent,
    )
    trims = STITCH if kind == "denim" else METAL
    accent = replace(main, colours=(second, ground), pattern="plain")
    return Materials(main, accent, trims[rng.integers(len(trims))])
