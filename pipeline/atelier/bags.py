"""Silhouettes of bags, hung from the hand of somebody who stands to their left."""

import numpy as np

from pipeline.atelier.curves import Points, ellipse, path, rectangle, tube, whole
from pipeline.atelier.layers import Cloth, Flat, Garment, Layer, Stroke
from pipeline.atelier.motifs import motif
from pipeline.atelier.tailor import Tailor
from pipeline.atelier.torso import SIDES

HAND_X, HAND_Y = 0.86, 1.3  # the hand that carries a bag; bags are drawn around x = 0


def tote(t: Tailor) -> Garment:
    """An open shopper with two long handles, often printed."""
    w, h, loop = t.width(0.36, 0.46), t.number(0.7, 0.9), t.number(0.4, 0.6)
    printed, contrast, base = t.chance(0.6), t.chance(0.4), t.chance(0.35)
    y = HAND_Y + loop
    figure = motif(t, (0, y + 0.5 * h), 0.2)
    strap = (t.accent if contrast else t.cloth).plain()
    handle = tube(_handle(0.55 * w, y, loop), 0.028)
    sack = symmetric((0, y), (w, y), (w * 0.93, y + h - 0.06), (w * 0.92, y + h, w * 0.86, y + h), (0, y + h))
    layers: list[Layer] = [
        Cloth(moved(handle, 0.03, -0.03), strap, light=0.75),
        Cloth(sack, t.cloth),
        Cloth(handle, strap),
    ]
    if base:
        layers.append(
            Cloth(
                symmetric((0, y + 0.75 * h), (0.94 * w, y + 0.75 * h), (0.92 * w, y + h - 0.02), (0, y + h)),
                t.accent.plain(),
                volume=0.5,
            )
        )
    if printed and t.cloth.pattern == "plain" and not t.pose.back:
        layers += figure
    return Garment([], layers)


def handbag(t: Tailor) -> Garment:
    """Stiff, with a flap or a zip, a clasp and a bowed handle."""
    kind = t.choose(("flap", "zip", "round"))
    top, bottom, h, loop = t.width(0.28, 0.38), t.width(0.36, 0.46), t.number(0.45, 0.6), t.number(0.25, 0.42)
    contrast, y = t.chance(0.35), HAND_Y + loop
    strap = (t.accent if contrast else t.cloth).plain()
    handle = tube(_handle(0.6 * top, y, loop), 0.032)
    if kind == "round":
        sack = ellipse((0, y + 0.5 * h), bottom, 0.56 * h)
    else:
        sack = symmetric(
            (0, y), (top, y), (top + 0.02, y, bottom, y + h - 0.1), (bottom, y + h, bottom - 0.1, y + h), (0, y + h)
        )
    layers: list[Layer] = [Cloth(handle, strap), Cloth(sack, t.cloth, volume=1.3)]
    if t.pose.back:
        return Garment([], layers)
    if kind == "flap":
        flap = symmetric(
            (0, y - 0.015),
            (top + 0.01, y - 0.015),
            (bottom - 0.02, y + 0.35 * h),
            (0.6 * bottom, y + 0.62 * h, 0, y + 0.62 * h),
        )
        layers += [
            Cloth(flap, strap, light=0.96),
            Flat(rectangle(-0.05, y + 0.55 * h, 0.05, y + 0.55 * h + 0.09), t.detail),
        ]
    else:
        line = np.array([(-0.7 * top, y + 0.16), (0.7 * top, y + 0.16)])
        layers += [Stroke(line, t.detail, 0.03), Flat(ellipse((0, y + 0.3), 0.035, 0.05), t.detail)]
    return Garment([], layers)


def backpack(t: Tailor) -> Garment:
    """Rounded, a front pocket, straps and a small handle."""
    w, h, pocket = t.width(0.34, 0.42), t.length(0.85, 1.05), t.number(0.34, 0.45)
    contrast, label, flap = t.chance(0.6), t.chance(0.6), t.chance(0.5)
    y = HAND_Y + 0.2
    trim = t.accent if contrast else t.cloth
    sack = symmetric(
        (0, y),
        (0.3 * w, y, 0.5 * w, y + 0.01),
        (w, y + 0.04, w, y + 0.35),
        (w * 1.04, y + h - 0.12),
        (w * 1.03, y + h, 0.85 * w, y + h),
        (0, y + h),
    )
    grip = tube(_handle(0.11, y + 0.03, 0.13), 0.025)
    straps = [
        tube(path((s * 0.5 * w, y + 0.1), (s * (w + 0.22), y + 0.35, s * (w + 0.02), y + h - 0.08)), 0.045)
        for s in SIDES
    ]
    layers: list[Layer] = [
        *(Cloth(strap, trim.plain(), light=0.8) for strap in straps),
        Cloth(grip, trim.plain()),
        Cloth(sack, t.cloth, volume=1.2),
    ]
    if t.pose.back:
        layers += [
            Cloth(tube(path((s * 0.15, y + 0.1), (s * 0.3, y + 0.5, s * 0.2, y + h - 0.1)), 0.06), trim.plain())
            for s in SIDES
        ]
        return Garment([], layers)
    low = symmetric(
        (0, y + h - pocket),
        (0.72 * w, y + h - pocket, 0.78 * w, y + h - pocket + 0.12),
        (0.8 * w, y + h - 0.05),
        (0, y + h - 0.05),
    )
    layers += [Cloth(low, trim, volume=0.9)]
    arc = path((-0.85 * w, y + 0.42), (-0.8 * w, y + 0.1, 0, y + 0.1), (0.8 * w, y + 0.1, 0.85 * w, y + 0.42))
    if flap:
        layers.append(
            Cloth(
                symmetric((0, y - 0.01), (0.9 * w, y, 0.98 * w, y + 0.3), (0.9 * w, y + 0.45), (0, y + 0.45)),
                t.cloth,
                light=0.95,
            )
        )
        layers += [Stroke(np.array([(s * 0.17, y + 0.3), (s * 0.17, y + 0.6)]), t.detail, 0.035) for s in SIDES]
    else:
        layers.append(Stroke(arc, t.detail, 0.022))
    if label:
        layers.append(Flat(rectangle(-0.07, y + h - pocket + 0.1, 0.07, y + h - pocket + 0.19), t.detail))
    return Garment([], layers)


def _handle(half: float, y: float, height: float) -> Points:
    """Spine of a bowed handle with its ends at (-half, y) and (half, y)."""
    angle = np.linspace(np.pi, 2 * np.pi, 24)
    arch = np.stack([half * np.cos(angle), y + height * np.sin(angle)], axis=1)
    return np.concatenate([[(-half, y + 0.08)], arch, [(half, y + 0.08)]])
