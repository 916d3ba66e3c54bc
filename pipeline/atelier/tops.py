"""Silhouettes of tops. Each takes the item's tailor and gives the garment."""

import numpy as np

from pipeline.atelier.curves import path, rectangle, tube, whole
from pipeline.atelier.layers import Cloth, Flat, Garment, Layer, Stroke
from pipeline.atelier.motifs import motif
from pipeline.atelier.tailor import Tailor
from pipeline.atelier.torso import (
    ARMPIT_Y,
    SIDES,
    Sleeve,
    Torso,
    body,
    buttons,
    collar,
    hem_band,
    inside,
    neck_band,
    patch_pocket,
    placket,
    sleeves,
)


def t_shirt(t: Tailor) -> Garment:
    """Short sleeves, round or V neck, often with a print."""
    chest = t.width(0.42, 0.52)
    torso = Torso(
        shoulder=chest + t.number(0.0, 0.05),
        chest=chest,
        waist=chest - t.number(0.0, 0.07),
        hem=chest + t.number(-0.03, 0.03),
        length=t.length(1.1, 1.5),
        neck=t.number(0.16, 0.22),
        depth=t.number(0.12, 0.24),
        cut=t.choose(("round", "round", "v")),
    )
    sleeve = Sleeve(t.length(0.28, 0.5), 0.17, t.width(0.15, 0.19), band=0.06 if t.chance(0.3) else 0.0)
    ringer = t.chance(0.3)
    extra = t.choose(("print", "print", "pocket", "none"))
    figure = motif(t, (0, 0.66), t.number(0.17, 0.25))
    layers = [*sleeves(t, torso, sleeve, t.accent if ringer else None), *body(t, torso)]
    layers += neck_band(t, torso, t.accent if ringer else t.cloth.plain())
    if t.cloth.pattern in ("plain", "gradient") and extra == "print" and not t.pose.back:
        layers += figure
    if extra == "pocket":
        layers += patch_pocket(t, 0.21, 0.5, 0.09, 0.2)
    return Garment(inside(t, torso), layers)


def tank_top(t: Tailor) -> Garment:
    """Straps, no sleeves."""
    chest, strap = t.width(0.37, 0.43), t.number(0.04, 0.1)
    neck, depth = t.number(0.15, 0.2), t.number(0.26, 0.4)
    length, hem = t.length(1.1, 1.45), t.width(0.38, 0.5)
    cut, trim, armhole = t.choose(("round", "round", "v", "square")), t.chance(0.5), t.number(0.46, 0.56)
    front = Torso(neck + strap, chest, 0.96 * chest, hem, length, neck, depth, cut, nape=0.5 * depth)
    neckline = front.neckline(t.pose.back)
    side = path(
        (neck + strap, 0.025),
        (neck + strap - 0.03, 0.85 * armhole, chest, armhole),
        (chest - 0.04, (armhole + length) / 2, hem, length),
        (0.5 * hem, length + 0.03, 0, length + 0.03),
    )
    layers: list[Layer] = [Cloth(whole(np.concatenate([neckline, side])), t.cloth)]
    if trim:
        layers += neck_band(t, front, t.accent, 0.045)
        layers += [Cloth(tube(side[1:11] * (s, 1), 0.02), t.accent, volume=0.3) for s in SIDES]
    return Garment(inside(t, front), layers)


def shirt(t: Tailor) -> Garment:
    """Collar, buttons all the way, long or short sleeves, a pocket."""
    chest = t.width(0.43, 0.52)
    torso = Torso(
        shoulder=chest + 0.02,
        chest=chest,
        waist=chest - t.number(0.0, 0.06),
        hem=chest + t.number(-0.02, 0.05),
        length=t.length(1.3, 1.6),
        neck=0.17,
        depth=0.1,
        bow=t.choose((0.03, 0.12)),
    )
    short = t.choose((False, False, True))
    sleeve = Sleeve(0.45, 0.19, 0.19, 0.06) if short else Sleeve(1.0, t.width(0.13, 0.16), 0.09, 0.12)
    tip = (t.number(0.13, 0.22), t.number(0.2, 0.28))
    contrast, pockets, count = t.chance(0.25), t.choose((0, 1, 1, 2)), int(t.choose((5, 6, 7)))
    trim = t.accent if contrast else t.cloth
    layers = [*sleeves(t, torso, sleeve, trim), *body(t, torso)]
    layers += [*placket(t, 0.1, torso.length + torso.bow), *collar(t, torso, trim, tip)]
    for x in (0.22, -0.22)[:pockets]:
        layers += patch_pocket(t, x, 0.46, 0.1, 0.22)
    layers += buttons(t, 0.22, torso.length - 0.12, count)
    return Garment(inside(t, torso), layers)


