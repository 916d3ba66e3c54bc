"""Silhouettes from the shoulders to below the hips: dresses and jumpsuits."""

import numpy as np

from pipeline.atelier.curves import path, rectangle, whole
from pipeline.atelier.layers import Cloth, Garment, Layer
from pipeline.atelier.lower import Legs, legs
from pipeline.atelier.skirts import Skirt, slit, tiers
from pipeline.atelier.tailor import Tailor
from pipeline.atelier.torso import SIDES, Sleeve, Torso, body, buttons, collar, inside, neck_band, sleeves


def mini_dress(t: Tailor) -> Garment:
    """Above the knee: skater, shift, shirt dress or slip."""
    kind = t.choose(("skater", "shift", "shirt", "slip", "skater"))
    return _dress(t, kind, t.length(1.75, 2.1), t.width(0.5, 0.68))


def maxi_dress(t: Tailor) -> Garment:
    """To the ankle: full, tiered, wrapped or a column."""
    kind = t.choose(("full", "tiered", "wrap", "slip"))
    return _dress(t, kind, t.length(2.55, 3.0), t.width(0.55, 0.85))


def _dress(t: Tailor, kind: str, length: float, hem: float) -> Garment:
    waist_y = t.number(0.78, 1.0)
    chest = t.number(0.36, 0.41)
    arms = t.choose(("none", "cap", "short", "long", "puff"))
    neck, depth, cut = t.number(0.16, 0.22), t.number(0.12, 0.3), t.choose(("round", "v", "square"))
    belt, trim, folds, count = t.chance(0.45), t.chance(0.4), t.number(6, 16), int(t.choose((3, 4)))
    contrast = t.chance(0.3)
    if kind == "slip":
        return _slip(t, length, hem * 0.72, depth + 0.2, trim=trim)
    if kind == "wrap":
        cut, depth = "v", 0.5
    if kind == "shirt":
        depth, neck = 0.1, 0.17
    waist = 0.29 if kind != "shift" and kind != "shirt" else chest
    torso = Torso(chest + 0.01, chest, (chest + waist) / 2 - 0.01, waist, waist_y, neck, depth, cut, bow=0.0)
    skirt = Skirt(waist, 0, hem if kind not in ("shift", "shirt") else chest + 0.1, length, waist_y - 0.01, 8 if kind == "full" else 0)
    layers: list[Layer] = []
    if kind == "tiered":
        layers += tiers(skirt, ([t.cloth, t.accent] * 2 if contrast else [t.cloth] * 4)[:count])
    else:
        pleats = {"skater": folds, "full": folds * 0.8, "wrap": folds * 0.5}.get(kind, 0)
        layers.append(Cloth(skirt.outline(), t.cloth, pleats=pleats, apex=waist_y - 0.6))
    sleeve = {"cap": Sleeve(0.2, 0.15, 0.17), "short": Sleeve(0.4, 0.17, 0.15), "long": Sleeve(0.98, 0.14, 0.09, 0.08),
              "puff": Sleeve(0.42, 0.17, 0.1, 0.05, 0.09)}.get(arms)  # fmt: skip
    if sleeve:
        layers += sleeves(t, torso, sleeve)
    layers += body(t, torso)
    if kind == "shirt":
        layers += [*collar(t, torso, t.accent.plain() if trim else t.cloth, (0.16, 0.22)), *buttons(t, 0.24, length - 0.15, 7)]
    else:
        layers += neck_band(t, torso, (t.accent if trim else t.cloth).plain(), 0.04)
    if kind == "wrap":
        layers += slit(t, 0.16, waist_y, length)
        if not t.pose.back:
            layers.append(t.seam(path((0.14, 0.1), (0.02, 0.5, -0.2, waist_y)), 0.02))
    if belt or kind == "wrap":
        fabric = (t.accent if belt else t.cloth).plain()
        layers.append(Cloth(rectangle(-waist - 0.008, waist_y - 0.05, waist + 0.008, waist_y + 0.05), fabric, volume=0.5))
        if not t.pose.back and contrast:
            loop = path((0.1, waist_y), (0.2, waist_y - 0.14, 0.27, waist_y - 0.04), (0.25, waist_y + 0.12, 0.1, waist_y))
            tail = path((0.09, waist_y), (0.16, waist_y + 0.2, 0.14, waist_y + 0.42), (0.2, waist_y + 0.4), (0.2, waist_y + 0.1, 0.12, waist_y))
            layers += [Cloth(shape, fabric, volume=0.6) for shape in (tail, loop, (loop - (0.1, 0)) * (-1, 1) + (0.1, 0))]
    return Garment(inside(t, torso), layers)


