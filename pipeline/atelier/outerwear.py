"""Silhouettes of what is worn over other clothes."""

import numpy as np

from pipeline.atelier.curves import path, rectangle, whole
from pipeline.atelier.fabric import tint
from pipeline.atelier.layers import Cloth, Flat, Garment, Layer, Stroke
from pipeline.atelier.motifs import motif
from pipeline.atelier.tailor import Tailor
from pipeline.atelier.torso import (
    SIDES,
    Sleeve,
    Torso,
    body,
    buttons,
    collar,
    flap_pockets,
    hem_band,
    hood,
    inside,
    lapels,
    patch_pocket,
    placket,
    sleeves,
    zipper,
)


def hoodie(t: Tailor) -> Garment:
    """Hood, pouch pocket, drawstrings; with or without a zip."""
    chest = t.width(0.48, 0.58)
    torso = Torso(chest + 0.03, chest, chest, chest - 0.02, t.length(1.2, 1.5), 0.19, 0.14)
    zipped, figure = t.chance(0.45), motif(t, (0, 0.58), t.number(0.13, 0.18))
    printed, contrast = t.chance(0.5), t.chance(0.25)
    rib = (t.accent if contrast else t.cloth).plain()
    sleeve = Sleeve(1.0, t.width(0.16, 0.2), 0.1, 0.12, 0.02)
    layers = [*sleeves(t, torso, sleeve, rib), *body(t, torso), *hem_band(torso, rib)]
    if t.pose.back:
        return Garment([], layers + hood(t, torso))
    low = torso.length - 0.04
    pouch = whole(path((0, low - 0.36), (0.2, low - 0.36), (0.33, low - 0.14), (0.33, low), (0, low)))
    layers.append(Cloth(pouch, t.cloth, light=0.94, volume=0.3))
    if zipped:
        layers += zipper(t, 0.14, torso.length + 0.08)
    elif printed:
        layers += figure
    cord = t.detail
    layers += [Stroke(np.array([(0.09, 0.13), (0.11, 0.46)]) * (s, 1), cord, 0.028) for s in SIDES]
    return Garment(hood(t, torso), layers)


def jacket(t: Tailor) -> Garment:
    """Short and zipped or buttoned: bomber, denim, biker or puffer."""
    kind = t.choose(("bomber", "denim", "biker", "puffer"))
    t.weave("quilted" if kind == "puffer" else "smooth")
    chest = t.width(0.48, 0.56) + (0.06 if kind == "puffer" else 0)
    torso = Torso(chest + 0.01, chest, chest - 0.02, chest - 0.04, t.length(1.0, 1.3), 0.17, 0.1)
    end, middle = t.number(0.1, 0.13), t.width(0.15, 0.19) + (0.03 if kind == "puffer" else 0)
    contrast, badge = t.chance(0.4), t.chance(0.3)
    trim = t.accent.plain() if contrast else t.cloth.plain()
    sleeve = Sleeve(1.0, middle, end, 0.1, 0.03 if kind == "puffer" else 0.0)
    layers = [*sleeves(t, torso, sleeve, trim if kind in ("bomber", "denim") else None), *body(t, torso)]
    layers += hem_band(torso, trim if kind == "bomber" else t.cloth)
    bottom = torso.length + 0.08
    match kind:
        case "bomber":
            layers += [*zipper(t, 0.08, bottom), *_slits(t, 0.3, torso.length - 0.3), *_stand(t, trim)]
        case "denim":
            layers += [*placket(t, 0.1, bottom), *buttons(t, 0.2, bottom - 0.05, 6), *collar(t, torso, trim, (0.21, 0.25))]
            layers += flap_pockets(t, 0.24, 0.46, 0.11, 0.0)
            layers += [Stroke(np.array([(0.14, 0.55), (0.2, bottom)]) * (s, 1), t.detail, 0.014, 0.03) for s in SIDES]
        case "biker":
            line = np.array([(0.18, 0.2), (0.05, 0.6), (0.05, bottom)])
            layers += [] if t.pose.back else [Stroke(line, t.detail, 0.03, dash=0.03)]
            layers += [*lapels(t, Torso(chest, chest, chest, chest, 1, 0.17, 0.5), t.cloth, 0.16)]
            layers += _slits(t, 0.28, torso.length - 0.25, metal=True)
        case _:
            layers += [*zipper(t, -0.1, bottom), *_stand(t, t.cloth, 0.14)]
    if badge and not t.pose.back:
        layers += motif(t, (0.26, 0.42), 0.06)
    return Garment(inside(t, torso), layers)


def blazer(t: Tailor) -> Garment:
    """Lapels, one or two rows of buttons, flap pockets."""
    chest = t.width(0.45, 0.52)
    torso = Torso(
        shoulder=chest + 0.02,
        chest=chest,
        waist=chest - t.number(0.03, 0.1),
        hem=chest + t.number(0.0, 0.06),
        length=t.length(1.3, 1.6),
        neck=0.16,
        depth=t.number(0.6, 0.85),
        cut="v",
    )
    double, wide, patch = t.chance(0.35), t.number(0.13, 0.2), t.chance(0.3)
    contrast, square = t.chance(0.15), t.chance(0.4)
    layers = [*sleeves(t, torso, Sleeve(1.0, t.width(0.14, 0.165), 0.1)), *body(t, torso)]
    layers += lapels(t, torso, t.accent.plain() if contrast else t.cloth, wide)
    layers += _front_edge(t, torso.depth, torso.length, 0.1 if double else 0.02)
    for x in (0.14, -0.1) if double else (0.0,):
        layers += buttons(t, torso.depth + 0.08, torso.depth + 0.3, 2, x=x, radius=0.03)
    layers += flap_pockets(t, 0.28, 1.02, 0.12)
    if patch and not t.pose.back:
        layers.append(Flat(np.array([(0.2, 0.46), (0.32, 0.44), (0.31, 0.36), (0.26, 0.4), (0.22, 0.35)]), t.detail))
    if not square:
        layers += []
    return Garment(inside(t, torso, t.accent.plain()), layers)


