"""Silhouettes of tops. Each takes an item's tailor and gives the garment."""

import numpy as np

from pipeline.datasets.atelier.attributes import NO_SLEEVES, reach
from pipeline.datasets.atelier.cloth.motifs import motif
from pipeline.datasets.atelier.curves import both, mirror, path, rectangle, symmetric, tube, whole
from pipeline.datasets.atelier.figure.torso import Sleeve, Torso, body, inside, sleeves
from pipeline.datasets.atelier.garments.details import bow, buttons, collar, hem_band, neck_band, patch_pocket, placket
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Garment, Layer, Stroke


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
    trim = t.accent if t.chance(0.3) else t.cloth.plain()
    extra = t.choose(("print", "print", "pocket", "none"))
    figure = motif(t, (0, 0.66), t.number(0.17, 0.25))
    layers = [*sleeves(t, torso, sleeve, trim), *body(t, torso), *neck_band(t, torso, trim)]
    printed = extra == "print" and t.cloth.pattern in ("plain", "gradient")
    t.tell(trim="print" if printed else "pocket" if extra == "pocket" else "none")
    if printed:
        layers += t.facing(*figure)
    if extra == "pocket":
        layers += patch_pocket(t, 0.21, 0.5, 0.09, 0.2)
    return Garment(inside(t, torso), layers)


def tank_top(t: Tailor) -> Garment:
    """Straps, no sleeves."""
    chest, strap = t.width(0.37, 0.43), t.number(0.04, 0.1)
    neck, depth = t.number(0.15, 0.2), t.number(0.26, 0.4)
    length, hem = t.length(1.1, 1.45), t.width(0.38, 0.5)
    cut, trimmed, armhole = t.choose(("round", "round", "v", "square")), t.chance(0.5), t.number(0.46, 0.56)
    torso = Torso(neck + strap, chest, 0.96 * chest, hem, length, neck, depth, cut, nape=0.5 * depth)
    armpit = path((neck + strap, 0.025), (neck + strap - 0.03, 0.85 * armhole, chest, armhole))
    flank = path((chest - 0.04, (armhole + length) / 2), (hem, length), (0.5 * hem, length + 0.03, 0, length + 0.03))
    layers: list[Layer] = [Cloth(whole(np.concatenate([torso.neckline(t.pose.back), armpit, flank])), t.cloth)]
    t.tell(**NO_SLEEVES, neck=cut, trim="none", **reach(length))
    if trimmed:
        layers += neck_band(t, torso, t.accent, 0.045)
        layers += [Cloth(tube(side, 0.02), t.accent, volume=0.3) for side in both(armpit)]
    return Garment(inside(t, torso), layers)


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
    cuffed, short = Sleeve(1.0, t.width(0.13, 0.16), 0.09, 0.12), Sleeve(0.45, 0.19, 0.19, 0.06)
    sleeve = t.choose((cuffed, cuffed, short))
    tip = (t.number(0.13, 0.22), t.number(0.2, 0.28))
    trim = t.accent if t.chance(0.25) else t.cloth
    pockets, count = t.choose((0, 1, 1, 2)), t.choose((5, 6, 7))
    layers = [*sleeves(t, torso, sleeve, trim), *body(t, torso)]
    layers += [*placket(t, 0.1, torso.length + torso.bow), *collar(t, torso, trim, tip)]
    t.tell(trim="buttons")
    for x in (0.22, -0.22)[:pockets]:
        layers += patch_pocket(t, x, 0.46, 0.1, 0.22)
    return Garment(inside(t, torso), layers + buttons(t, 0.22, torso.length - 0.12, count))


