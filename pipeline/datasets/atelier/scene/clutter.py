# ruff: noqa: ARG001 - all things are called alike
"""Things that lie about or get in the way, drawn in a frame of half-side 1."""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.datasets.atelier.cloth.fabric import Colour, Fabric, tint
from pipeline.datasets.atelier.curves import ellipse, moved, path, rectangle, symmetric, tube
from pipeline.datasets.atelier.figure.body import SKINS
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Layer, Stroke, placed

Thing = Callable[[np.random.Generator, Colour], list[Layer]]


def scattered(rng: np.random.Generator, names: Sequence[str], hues: Sequence[Colour], edge: float) -> list[Layer]:
    """A thing of a random name for each of `hues`, turned anyhow, its centre at least `edge` from the frame's."""
    layers: list[Layer] = []
    for hue in hues:
        thing = THINGS[names[rng.integers(len(names))]](rng, hue)
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(edge, 1.15)
        centre = (distance * np.cos(angle), distance * np.sin(angle))
        layers += placed(thing, centre, rng.uniform(0.75, 1.2), rng.uniform(-np.pi, np.pi))
    return layers


def hand(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    """A forearm that comes from the right, its fingers at the centre."""
    skin = Fabric((SKINS[rng.integers(len(SKINS))],))
    arm = tube(path((1.6, 0.15), (0.8, 0.1, 0.2, 0.0)), np.linspace(0.17, 0.11, 11))
    fingers = [
        tube(path((0.18, y), (0.02, 1.25 * y), (-0.2 + 0.5 * abs(y + 0.02), 1.3 * y)), 0.036)
        for y in (-0.09, -0.03, 0.035, 0.095)
    ]
    thumb = tube(path((0.25, 0.08), (0.15, 0.22, 0.02, 0.2)), 0.04)
    palm = Cloth(ellipse((0.2, 0.0), 0.14, 0.13), skin, volume=0.3)
    return [Cloth(arm, skin), *(Cloth(finger, skin, volume=0.7) for finger in (*fingers, thumb)), palm]


def strap(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    """A bag strap across the frame."""
    spine = path((-1.6, -0.06), (0, rng.uniform(-0.2, 0.2), 1.6, 0.06))
    return [Cloth(tube(spine, 0.045), Fabric((tint(hue, 0.7),)), volume=0.8)]


def _book(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    cover = Cloth(rectangle(-0.2, -0.27, 0.19, 0.25), Fabric((hue,)), volume=0.3)
    title = Flat(rectangle(-0.12, -0.15, 0.12, rng.uniform(-0.1, 0.0)), tint(hue, 1.8))
    return [Flat(rectangle(-0.19, -0.25, 0.21, 0.27), (240, 236, 226)), cover, title]


def _mug(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    handle = Stroke(ellipse((0.2, 0), 0.1, 0.08), tint(hue, 0.8), 0.05)
    coffee = Flat(ellipse((0, 0), 0.125, 0.125), (70, 44, 30))
    return [handle, Cloth(ellipse((0, 0), 0.17, 0.17), Fabric((hue,))), coffee]


def _phone(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    case = Cloth(rectangle(-0.12, -0.22, 0.12, 0.22, 0.04), Fabric(((28, 28, 32),)), volume=0.4)
    return [case, Flat(rectangle(-0.1, -0.19, 0.1, 0.18), tint(hue, 0.5) if rng.random() < 0.5 else (60, 90, 120))]


def _shoes(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    layers: list[Layer] = []
    for x in (-0.11, 0.11):
        layers.append(Cloth(ellipse((x, 0), 0.1, 0.25), Fabric((hue,))))
        layers.append(Flat(ellipse((x, 0.08), 0.055, 0.12), tint(hue, 0.4)))
        layers += [Stroke(path((x - 0.05, y), (x + 0.05, y)), (240, 240, 236), 0.018) for y in (-0.05, -0.1)]
    return layers


def _plant(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    leaf = path((0, 0), (-0.1, 0.2, 0, 0.42), (0.1, 0.2, 0, 0))
    layers: list[Layer] = []
    for angle in np.linspace(0, 2 * np.pi, 7)[:-1] + rng.uniform(0, 1):
        green = Fabric((tint((60, 110, 70), rng.uniform(0.7, 1.3)),))
        layers += placed([Cloth(leaf, green)], (0, 0), angle=angle)
    return layers


def _cushion(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    square = symmetric((0, -0.3), (0.2, -0.28, 0.36, -0.36), (0.29, 0, 0.36, 0.36), (0.2, 0.28, 0, 0.3))
    pattern = ("plain", "stripes", "dots", "plain")[rng.integers(4)]
    return [Cloth(square, Fabric((hue, tint(hue, 1.7)), pattern, period=0.16), volume=1.4)]


def _scarf(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    x = np.linspace(-0.7, 0.7, 30)
    spine = np.stack([x, 0.16 * np.sin(4 * x + rng.uniform(0, 6))], axis=1)
    return [Cloth(tube(spine, 0.1), Fabric((hue, tint(hue, 0.7)), "candy", period=0.12))]


def _cable(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    t = np.linspace(0, 5, 50)
    spiral = np.stack([0.12 * t * np.cos(2 * t), 0.1 * t * np.sin(2 * t + 0.4)], axis=1)
    return [Stroke(moved(spiral, -0.1, 0), (235, 235, 235) if rng.random() < 0.5 else (40, 40, 42), 0.03)]


THINGS: dict[str, Thing] = {
    "book": _book, "mug": _mug, "phone": _phone, "shoes": _shoes, "plant": _plant, "cable": _cable,
    "cushion": _cushion, "scarf": _scarf,
}  # fmt: skip
SMALL = ("book", "mug", "phone", "shoes", "plant", "cable")
ANY = (*SMALL, "cushion", "scarf")
