"""Silhouettes of hats and bags, placed where they are worn or carried."""

import numpy as np

from pipeline.atelier.curves import ellipse, path, rectangle, tube, whole
from pipeline.atelier.fabric import tint
from pipeline.atelier.layers import Cloth, Flat, Garment, Layer, Stroke
from pipeline.atelier.motifs import motif
from pipeline.atelier.tailor import Tailor
from pipeline.atelier.torso import SIDES

BROW_Y = -0.52  # where a hat sits
HAND = (0.86, 1.3)  # where a bag hangs from


def beanie(t: Tailor) -> Garment:
    """Knitted dome, folded rib, sometimes a pompom."""
    height, width, fold = t.length(0.32, 0.5), t.number(0.25, 0.29), t.number(0.08, 0.15)
    pompom, badge, contrast = t.chance(0.5), t.chance(0.4), t.chance(0.4)
    dome = whole(path((0, BROW_Y - height), (width, BROW_Y - height, width, BROW_Y + 0.03), (0, BROW_Y + 0.06)))
    rim = whole(path((0, BROW_Y - fold + 0.03), (width, BROW_Y - fold, width + 0.012, BROW_Y - fold), (width + 0.012, BROW_Y + 0.03), (0, BROW_Y + 0.07)))
    layers: list[Layer] = []
    if pompom:
        angle = np.linspace(0, 2 * np.pi, 60)
        radius = 0.09 + 0.012 * np.cos(11 * angle)
        layers.append(Cloth(np.stack([radius * np.cos(angle), BROW_Y - height - 0.05 + radius * np.sin(angle)], axis=1), t.accent.plain()))
    layers += [Cloth(dome, t.cloth), Cloth(rim, (t.accent if contrast else t.cloth).plain(), volume=0.6)]
    if badge and not t.pose.back:
        layers.append(Flat(rectangle(-0.045, BROW_Y - fold * 0.7, 0.045, BROW_Y + 0.01), t.detail))
    return Garment([], layers)


def cap(t: Tailor) -> Garment:
    """Panelled crown, a peak to the front or the side."""
    height, peak = t.number(0.26, 0.34), t.number(0.12, 0.2)
    contrast, figure = t.chance(0.5), motif(t, (0, BROW_Y - 0.17), 0.075)
    trucker = t.chance(0.4)
    w = 0.27
    crown = whole(path((0, BROW_Y - height), (w, BROW_Y - height, w, BROW_Y), (0, BROW_Y + 0.02)))
    layers: list[Layer] = [Cloth(crown, t.accent.plain() if trucker else t.cloth)]
    if trucker:
        front = whole(path((0, BROW_Y - height), (0.17, BROW_Y - height + 0.03, 0.16, BROW_Y), (0, BROW_Y + 0.02)))
        layers.append(Cloth(front, t.cloth, volume=0.5))
    layers += [t.seam(path((0, BROW_Y - height), (x, BROW_Y - height * 0.8, x, BROW_Y))) for x in (-0.16, 0.16)]
    if t.pose.back:
        hole = whole(path((0, BROW_Y - 0.12), (0.1, BROW_Y - 0.12, 0.11, BROW_Y + 0.01), (0, BROW_Y + 0.01)))
        return Garment([], [*layers, Flat(hole, tint(t.cloth.ground, 0.35))])
    brim = whole(path((0, BROW_Y - 0.035), (w, BROW_Y - 0.04, w + 0.01, BROW_Y - 0.01), (w + 0.03, BROW_Y + peak, 0, BROW_Y + peak)))
    layers.append(Cloth(brim, t.accent.plain() if contrast else t.cloth, light=0.94, volume=0.8))
    layers.append(Flat(ellipse((0, BROW_Y - height), 0.022, 0.016), t.detail))
    return Garment([], layers + figure)


