"""Printed figures: simple shapes in two colours."""

from collections.abc import Callable

import numpy as np

from pipeline.datasets.atelier.cloth.fabric import brightness, tint
from pipeline.datasets.atelier.curves import Points, ellipse, moved, rectangle, symmetric, tube
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Flat, Layer

Shape = tuple[Points, int]  # outline in a square of half-side 1, number of the colour


def motif(t: Tailor, centre: tuple[float, float], size: float) -> list[Layer]:
    """A figure of half-side `size`, the same for every picture of an item."""
    shapes = MOTIFS[t.choose(sorted(MOTIFS))]()
    ink = t.accent.ground
    if abs(brightness(ink) - brightness(t.cloth.ground)) < 0.2:
        ink = (250, 248, 240) if brightness(t.cloth.ground) < 0.55 else (35, 35, 45)
    inks = (ink, t.detail if t.detail != t.cloth.ground else tint(ink, 0.7), t.cloth.ground)
    return [Flat(moved(outline * size, *centre), inks[index]) for outline, index in shapes]


def _star() -> list[Shape]:
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    radius = np.where(np.arange(10) % 2, 0.42, 1.0)
    return [(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), 0)]


def _heart() -> list[Shape]:
    return [(symmetric((0, -0.45), (0.35, -1.05, 0.85, -0.6), (1.2, -0.05, 0, 0.95)), 0)]


def _sun() -> list[Shape]:
    sky = ellipse((0, 0), 1, 1, 180, 360)
    waves = [(rectangle(-1 + 0.16 * k, 0.1 + 0.24 * k, 1 - 0.16 * k, 0.22 + 0.24 * k), 1) for k in range(3)]
    return [(sky, 0), *waves]


def _mountain() -> list[Shape]:
    peak = np.array([(-1.1, 0.7), (-0.2, -0.8), (0.35, 0.1), (0.6, -0.25), (1.1, 0.7)])
    snow = np.array([(-0.45, -0.38), (-0.2, -0.8), (0.05, -0.38), (-0.1, -0.22), (-0.2, -0.4), (-0.32, -0.2)])
    return [(peak, 0), (snow, 1)]


def _moon() -> list[Shape]:
    outer, inner = ellipse((0, 0), 1, 1), ellipse((0.4, -0.2), 0.8, 0.8)
    return [(outer, 0), (inner, 2)]


def _bolt() -> list[Shape]:
    return [(np.array([(0.3, -1), (-0.6, 0.15), (-0.05, 0.15), (-0.3, 1), (0.6, -0.25), (0.05, -0.25)]), 0)]


def _flower() -> list[Shape]:
    angle = np.linspace(0, 2 * np.pi, 60)
    radius = 0.7 + 0.3 * np.cos(6 * angle)
    return [(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), 0), (ellipse((0, 0), 0.3, 0.3), 1)]


def _cat() -> list[Shape]:
    head = np.concatenate(
        [ellipse((0, 0.15), 0.85, 0.7, -10, 190), [(-0.85, -0.9), (-0.35, -0.45), (0.35, -0.45), (0.85, -0.9)]]
    )
    return [(head, 0), (ellipse((-0.33, 0.05), 0.12, 0.17), 2), (ellipse((0.33, 0.05), 0.12, 0.17), 2)]


def _letters() -> list[Shape]:
    spans = [(-1.3, -0.85), (-0.7, -0.35), (-0.2, 0.25), (0.4, 0.7), (0.85, 1.3)]
    return [(rectangle(left, -0.35 if k % 2 else -0.5, right, 0.35), k % 2) for k, (left, right) in enumerate(spans)]


def _stripes() -> list[Shape]:
    return [(rectangle(-1.2, -0.7 + 0.5 * k, 1.2, -0.4 + 0.5 * k), k % 2) for k in range(3)]


def _wave() -> list[Shape]:
    x = np.linspace(-1.2, 1.2, 30)
    return [(tube(np.stack([x, 0.25 * np.sin(6 * x) + 0.5 * k], axis=1), 0.13), k % 2) for k in (-1, 0, 1)]


def _target() -> list[Shape]:
    return [(ellipse((0, 0), r, r), k) for r, k in ((1, 0), (0.68, 2), (0.4, 1))]


MOTIFS: dict[str, Callable[[], list[Shape]]] = {
    "star": _star, "heart": _heart, "sun": _sun, "mountain": _mountain, "moon": _moon, "bolt": _bolt,
    "flower": _flower, "cat": _cat, "letters": _letters, "stripes": _stripes, "wave": _wave, "target": _target,
}  # fmt: skip