def coat(t: Tailor) -> Garment:
    """Long: wrapped with a belt, double-breasted, or straight with a hood."""
    kind = t.choose(("wrap", "double", "duffle", "collar"))
    chest = t.width(0.47, 0.56)
    flare = t.number(0.0, 0.14)
    torso = Torso(
        shoulder=chest + 0.02,
        chest=chest,
        waist=chest - (0.08 if kind == "wrap" else 0.02),
        hem=chest + flare,
        length=t.length(1.9, 2.6),
        neck=0.17,
        depth=t.number(0.45, 0.7) if kind != "duffle" else 0.12,
        cut="v" if kind != "duffle" else "round",
    )
    wide, contrast = t.number(0.15, 0.22), t.chance(0.2)
    trim = t.accent.plain() if contrast else t.cloth
    layers = [*sleeves(t, torso, Sleeve(1.0, t.width(0.16, 0.19), 0.12)), *body(t, torso)]
    layers += flap_pockets(t, 0.3, 1.25, 0.12)
    behind = inside(t, torso, t.accent.plain())
    match kind:
        case "wrap":
            layers += [*lapels(t, torso, trim, wide), *_front_edge(t, torso.depth, torso.length, 0.12), *_belt(t, torso)]
        case "duffle":
            behind = [] if t.pose.back else hood(t, torso)
            layers += [*placket(t, 0.12, torso.length, 0.06), *_toggles(t), *(hood(t, torso) if t.pose.back else [])]
        case "double":
            layers += [*lapels(t, torso, trim, wide), *_front_edge(t, torso.depth, torso.length, 0.14)]
            for x in (0.17, -0.14):
                layers += buttons(t, torso.depth + 0.12, torso.depth + 0.75, 3, x=x, radius=0.045)
        case _:
            layers += [*lapels(t, torso, trim, wide), *_front_edge(t, torso.depth, torso.length, 0.0)]
            layers += buttons(t, torso.depth + 0.1, torso.depth + 0.8, 4, radius=0.04)
    return Garment(behind, layers)


def cardigan(t: Tailor) -> Garment:
    """Knitted, buttoned, with a deep V neck."""
    chest = t.width(0.45, 0.54)
    torso = Torso(chest, chest, chest - 0.02, chest, t.length(1.2, 1.75), 0.17, t.number(0.4, 0.65), "v")
    contrast, pockets, count = t.chance(0.4), t.chance(0.6), int(t.choose((3, 4, 5)))
    rib = (t.accent if contrast else t.cloth).plain()
    layers = [*sleeves(t, torso, Sleeve(1.0, t.width(0.15, 0.19), 0.095, 0.12), rib), *body(t, torso)]
    layers += hem_band(torso, rib, 0.07)
    if not t.pose.back:
        edge = np.concatenate([torso.neckline(back=False)[::-1], [(0, torso.length + 0.07)]])
        layers += [Stroke(edge * (s, 1), tint(rib.ground, 0.9), 0.075) for s in SIDES]
    layers += buttons(t, torso.depth + 0.06, torso.length - 0.02, count, radius=0.03)
    if pockets:
        layers += patch_pocket(t, 0.25, torso.length - 0.32, 0.12, 0.24) + patch_pocket(t, -0.25, torso.length - 0.32, 0.12, 0.24)
    return Garment(inside(t, torso), layers)


def _slits(t: Tailor, x: float, y: float, *, metal: bool = False) -> list[Layer]:
    if t.pose.back:
        return []
    line = np.array([(x + 0.06, y), (x - 0.04, y + 0.2)])
    colour = t.detail if metal else t.thread
    return [Stroke(line * (s, 1), colour, 0.028) for s in SIDES]


def _stand(t: Tailor, fabric, height: float = 0.07) -> list[Layer]:
    half = path((0, -height), (0.17, -height), (0.21, 0.06), (0.15, 0.12, 0, 0.13))
    return [Cloth(whole(half), fabric, volume=0.7)]


def _front_edge(t: Tailor, top: float, bottom: float, x: float) -> list[Layer]:
    if t.pose.back:
        return [t.seam(np.array([(0, 0.7), (0, bottom)]))]
    return [t.seam(path((0, top), (x, top + 0.1, x, top + 0.3), (x, bottom)), 0.022)]


def _belt(t: Tailor, torso: Torso) -> list[Layer]:
    belt = rectangle(-torso.waist - 0.01, 0.93, torso.waist + 0.01, 1.04)
    layers: list[Layer] = [Cloth(belt, t.cloth.plain(), light=0.85, volume=0.4)]
    if not t.pose.back:
        layers += [Cloth(rectangle(0.02, 0.98, 0.11, 1.5), t.cloth.plain(), grain=0.1, light=0.88, volume=0.5),
                   Cloth(rectangle(-0.03, 0.9, 0.1, 1.07, 0.03), t.cloth.plain(), light=0.9)]  # fmt: skip
    return layers


def _toggles(t: Tailor) -> list[Layer]:
    if t.pose.back:
        return []
    return [layer for y in (0.45, 0.75, 1.05, 1.35)
            for layer in (Stroke(np.array([(-0.15, y), (0.15, y)]), t.thread, 0.03), Stroke(np.array([(-0.05, y), (0.05, y)]), t.detail, 0.055))]  # fmt: skip