def sun_hat(t: Tailor) -> Garment:
    """A broad brim, a crown with a ribbon."""
    brim, height, width = t.width(0.42, 0.6), t.number(0.24, 0.34), t.number(0.22, 0.27)
    dip, bow, flat = t.number(0.08, 0.15), t.chance(0.4), t.choose((True, False))
    y = BROW_Y
    disc = ellipse((0, y), brim, dip)
    top = path((0, y - height), (0.75 * width, y - height), (width, y - height, width, y - 0.02)) if flat else path(
        (0, y - height), (width, y - height, width, y - 0.02))  # fmt: skip
    crown = whole(np.concatenate([top, path((width, y), (width * 0.7, y + 0.5 * dip, 0, y + 0.5 * dip))]))
    ribbon = whole(path((0, y - 0.06), (0.8 * width, y - 0.07, width + 0.005, y - 0.1), (width + 0.008, y - 0.01), (0.7 * width, y + 0.5 * dip, 0, y + 0.5 * dip)))
    layers: list[Layer] = [Cloth(disc, t.cloth), Cloth(crown, t.cloth), Cloth(ribbon, t.accent.plain(), volume=0.5)]
    if bow and not t.pose.back:
        loop = path((0.14, y), (0.2, y - 0.13, 0.28, y - 0.07), (0.27, y + 0.05, 0.14, y))
        layers += [Cloth(shape, t.accent.plain(), volume=0.5) for shape in (loop, (loop - (0.14, 0)) * (-1, 1) + (0.14, 0))]
    return Garment([], layers)


def bucket_hat(t: Tailor) -> Garment:
    """A soft crown and a sloping brim, often patterned."""
    height, w, drop, flare = t.number(0.22, 0.28), t.number(0.22, 0.25), t.number(0.13, 0.2), t.width(0.12, 0.18)
    contrast, y = t.chance(0.35), BROW_Y
    crown = whole(path((0, y - height - 0.02), (0.7 * w, y - height - 0.02, 0.9 * w, y - height + 0.02), (w + 0.01, y), (0, y + 0.03)))
    brim = whole(path((0, y), (0.8 * w, y, w + 0.01, y - 0.02), (w + flare, y + 0.8 * drop), (0.6 * w, y + 1.25 * drop, 0, y + 1.25 * drop)))
    layers: list[Layer] = [Cloth(crown, t.cloth), Cloth(brim, t.accent if contrast else t.cloth, light=0.95)]
    layers += [t.seam(path((-(w + flare * k), y + 0.75 * drop * k), (0, y + 1.45 * drop * k + 0.03, w + flare * k, y + 0.75 * drop * k))) for k in (0.35, 0.7)]
    return Garment([], layers)


def tote(t: Tailor) -> Garment:
    """An open shopper with two long handles, often printed."""
    w, h, loop = t.width(0.36, 0.46), t.number(0.7, 0.9), t.number(0.4, 0.6)
    printed, contrast, base = t.chance(0.6), t.chance(0.4), t.chance(0.35)
    x, y = HAND[0], HAND[1] + loop
    figure = motif(t, (x, y + 0.5 * h), 0.2)
    strap = (t.accent if contrast else t.cloth).plain()
    spine = path((-0.55 * w, y + 0.1), (-0.5 * w, y - 1.5 * loop, 0.5 * w, y - 1.5 * loop), (0.55 * w, y + 0.1))
    handle = tube(_smooth_handle(0.55 * w, y, loop), 0.028) + (x, 0)
    del spine
    sack = whole(path((0, y), (w, y), (w * 0.93, y + h - 0.06), (w * 0.92, y + h, w * 0.86, y + h), (0, y + h))) + (x, 0)
    layers: list[Layer] = [Cloth(handle + (0.03, -0.03), strap, light=0.75), Cloth(sack, t.cloth), Cloth(handle, strap)]
    if base:
        layers.append(Cloth(whole(path((0, y + 0.75 * h), (0.94 * w, y + 0.75 * h), (0.92 * w, y + h - 0.02), (0, y + h))) + (x, 0), t.accent.plain(), volume=0.5))
    if printed and t.cloth.pattern == "plain" and not t.pose.back:
        layers += figure
    return Garment([], layers)