def blouse(t: Tailor) -> Garment:
    """Soft and waisted: puffed sleeves, a bow, ruffles or a peplum."""
    chest = t.width(0.4, 0.46)
    peplum = t.chance(0.35)
    torso = Torso(
        shoulder=chest - 0.01,
        chest=chest,
        waist=chest - 0.06,
        hem=0.36 if peplum else chest + t.number(0.0, 0.1),
        length=0.95 if peplum else t.length(1.1, 1.4),
        neck=t.number(0.15, 0.24),
        depth=t.number(0.1, 0.3),
        cut=t.choose(("round", "v", "square")),
    )
    long = t.choose((True, True, False))
    puff = t.number(0.02, 0.09)
    sleeve = Sleeve(0.92, 0.17, 0.08, 0.07, puff) if long else Sleeve(0.42, 0.18, 0.12, 0.04, puff)
    front = t.choose(("bow", "ruffle", "plain", "tucks"))
    flare = t.number(0.1, 0.22)
    layers: list[Layer] = []
    if peplum:
        skirt = path((0, 0.93), (0.35, 0.93), (0.4, 1.05, 0.38 + flare, 1.3), (0.2, 1.4, 0, 1.38))
        layers.append(Cloth(whole(skirt), t.cloth, pleats=16, apex=0.2))
    layers += [*sleeves(t, torso, sleeve), *body(t, torso), *neck_band(t, torso, t.cloth.plain(), 0.04)]
    if not t.pose.back:
        layers += _blouse_front(t, torso, front)
    return Garment(inside(t, torso), layers)


def _blouse_front(t: Tailor, torso: Torso, front: str) -> list[Layer]:
    y = torso.depth
    match front:
        case "bow":
            loop = path((0, y + 0.03), (0.12, y - 0.12, 0.22, y - 0.03), (0.2, y + 0.14, 0, y + 0.05))
            tail = path((0, y + 0.03), (0.09, y + 0.2, 0.07, y + 0.48), (0.16, y + 0.44), (0.13, y + 0.2, 0.03, y + 0.03))
            return [Cloth(shape * (s, 1), t.accent, volume=0.7) for shape in (tail, loop) for s in SIDES]
        case "ruffle":
            x = 0.06 + 0.025 * np.cos(np.arange(0, 12) * np.pi)
            half = np.stack([x, np.linspace(y + 0.02, torso.length - 0.05, 12)], axis=1)
            return [Cloth(np.concatenate([half, (half * (-1, 1))[::-1]]), t.accent, volume=0.6),
                    t.seam(np.array([(0, y + 0.02), (0, torso.length)]))]  # fmt: skip
        case "tucks":
            return [t.seam(np.array([(x, y + 0.1), (x, 0.95)])) for x in (-0.18, -0.1, 0.1, 0.18)]
        case _:
            return buttons(t, y + 0.1, torso.length - 0.15, 5)


def polo(t: Tailor) -> Garment:
    """Short sleeves, a knitted collar, two or three buttons."""
    chest = t.width(0.43, 0.5)
    torso = Torso(chest + 0.02, chest, chest - t.number(0.0, 0.05), chest, t.length(1.2, 1.45), 0.17, 0.12)
    long = t.chance(0.2)
    sleeve = Sleeve(1.0, 0.14, 0.09, 0.1) if long else Sleeve(t.length(0.36, 0.46), 0.17, t.width(0.155, 0.175), 0.07)
    contrast, depth, badge, tipped = t.chance(0.5), t.number(0.46, 0.6), t.chance(0.5), t.chance(0.3)
    trim = t.accent if contrast else t.cloth.plain()
    layers = [*sleeves(t, torso, sleeve, trim), *body(t, torso), *placket(t, 0.1, depth, 0.05)]
    layers += collar(t, torso, trim, (0.15, 0.22))
    layers += buttons(t, 0.24, depth - 0.06, 3 if depth > 0.52 else 2)
    if tipped and not t.pose.back:
        layers += [Stroke(np.array([(0.2, 0.05), (0.15, 0.2), (0.03, 0.14)]) * (s, 1), t.detail, 0.016) for s in SIDES]
    if badge and not t.pose.back:
        layers += motif(t, (0.22, 0.48), 0.055)
    return Garment(inside(t, torso), layers)


def sweater(t: Tailor) -> Garment:
    """Knitted, long sleeves, ribbed hem and cuffs; crew, V or roll neck."""
    chest = t.width(0.45, 0.56)
    neck = t.choose(("crew", "v", "roll"))
    torso = Torso(
        shoulder=chest + t.number(0.0, 0.06),
        chest=chest,
        waist=chest - 0.01,
        hem=chest - t.number(0.0, 0.05),
        length=t.length(1.2, 1.5),
        neck=0.2 if neck == "v" else 0.17,
        depth={"crew": 0.12, "v": 0.42, "roll": 0.06}[neck],
        cut="v" if neck == "v" else "round",
    )
    sleeve = Sleeve(1.0, t.width(0.15, 0.2), 0.09, 0.12, puff=t.number(0, 0.03))
    contrast, roll = t.chance(0.3), t.number(0.12, 0.2)
    rib = (t.accent if contrast else t.cloth).plain()
    layers = [*sleeves(t, torso, sleeve, rib), *body(t, torso), *hem_band(torso, rib)]
    if neck == "roll":
        layers.append(Cloth(rectangle(-0.18, -roll, 0.18, 0.09, 0.05), rib))
        layers.append(t.seam(np.array([(-0.17, 0.0), (0.17, 0.0)])))
        return Garment([], layers)
    return Garment(inside(t, torso), layers + neck_band(t, torso, rib, 0.07))


def raglan_lines(t: Tailor, torso: Torso) -> list[Layer]:
    """Seams from the neck to the armpits."""
    return [t.seam(np.array([(torso.neck, 0.03), (torso.chest - 0.02, ARMPIT_Y)]) * (s, 1)) for s in SIDES]


def label(t: Tailor, x: float, y: float) -> Flat:
    """A small sewn-on label."""
    return Flat(rectangle(x - 0.04, y - 0.03, x + 0.04, y + 0.03), t.detail)