def blouse(t: Tailor) -> Garment:
    """Soft and waisted: puffed sleeves, a bow, ruffles or a peplum."""
    chest, peplum = t.width(0.4, 0.46), t.chance(0.35)
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
    puff, flare = t.number(0.02, 0.09), t.number(0.1, 0.22)
    long, short = Sleeve(0.92, 0.17, 0.08, 0.07, puff), Sleeve(0.42, 0.18, 0.12, 0.04, puff)
    sleeve, front = t.choose((long, long, short)), t.choose(("bow", "ruffle", "buttons", "tucks"))
    layers: list[Layer] = []
    if peplum:
        skirt = symmetric((0, 0.93), (0.35, 0.93), (0.4, 1.05, 0.38 + flare, 1.3), (0.2, 1.4, 0, 1.38))
        layers.append(Cloth(skirt, t.cloth, pleats=16, apex=0.2))
    layers += [*sleeves(t, torso, sleeve), *body(t, torso), *neck_band(t, torso, t.cloth.plain(), 0.04)]
    t.tell(trim="none" if front == "tucks" else front, **reach(1.38 if peplum else torso.length))
    return Garment(inside(t, torso), layers + _blouse_front(t, torso, front))


def _blouse_front(t: Tailor, torso: Torso, front: str) -> list[Layer]:
    top = torso.depth
    match front:
        case "bow":
            return bow(t, t.accent, (0, top + 0.03), 0.22)
        case "ruffle":
            y = np.linspace(top + 0.02, torso.length - 0.05, 12)
            edge = np.stack([0.06 + 0.025 * np.cos(np.pi * np.arange(12)), y], axis=1)
            ruffle = np.concatenate([edge, mirror(edge)[::-1]])
            return t.facing(Cloth(ruffle, t.accent, volume=0.6), t.seam(path((0, top), (0, torso.length))))
        case "tucks":
            return t.facing(*(t.seam(path((x, top + 0.1), (x, 0.95))) for x in (-0.18, -0.1, 0.1, 0.18)))
        case _:
            return buttons(t, top + 0.1, torso.length - 0.15, 5)


def polo(t: Tailor) -> Garment:
    """Short sleeves, a knitted collar, two or three buttons."""
    chest = t.width(0.43, 0.5)
    torso = Torso(chest + 0.02, chest, chest - t.number(0.0, 0.05), chest, t.length(1.2, 1.45), 0.17, 0.12)
    short = Sleeve(t.length(0.36, 0.46), 0.17, t.width(0.155, 0.175), 0.07)
    sleeve = Sleeve(1.0, 0.14, 0.09, 0.1) if t.chance(0.2) else short
    trim = t.accent if t.chance(0.5) else t.cloth.plain()
    depth, tipped = t.number(0.46, 0.6), t.chance(0.3)
    badge = motif(t, (0.22, 0.48), 0.055) if t.chance(0.5) else []
    layers = [*sleeves(t, torso, sleeve, trim), *body(t, torso), *placket(t, 0.1, depth, 0.05)]
    layers += collar(t, torso, trim, (0.15, 0.22))
    layers += buttons(t, 0.24, depth - 0.06, 3 if depth > 0.52 else 2)
    t.tell(trim="buttons")
    if tipped:
        layers += t.facing(
            *(Stroke(side, t.detail, 0.016) for side in both(path((0.2, 0.05), (0.15, 0.2), (0.03, 0.14))))
        )
    return Garment(inside(t, torso), layers + t.facing(*badge))


def sweater(t: Tailor) -> Garment:
    """Knitted, long sleeves, ribbed hem and cuffs; crew, V or roll neck."""
    chest, neck = t.width(0.45, 0.56), t.choose(("crew", "v", "roll"))
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
    rib, roll = (t.accent if t.chance(0.3) else t.cloth).plain(), t.number(0.12, 0.2)
    layers = [*sleeves(t, torso, sleeve, rib), *body(t, torso), *hem_band(t, torso, rib)]
    t.tell(trim="none", neck="roll" if neck == "roll" else torso.cut)
    if neck == "roll":
        tube_neck = Cloth(rectangle(-0.18, -roll, 0.18, 0.09, 0.05), rib)
        return Garment([], [*layers, tube_neck, t.seam(path((-0.17, 0.0), (0.17, 0.0)))])
    return Garment(inside(t, torso), layers + neck_band(t, torso, rib, 0.07))
