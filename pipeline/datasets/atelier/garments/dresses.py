"""Silhouettes from the shoulders to below the hips: dresses and jumpsuits."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.atelier.attributes import NO_SLEEVES, reach
from pipeline.datasets.atelier.curves import both, mirror, path, rectangle, symmetric, whole
from pipeline.datasets.atelier.figure.legs import Legs, legs
from pipeline.datasets.atelier.figure.torso import INSIDE, Sleeve, Torso, body, inside, sleeves
from pipeline.datasets.atelier.garments.details import bow, buttons, collar, neck_band
from pipeline.datasets.atelier.garments.skirts import Skirt, slit, tiers
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Garment, Layer

SLEEVES = (
    None,
    Sleeve(0.2, 0.15, 0.17),
    Sleeve(0.4, 0.17, 0.15),
    Sleeve(0.98, 0.14, 0.09, 0.08),
    Sleeve(0.42, 0.17, 0.1, 0.05, 0.09),
)


@dataclass(frozen=True)
class Cut:
    """Kind, length and half-width of the hem of a dress."""

    kind: str
    length: float
    hem: float


def mini_dress(t: Tailor) -> Garment:
    """Above the knee: skater, shift, shirt dress or slip."""
    kind = t.choose(("skater", "skater", "shift", "shirt", "slip"))
    return _dress(t, Cut(kind, t.length(1.75, 2.1), t.width(0.5, 0.68)))


def maxi_dress(t: Tailor) -> Garment:
    """To the ankle: full, tiered, wrapped or a slip."""
    kind = t.choose(("full", "tiered", "wrap", "slip"))
    return _dress(t, Cut(kind, t.length(2.55, 3.0), t.width(0.55, 0.85)))


def _dress(t: Tailor, cut: Cut) -> Garment:
    if cut.kind == "slip":
        return _slip(t, cut.length, 0.72 * cut.hem)
    shirt, straight, wrapped = cut.kind == "shirt", cut.kind in ("shirt", "shift"), cut.kind == "wrap"
    waist_y, chest, sleeve = t.number(0.78, 1.0), t.number(0.36, 0.41), t.choose(SLEEVES)
    neck, depth, neckline = t.number(0.16, 0.22), t.number(0.12, 0.3), t.choose(("round", "v", "square"))
    belted, tied, folds = t.chance(0.45), t.chance(0.3), t.number(6, 16)
    trim = (t.accent if t.chance(0.4) else t.cloth).plain()
    waist = chest if straight else 0.29
    torso = Torso(
        shoulder=chest + 0.01,
        chest=chest,
        waist=(chest + waist) / 2 - 0.01,
        hem=waist,
        length=waist_y,
        neck=0.17 if shirt else neck,
        depth={"shirt": 0.1, "wrap": 0.5}.get(cut.kind, depth),
        cut="v" if wrapped else "round" if shirt else neckline,
        bow=0.0,
    )
    layers = _dress_skirt(t, cut, waist, waist_y, folds)
    t.tell(**NO_SLEEVES)
    layers += [*(sleeves(t, torso, sleeve) if sleeve else []), *body(t, torso)]
    girded = belted or wrapped
    t.tell(trim="buttons" if shirt else "none" if not girded else "bow" if tied else "belt", **reach(cut.length))
    if shirt:
        layers += [*collar(t, torso, trim, (0.16, 0.22)), *buttons(t, 0.24, cut.length - 0.15, 7)]
    else:
        layers += neck_band(t, torso, trim, 0.04)
    if wrapped:
        layers += slit(t, 0.16, waist_y, cut.length)
        layers += t.facing(t.seam(path((0.14, 0.1), (0.02, 0.5, -0.2, waist_y)), 0.02))
    if girded:
        fabric = (t.accent if belted else t.cloth).plain()
        band = rectangle(-waist - 0.008, waist_y - 0.05, waist + 0.008, waist_y + 0.05)
        layers += [Cloth(band, fabric, volume=0.5), *(bow(t, fabric, (0.1, waist_y), 0.19) if tied else [])]
    return Garment(inside(t, torso), layers)


def _dress_skirt(t: Tailor, cut: Cut, waist: float, waist_y: float, folds: float) -> list[Layer]:
    hem = waist + 0.1 if cut.kind in ("shirt", "shift") else cut.hem
    skirt = Skirt(waist, 0, hem, cut.length, waist_y - 0.01, 8 if cut.kind == "full" else 0)
    if cut.kind == "tiered":
        second = t.accent if t.chance(0.4) else t.cloth
        return tiers(skirt, (t.cloth, second, t.cloth, second)[: t.choose((3, 4))])
    pleats = {"skater": folds, "full": 0.8 * folds, "wrap": 0.5 * folds}.get(cut.kind, 0)
    return [Cloth(skirt.outline(), t.cloth, pleats=pleats, apex=waist_y - 0.6)]


def _slip(t: Tailor, length: float, hem: float) -> Garment:
    """Thin straps and a body cut in one piece."""
    depth, bust, trim = t.number(0.32, 0.5), 0.34, (t.accent if t.chance(0.4) else t.cloth).plain()
    edge = path((0, depth + 0.06), (0.1, depth + 0.05, 0.2, depth - 0.12), (0.3, depth + 0.05, bust, 0.55))
    fall = (0.108 + 0.7 * hem, (1.4 + length) / 2, hem, length)
    side = path((bust, 0.55), (0.25, 0.95, 0.36, 1.4), fall, (0.5 * hem, length + 0.05, 0, length + 0.06))
    t.tell(**NO_SLEEVES, neck="straps", trim="none", **reach(length))
    strap = rectangle(0.185, 0.0, 0.215, depth - 0.08)
    layers: list[Layer] = [Cloth(each, trim, volume=0.3) for each in both(strap)]
    layers.append(Cloth(whole(np.concatenate([edge, side])), t.cloth))
    layers.append(t.seam(np.concatenate([mirror(edge)[::-1], edge[1:]]), 0.025))
    behind = symmetric((0, depth + 0.05), (bust - 0.05, depth + 0.1), (bust - 0.06, depth + 0.5), (0, depth + 0.5))
    return Garment(t.facing(Cloth(behind, t.cloth.plain(), light=INSIDE, volume=0.3)), layers)


def jumpsuit(t: Tailor) -> Garment:
    """A top and trousers in one: boiler suit, dungarees, or wide and belted."""
    kind = t.choose(("boiler", "dungarees", "wide"))
    hem = {"boiler": 0.13, "dungarees": 0.15, "wide": 0.26}[kind] * t.width(0.9, 1.1)
    knee, hip, length = 0.2 if kind == "wide" else 0.165, t.width(0.38, 0.41), t.length(2.6, 3.0)
    layers = legs(t, Legs(0.31, hip, knee, hem, length, rise=0.93))
    t.tell(**NO_SLEEVES, neck="straps", trim="pocket")
    if kind == "dungarees":
        return Garment([], layers + _bib(t))
    chest, depth, wide = t.number(0.38, 0.43), t.number(0.16, 0.32), kind == "wide"
    long, short = Sleeve(0.98, 0.15, 0.1, 0.1), Sleeve(0.4, 0.17, 0.16, 0.06)
    sleeve, neck, count = t.choose((long, short)), t.number(0.16, 0.2), t.choose((4, 5))
    torso = Torso(chest, chest, chest - 0.05, 0.32, 0.97, neck, depth if wide else 0.1, "v" if wide else "round", 0.0)
    if wide:
        layers += [*body(t, torso), *neck_band(t, torso, t.accent.plain(), 0.04)]
    else:
        layers += [*sleeves(t, torso, sleeve), *body(t, torso)]
        layers += [*collar(t, torso, t.cloth, (0.18, 0.24)), *buttons(t, 0.25, 0.85, count)]
    t.tell(trim="belt" if wide else "buttons", **reach(length))
    layers.append(Cloth(rectangle(-0.325, 0.92, 0.325, 1.03), t.accent.plain(), volume=0.5))
    return Garment(inside(t, torso), layers)


def _bib(t: Tailor) -> list[Layer]:
    strap = path((0.16, 0.0), (0.22, 0.0), (0.21, 0.4), (0.15, 0.4))
    bib = symmetric((0, 0.35), (0.22, 0.35), (0.24, 0.7, 0.33, 0.98), (0, 1.0))
    layers: list[Layer] = [*(Cloth(side, t.cloth, volume=0.4) for side in both(strap)), Cloth(bib, t.cloth)]
    for x in (0.17, -0.17):
        layers += buttons(t, 0.41, 0.41, 1, x=x, radius=0.035)
    layers += t.facing(Cloth(rectangle(-0.13, 0.52, 0.13, 0.78, 0.03), t.cloth, light=0.93, volume=0.4))
    return [*layers, Cloth(rectangle(-0.325, 0.93, 0.325, 1.03), t.cloth, light=0.92, volume=0.4)]
