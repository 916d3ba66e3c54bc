"""Silhouettes of bags, drawn around x = 0; who carries one stands to the left of it."""

import numpy as np

from pipeline.datasets.atelier.cloth.motifs import motif
from pipeline.datasets.atelier.curves import Points, both, ellipse, moved, path, rectangle, symmetric, tube
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Garment, Layer, Stroke

HAND_X, HAND_Y = 0.86, 1.3  # the hand that carries a bag, in the carrier's own units


def tote(t: Tailor) -> Garment:
    """An open shopper with two long handles, often printed."""
    w, h, loop = t.width(0.36, 0.46), t.number(0.7, 0.9), t.number(0.4, 0.6)
    strap, base = (t.accent if t.chance(0.4) else t.cloth).plain(), t.chance(0.35)
    y = HAND_Y + loop
    figure = motif(t, (0, y + 0.5 * h), 0.2) if t.chance(0.6) else []
    handle = tube(_arch(0.55 * w, y, loop), 0.028)
    sack = symmetric((0, y), (w, y), (0.93 * w, y + h - 0.06), (0.92 * w, y + h, 0.86 * w, y + h), (0, y + h))
    layers: list[Layer] = [Cloth(moved(handle, 0.03, -0.03), strap, light=0.75)]
    layers += [Cloth(sack, t.cloth), Cloth(handle, strap)]
    if base:
        low = symmetric((0, y + 0.75 * h), (0.94 * w, y + 0.75 * h), (0.92 * w, y + h - 0.02), (0, y + h))
        layers.append(Cloth(low, t.accent.plain(), volume=0.5))
    return Garment([], layers + t.facing(*(figure if t.cloth.pattern == "plain" else [])))


def handbag(t: Tailor) -> Garment:
    """Stiff, with a flap or a zip, a clasp and a bowed handle."""
    kind, strap = t.choose(("flap", "zip", "round")), (t.accent if t.chance(0.35) else t.cloth).plain()
    top, bottom, h, loop = t.width(0.28, 0.38), t.width(0.36, 0.46), t.number(0.45, 0.6), t.number(0.25, 0.42)
    y = HAND_Y + loop
    low = y + h
    corner = (bottom, low, bottom - 0.1, low)
    sack = symmetric((0, y), (top, y), (top + 0.02, y, bottom, low - 0.1), corner, (0, low))
    if kind == "round":
        sack = ellipse((0, y + 0.5 * h), bottom, 0.56 * h)
    layers: list[Layer] = [Cloth(tube(_arch(0.6 * top, y, loop), 0.032), strap), Cloth(sack, t.cloth, volume=1.3)]
    if kind == "flap":
        tongue = (0.6 * bottom, y + 0.62 * h, 0, y + 0.62 * h)
        flap = symmetric((0, y - 0.015), (top + 0.01, y - 0.015), (bottom - 0.02, y + 0.35 * h), tongue)
        clasp = rectangle(-0.05, y + 0.55 * h, 0.05, y + 0.55 * h + 0.09)
        layers += t.facing(Cloth(flap, strap, light=0.96), Flat(clasp, t.detail))
    else:
        zipped = Stroke(path((-0.7 * top, y + 0.16), (0.7 * top, y + 0.16)), t.detail, 0.03)
        layers += t.facing(zipped, Flat(ellipse((0, y + 0.3), 0.035, 0.05), t.detail))
    return Garment([], layers)


def backpack(t: Tailor) -> Garment:
    """Rounded, a front pocket, shoulder straps and a small handle."""
    w, h, pocket = t.width(0.34, 0.42), t.length(0.85, 1.05), t.number(0.34, 0.45)
    trim, labelled, flap = t.accent if t.chance(0.6) else t.cloth, t.chance(0.6), t.chance(0.5)
    y = HAND_Y + 0.2
    low, pouch = y + h, y + h - pocket
    crown, corner = (w, y + 0.04, w, y + 0.35), (1.03 * w, low, 0.85 * w, low)
    sack = symmetric((0, y), (0.3 * w, y, 0.5 * w, y + 0.01), crown, (1.04 * w, low - 0.12), corner, (0, low))
    strap = tube(path((0.5 * w, y + 0.1), (w + 0.22, y + 0.35, w + 0.02, low - 0.08)), 0.045)
    layers: list[Layer] = [Cloth(side, trim.plain(), light=0.8) for side in both(strap)]
    layers.append(Cloth(tube(_arch(0.11, y + 0.03, 0.13), 0.025), trim.plain()))
    layers.append(Cloth(sack, t.cloth, volume=1.2))
    if t.pose.back:
        strap = tube(path((0.15, y + 0.1), (0.3, y + 0.5, 0.2, low - 0.1)), 0.06)
        return Garment([], layers + [Cloth(side, trim.plain()) for side in both(strap)])
    side = (0.72 * w, pouch, 0.78 * w, pouch + 0.12)
    layers.append(Cloth(symmetric((0, pouch), side, (0.8 * w, low - 0.05), (0, low - 0.05)), trim, volume=0.9))
    if flap:
        lid = symmetric((0, y - 0.01), (0.9 * w, y, 0.98 * w, y + 0.3), (0.9 * w, y + 0.45), (0, y + 0.45))
        buckle = path((0.17, y + 0.3), (0.17, y + 0.6))
        layers += [Cloth(lid, t.cloth, light=0.95), *(Stroke(each, t.detail, 0.035) for each in both(buckle))]
    else:
        arc = path((-0.85 * w, y + 0.42), (-0.8 * w, y + 0.1, 0, y + 0.1), (0.8 * w, y + 0.1, 0.85 * w, y + 0.42))
        layers.append(Stroke(arc, t.detail, 0.022))
    if labelled:
        layers.append(Flat(rectangle(-0.07, pouch + 0.1, 0.07, pouch + 0.19), t.detail))
    return Garment([], layers)


def _arch(half: float, y: float, height: float) -> Points:
    """Spine of a bowed handle whose ends lie below (-half, y) and (half, y)."""
    angle = np.linspace(np.pi, 2 * np.pi, 24)
    bowed = np.stack([half * np.cos(angle), y + height * np.sin(angle)], axis=1)
    return np.concatenate([[(-half, y + 0.08)], bowed, [(half, y + 0.08)]])