def handbag(t: Tailor) -> Garment:
    """Stiff, with a flap or a zip, a clasp and a bowed handle."""
    kind = t.choose(("flap", "zip", "round"))
    top, bottom, h, loop = t.width(0.28, 0.38), t.width(0.36, 0.46), t.number(0.45, 0.6), t.number(0.25, 0.42)
    contrast, x, y = t.chance(0.35), HAND[0], HAND[1] + loop
    strap = (t.accent if contrast else t.cloth).plain()
    handle = tube(_smooth_handle(0.6 * top, y, loop), 0.032) + (x, 0)
    if kind == "round":
        sack = ellipse((x, y + 0.5 * h), bottom, 0.56 * h)
    else:
        sack = whole(path((0, y), (top, y), (top + 0.02, y, bottom, y + h - 0.1), (bottom, y + h, bottom - 0.1, y + h), (0, y + h))) + (x, 0)
    layers: list[Layer] = [Cloth(handle, strap), Cloth(sack, t.cloth, volume=1.3)]
    if t.pose.back:
        return Garment([], layers)
    if kind == "flap":
        flap = whole(path((0, y - 0.015), (top + 0.01, y - 0.015), (bottom - 0.02, y + 0.35 * h), (0.6 * bottom, y + 0.62 * h, 0, y + 0.62 * h))) + (x, 0)
        layers += [Cloth(flap, strap, light=0.96), Flat(rectangle(x - 0.05, y + 0.55 * h, x + 0.05, y + 0.55 * h + 0.09), t.detail)]
    else:
        line = np.array([(x - 0.7 * top, y + 0.16), (x + 0.7 * top, y + 0.16)])
        layers += [Stroke(line, t.detail, 0.03), Flat(ellipse((x, y + 0.3), 0.035, 0.05), t.detail)]
    return Garment([], layers)


def backpack(t: Tailor) -> Garment:
    """Rounded, a front pocket, straps and a small handle."""
    w, h, pocket = t.width(0.34, 0.42), t.length(0.85, 1.05), t.number(0.34, 0.45)
    contrast, label, flap = t.chance(0.6), t.chance(0.6), t.chance(0.5)
    x, y = HAND[0], HAND[1] + 0.2
    trim = t.accent if contrast else t.cloth
    sack = whole(path((0, y), (0.3 * w, y, 0.5 * w, y + 0.01), (w, y + 0.04, w, y + 0.35), (w * 1.04, y + h - 0.12), (w * 1.03, y + h, 0.85 * w, y + h), (0, y + h))) + (x, 0)
    grip = tube(_smooth_handle(0.11, y + 0.03, 0.13), 0.025) + (x, 0)
    straps = [tube(path((s * 0.5 * w, y + 0.1), (s * (w + 0.22), y + 0.35, s * (w + 0.02), y + h - 0.08)), 0.045) + (x, 0) for s in SIDES]
    layers: list[Layer] = [*(Cloth(strap, trim.plain(), light=0.8) for strap in straps), Cloth(grip, trim.plain()), Cloth(sack, t.cloth, volume=1.2)]
    if t.pose.back:
        layers += [Cloth(tube(path((s * 0.15, y + 0.1), (s * 0.3, y + 0.5, s * 0.2, y + h - 0.1)), 0.06) + (x, 0), trim.plain()) for s in SIDES]
        return Garment([], layers)
    low = whole(path((0, y + h - pocket), (0.72 * w, y + h - pocket, 0.78 * w, y + h - pocket + 0.12), (0.8 * w, y + h - 0.05), (0, y + h - 0.05))) + (x, 0)
    layers += [Cloth(low, trim, volume=0.9)]
    arc = path((-0.85 * w, y + 0.42), (-0.8 * w, y + 0.1, 0, y + 0.1), (0.8 * w, y + 0.1, 0.85 * w, y + 0.42)) + (x, 0)
    if flap:
        layers.append(Cloth(whole(path((0, y - 0.01), (0.9 * w, y, 0.98 * w, y + 0.3), (0.9 * w, y + 0.45), (0, y + 0.45))) + (x, 0), t.cloth, light=0.95))
        layers += [Stroke(np.array([(x + s * 0.17, y + 0.3), (x + s * 0.17, y + 0.6)]), t.detail, 0.035) for s in SIDES]
    else:
        layers.append(Stroke(arc, t.detail, 0.022))
    if label:
        layers.append(Flat(rectangle(x - 0.07, y + h - pocket + 0.1, x + 0.07, y + h - pocket + 0.19), t.detail))
    return Garment([], layers)


def _smooth_handle(half: float, y: float, height: float) -> np.ndarray:
    """Spine of a bowed handle with its ends at (-half, y) and (half, y)."""
    angle = np.linspace(np.pi, 2 * np.pi, 24)
    arch = np.stack([half * np.cos(angle), y + height * np.sin(angle)], axis=1)
    return np.concatenate([[(-half, y + 0.08)], arch, [(half, y + 0.08)]])
