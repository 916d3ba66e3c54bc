"""Silhouettes of hats, placed where they are worn."""

import numpy as np

from pipeline.atelier.curves import ellipse, path, rectangle, whole
from pipeline.atelier.fabric import tint
from pipeline.atelier.layers import Cloth, Flat, Garment, Layer
from pipeline.atelier.motifs import motif
from pipeline.atelier.tailor import Tailor

BROW_Y = -0.52  # where a hat sits


def beanie(t: Tailor) -> Garment:
    """Knitted dome, folded rib, sometimes a pompom."""
    height, width, fold = t.length(0.32, 0.5), t.number(0.25, 0.29), t.number(0.08, 0.15)
    pompom, badge, contrast = t.chance(0.5), t.chance(0.4), t.chance(0.4)
    dome = symmetric((0, BROW_Y - height), (width, BROW_Y - height, width, BROW_Y + 0.03), (0, BROW_Y + 0.06))
    rim = symmetric(
        (0, BROW_Y - fold + 0.03),
        (width, BROW_Y - fold, width + 0.012, BROW_Y - fold),
        (width + 0.012, BROW_Y + 0.03),
        (0, BROW_Y + 0.07),
    )
    layers: list[Layer] = []
    if pompom:
        angle = np.linspace(0, 2 * np.pi, 60)
        radius = 0.09 + 0.012 * np.cos(11 * angle)
        layers.append(
            Cloth(
                np.stack([radius * np.cos(angle), BROW_Y - height - 0.05 + radius * np.sin(angle)], axis=1),
                t.accent.plain(),
            )
        )
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
    crown = symmetric((0, BROW_Y - height), (w, BROW_Y - height, w, BROW_Y), (0, BROW_Y + 0.02))
    layers: list[Layer] = [Cloth(crown, t.accent.plain() if trucker else t.cloth)]
    if trucker:
        front = symmetric((0, BROW_Y - height), (0.17, BROW_Y - height + 0.03, 0.16, BROW_Y), (0, BROW_Y + 0.02))
        layers.append(Cloth(front, t.cloth, volume=0.5))
    layers += [t.seam(path((0, BROW_Y - height), (x, BROW_Y - height * 0.8, x, BROW_Y))) for x in (-0.16, 0.16)]
    if t.pose.back:
        hole = symmetric((0, BROW_Y - 0.12), (0.1, BROW_Y - 0.12, 0.11, BROW_Y + 0.01), (0, BROW_Y + 0.01))
        return Garment([], [*layers, Flat(hole, tint(t.cloth.ground, 0.35))])
    brim = symmetric(
        (0, BROW_Y - 0.035),
        (w, BROW_Y - 0.04, w + 0.01, BROW_Y - 0.01),
        (w + 0.03, BROW_Y + peak, 0, BROW_Y + peak),
    )
    layers.append(Cloth(brim, t.accent.plain() if contrast else t.cloth, light=0.94, volume=0.8))
    layers.append(Flat(ellipse((0, BROW_Y - height), 0.022, 0.016), t.detail))
    return Garment([], layers + (figure if t.cloth.pattern == "plain" else []))


def sun_hat(t: Tailor) -> Garment:
    """A broad brim, a crown with a ribbon."""
    brim, height, width = t.width(0.42, 0.6), t.number(0.24, 0.34), t.number(0.22, 0.27)
    dip, bow, flat = t.number(0.08, 0.15), t.chance(0.4), t.choose((True, False))
    y = BROW_Y
    disc = ellipse((0, y), brim, dip)
    top = path((0, y - height), (0.75 * width, y - height), (width, y - height, width, y - 0.02)) if flat else path(
        (0, y - height), (width, y - height, width, y - 0.02))  # fmt: skip
    crown = whole(np.concatenate([top, path((width, y), (width * 0.7, y + 0.5 * dip, 0, y + 0.5 * dip))]))
    ribbon = symmetric(
        (0, y - 0.06),
        (0.8 * width, y - 0.07, width + 0.005, y - 0.1),
        (width + 0.008, y - 0.01),
        (0.7 * width, y + 0.5 * dip, 0, y + 0.5 * dip),
    )
    layers: list[Layer] = [Cloth(disc, t.cloth), Cloth(crown, t.cloth), Cloth(ribbon, t.accent.plain(), volume=0.5)]
    if bow and not t.pose.back:
        loop = path((0.14, y), (0.2, y - 0.13, 0.28, y - 0.07), (0.27, y + 0.05, 0.14, y))
        layers += [
            Cloth(shape, t.accent.plain(), volume=0.5) for shape in (loop, (loop - (0.14, 0)) * (-1, 1) + (0.14, 0))
        ]
    return Garment([], layers)


def bucket_hat(t: Tailor) -> Garment:
    """A soft crown and a sloping brim, often patterned."""
    height, w, drop, flare = t.number(0.22, 0.28), t.number(0.22, 0.25), t.number(0.13, 0.2), t.width(0.12, 0.18)
    contrast, y = t.chance(0.35), BROW_Y
    crown = symmetric(
        (0, y - height - 0.02),
        (0.7 * w, y - height - 0.02, 0.9 * w, y - height + 0.02),
        (w + 0.01, y),
        (0, y + 0.03),
    )
    brim = symmetric(
        (0, y),
        (0.8 * w, y, w + 0.01, y - 0.02),
        (w + flare, y + 0.8 * drop),
        (0.6 * w, y + 1.25 * drop, 0, y + 1.25 * drop),
    )
    layers: list[Layer] = [Cloth(crown, t.cloth), Cloth(brim, t.accent if contrast else t.cloth, light=0.95)]
    layers += [
        t.seam(
            path(
                (-(w + flare * k), y + 0.75 * drop * k),
                (0, y + 1.45 * drop * k + 0.03, w + flare * k, y + 0.75 * drop * k),
            )
        )
        for k in (0.35, 0.7)
    ]
    return Garment([], layers)