def _slip(t: Tailor, length: float, hem: float, depth: float, *, trim: bool) -> Garment:
    """Thin straps and a body cut in one piece."""
    bust = 0.34
    half = path(
        (0, depth + 0.06), (0.1, depth + 0.05, 0.2, depth - 0.12), (0.3, depth + 0.05, bust, 0.5),
        (0.25, 0.95, 0.36, 1.4), (0.3 * 0.36 + 0.7 * hem, (1.4 + length) / 2, hem, length), (0.5 * hem, length + 0.05, 0, length + 0.06),
    )  # fmt: skip
    top = 0.05 if not t.pose.back else 0.3
    straps = [Cloth(rectangle(0.185, 0.0, 0.215, depth - 0.08) * (s, 1), (t.accent if trim else t.cloth).plain(), volume=0.3) for s in SIDES]
    back = whole(path((0, depth + top), (bust - 0.05, depth + 0.1), (bust - 0.06, depth + 0.5), (0, depth + 0.5)))
    layers: list[Layer] = [*straps, Cloth(whole(half), t.cloth)]
    if trim:
        edge = half[:21]
        line = np.concatenate([(edge * (-1, 1))[::-1], edge[1:]])
        layers.append(t.seam(line, 0.04))
    return Garment([] if t.pose.back else [Cloth(back, t.cloth.plain(), light=0.5, volume=0.3)], layers)


def jumpsuit(t: Tailor) -> Garment:
    """A top and trousers in one, belted; or dungarees."""
    kind = t.choose(("boiler", "strap", "wide"))
    chest = t.number(0.38, 0.43)
    hem = {"boiler": 0.13, "strap": 0.15, "wide": 0.26}[kind] * t.width(0.9, 1.1)
    cut = Legs(0.31, t.width(0.38, 0.41), 0.2 if kind == "wide" else 0.165, hem, t.length(2.6, 3.0), rise=0.93)
    neck, depth, count, long = t.number(0.16, 0.2), t.number(0.16, 0.32), int(t.choose((4, 5))), t.chance(0.5)
    layers = legs(t, cut)
    if kind == "strap":
        bib = whole(path((0, 0.35), (0.22, 0.35), (0.24, 0.7, 0.33, 0.98), (0, 1.0)))
        straps = [Cloth(np.array([(0.16, 0.0), (0.22, 0.0), (0.21, 0.4), (0.15, 0.4)]) * (s, 1), t.cloth, volume=0.4) for s in SIDES]
        layers += [*straps, Cloth(bib, t.cloth), *buttons(t, 0.41, 0.41, 1, x=0.17, radius=0.035), *buttons(t, 0.41, 0.41, 1, x=-0.17, radius=0.035)]
        if not t.pose.back:
            layers.append(Cloth(rectangle(-0.13, 0.52, 0.13, 0.78, 0.03), t.cloth, light=0.93, volume=0.4))
        layers.append(Cloth(rectangle(-0.325, 0.93, 0.325, 1.03), t.cloth, light=0.92, volume=0.4))
        return Garment([], layers)
    torso = Torso(chest, chest, chest - 0.05, 0.32, 0.97, neck, depth if kind == "wide" else 0.1, "v" if kind == "wide" else "round", 0.0)
    arm = Sleeve(0.98, 0.15, 0.1, 0.1) if long else Sleeve(0.4, 0.17, 0.16, 0.06)
    layers += [*(sleeves(t, torso, arm) if kind == "boiler" else []), *body(t, torso)]
    if kind == "boiler":
        layers += [*collar(t, torso, t.cloth, (0.18, 0.24)), *buttons(t, 0.25, 0.85, count)]
    else:
        layers += neck_band(t, torso, t.accent.plain(), 0.04)
    layers.append(Cloth(rectangle(-0.325, 0.92, 0.325, 1.03), t.accent.plain(), volume=0.5))
    return Garment(inside(t, torso), layers)
