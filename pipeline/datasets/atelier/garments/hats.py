"""Silhouettes of hats, placed where they are worn."""

import numpy as np

from pipeline.datasets.atelier.cloth.fabric import tint
from pipeline.datasets.atelier.cloth.motifs import motif
from pipeline.datasets.atelier.curves import both, ellipse, moved, path, rectangle, symmetric, whole
from pipeline.datasets.atelier.garments.details import bow
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Garment, Layer

BROW_Y = -0.52  # where a hat sits


def beanie(t: Tailor) -> Garment:
    """Knitted dome, folded rib, sometimes a pompom."""
    height, w, fold = t.length(0.32, 0.5), t.number(0.25, 0.29), t.number(0.08, 0.15)
    pompom, badge, rib = t.chance(0.5), t.chance(0.4), (t.accent if t.chance(0.4) else t.cloth).plain()
    top, y = BROW_Y - height, BROW_Y
    dome = symmetric((0, top), (w, top, w, y + 0.03), (0, y + 0.06))
    edge = w + 0.012
    rim = symmetric((0, y - fold + 0.03), (w, y - fold, edge, y - fold), (edge, y + 0.03), (0, y + 0.07))
    layers: list[Layer] = []
    if pompom:
        angle = np.linspace(0, 2 * np.pi, 60)
        radius = 0.09 + 0.012 * np.cos(11 * angle)
        ball = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        layers.append(Cloth(moved(ball, 0, top - 0.05), t.accent.plain()))
    layers += [Cloth(dome, t.cloth), Cloth(rim, rib, volume=0.6)]
    if badge:
        layers += t.facing(Flat(rectangle(-0.045, y - 0.7 * fold, 0.045, y + 0.01), t.detail))
    return Garment([], layers)


def cap(t: Tailor) -> Garment:
    """Panelled crown and a peak; a trucker cap has its front in another cloth."""
    height, peak, w = t.number(0.26, 0.34), t.number(0.12, 0.2), 0.27
    brim_cloth, trucker = t.accent.plain() if t.chance(0.5) else t.cloth, t.chance(0.4)
    figure = motif(t, (0, BROW_Y - 0.17), 0.075)
    top, y = BROW_Y - height, BROW_Y
    crown = symmetric((0, top), (w, top, w, y), (0, y + 0.02))
    layers: list[Layer] = [Cloth(crown, t.accent.plain() if trucker else t.cloth)]
    if trucker:
        front = symmetric((0, top), (0.17, top + 0.03, 0.16, y), (0, y + 0.02))
        layers += t.facing(Cloth(front, t.cloth, volume=0.5))
    layers += [t.seam(side) for side in both(path((0, top), (0.16, y - 0.8 * height, 0.16, y)))]
    if t.pose.back:
        hole = symmetric((0, y - 0.12), (0.1, y - 0.12, 0.11, y + 0.01), (0, y + 0.01))
        return Garment([], [*layers, Flat(hole, tint(t.cloth.ground, 0.35))])
    front_edge = (w + 0.03, y + peak, 0, y + peak)
    brim = symmetric((0, y - 0.035), (w, y - 0.04, w + 0.01, y - 0.01), front_edge)
    layers += [Cloth(brim, brim_cloth, light=0.94, volume=0.8), Flat(ellipse((0, top), 0.022, 0.016), t.detail)]
    return Garment([], layers + (figure if t.cloth.pattern == "plain" else []))


def sun_hat(t: Tailor) -> Garment:
    """A broad brim, a round or flat crown, a ribbon."""
    brim, height, w = t.width(0.42, 0.6), t.number(0.24, 0.34), t.number(0.22, 0.27)
    dip, tied, flat = t.number(0.08, 0.15), t.chance(0.4), t.choose((True, False))
    top, y = BROW_Y - height, BROW_Y
    bend = (w, top, w, y)
    side = path((0, top), (0.75 * w, top), bend) if flat else path((0, top), bend)
    front = (0.7 * w, y + 0.5 * dip, 0, y + 0.5 * dip)
    crown = whole(np.concatenate([side, path((w, y), front)]))
    ribbon = symmetric((0, y - 0.06), (0.8 * w, y - 0.07, w + 0.005, y - 0.1), (w + 0.008, y - 0.01), front)
    layers: list[Layer] = [Cloth(ellipse((0, y), brim, dip), t.cloth), Cloth(crown, t.cloth)]
    layers.append(Cloth(ribbon, t.accent.plain(), volume=0.5))
    return Garment([], layers + (bow(t, t.accent.plain(), (0.14, y), 0.14) if tied else []))


def bucket_hat(t: Tailor) -> Garment:
    """A soft crown and a sloping brim, often patterned."""
    height, w, drop, flare = t.number(0.22, 0.28), t.number(0.22, 0.25), t.number(0.13, 0.2), t.width(0.12, 0.18)
    brim_cloth = t.accent if t.chance(0.35) else t.cloth
    top, y = BROW_Y - height, BROW_Y
    crown = symmetric((0, top - 0.02), (0.7 * w, top - 0.02, 0.9 * w, top + 0.02), (w + 0.01, y), (0, y + 0.03))
    low = (0.6 * w, y + 1.25 * drop, 0, y + 1.25 * drop)
    brim = symmetric((0, y), (0.8 * w, y, w + 0.01, y - 0.02), (w + flare, y + 0.8 * drop), low)
    layers: list[Layer] = [Cloth(crown, t.cloth), Cloth(brim, brim_cloth, light=0.95)]
    for share in (0.35, 0.7):
        x, end = w + flare * share, y + 0.75 * drop * share
        layers.append(t.seam(path((-x, end), (0, y + 1.45 * drop * share + 0.03, x, end))))
    return Garment([], layers)
