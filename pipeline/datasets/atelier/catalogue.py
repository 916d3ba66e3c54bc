"""Every silhouette by name, and the two shops' categories."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.datasets.atelier.garments import bags, dresses, hats, outerwear, skirts, tops, trousers
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Garment

Place = Literal["upper", "lower", "whole", "head", "hand"]


@dataclass(frozen=True)
class Silhouette:
    """How a garment is drawn, the kind of cloth it is made of, where it is worn.

    It reaches from about `top` over `extent` body units; `layered`: worn open over other clothes.
    """

    draw: Callable[[Tailor], Garment]
    cloth: str
    place: Place
    top: float = 0.0
    extent: float = 1.4
    layered: bool = False


SILHOUETTES: dict[str, Silhouette] = {
    "t_shirt": Silhouette(tops.t_shirt, "jersey", "upper"),
    "tank_top": Silhouette(tops.tank_top, "jersey", "upper"),
    "shirt": Silhouette(tops.shirt, "shirting", "upper"),
    "blouse": Silhouette(tops.blouse, "flowing", "upper"),
    "polo": Silhouette(tops.polo, "jersey", "upper"),
    "sweater": Silhouette(tops.sweater, "knit", "upper"),
    "hoodie": Silhouette(outerwear.hoodie, "fleece", "upper"),
    "cardigan": Silhouette(outerwear.cardigan, "knit", "upper", layered=True),
    "jacket": Silhouette(outerwear.jacket, "shell", "upper", layered=True),
    "blazer": Silhouette(outerwear.blazer, "suiting", "upper", layered=True),
    "coat": Silhouette(outerwear.coat, "suiting", "whole", extent=2.3, layered=True),
    "mini_dress": Silhouette(dresses.mini_dress, "flowing", "whole", extent=2.0),
    "maxi_dress": Silhouette(dresses.maxi_dress, "flowing", "whole", extent=2.8),
    "jumpsuit": Silhouette(dresses.jumpsuit, "canvas", "whole", extent=2.8),
    "mini_skirt": Silhouette(skirts.mini_skirt, "skirting", "lower", 0.95, 0.9),
    "midi_skirt": Silhouette(skirts.midi_skirt, "skirting", "lower", 0.95, 1.5),
    "trousers": Silhouette(trousers.trousers, "suiting", "lower", 0.95, 2.0),
    "jeans": Silhouette(trousers.jeans, "denim", "lower", 0.95, 2.0),
    "leggings": Silhouette(trousers.leggings, "sport", "lower", 0.95, 2.0),
    "shorts": Silhouette(trousers.shorts, "canvas", "lower", 0.95, 1.0),
    "bermudas": Silhouette(trousers.bermudas, "canvas", "lower", 0.95, 1.3),
    "beanie": Silhouette(hats.beanie, "knit", "head", -1.0, 0.7),
    "cap": Silhouette(hats.cap, "canvas", "head", -0.9, 0.7),
    "sun_hat": Silhouette(hats.sun_hat, "straw", "head", -0.9, 0.8),
    "bucket_hat": Silhouette(hats.bucket_hat, "skirting", "head", -0.9, 0.7),
    "tote": Silhouette(bags.tote, "canvas", "hand", 1.7, 1.2),
    "handbag": Silhouette(bags.handbag, "leather", "hand", 1.6, 0.9),
    "backpack": Silhouette(bags.backpack, "shell", "hand", 1.5, 1.0),
}

# The source shop's categories are silhouettes. In this order any twelve items in a row have two of each aligned kind.
SOURCE_CATEGORIES = (
    "t_shirt", "jacket", "mini_dress", "mini_skirt", "jeans", "shorts",
    "shirt", "coat", "maxi_dress", "midi_skirt", "trousers", "bermudas",
    "sweater", "blazer", "blouse", "hoodie", "leggings", "polo", "tank_top", "cardigan", "jumpsuit",
)  # fmt: skip

# The target shop's categories are coarser, and hats and bags are none of the source's.
TARGET_CATEGORIES: dict[str, tuple[str, ...]] = {
    "tops": ("t_shirt", "shirt", "blouse", "polo", "sweater", "tank_top"),
    "outerwear": ("jacket", "coat", "blazer", "hoodie", "cardigan"),
    "dresses": ("mini_dress", "maxi_dress"),
    "skirts": ("mini_skirt", "midi_skirt"),
    "trousers": ("jeans", "trousers", "leggings"),
    "shorts": ("shorts", "bermudas"),
    "hats": ("beanie", "cap", "sun_hat", "bucket_hat"),
    "bags": ("tote", "handbag", "backpack"),
}
