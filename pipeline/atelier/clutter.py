"""Things that lie about or get in the way, drawn in a frame of half-side 1."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.atelier.body import SKINS
from pipeline.atelier.curves import ellipse, path, rectangle, tube, whole
from pipeline.atelier.fabric import Colour, Fabric, tint
from pipeline.atelier.layers import Cloth, Flat, Layer, Stroke

Thing = Callable[[np.random.Generator, Colour], list[Layer]]


def place(layers: list[Layer], centre: tuple[float, float], size: float, angle: float) -> list[Layer]:
    """The layers of a thing, turned by `angle` radians, `size` times as large, moved to `centre`."""
    turn = size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved: list[Layer] = []
    for layer in layers:
        match layer:
            case Stroke():
                moved.append(replace(layer, points=layer.points @ turn + centre, width=layer.width * size))
            case _:
                moved.append(replace(layer, outline=layer.outline @ turn + centre))
    return moved


def things(
    rng: np.random.Generator, palette: Sequence[Colour], names: Sequence[str], count: int, edge: float
) -> list[Layer]:
    """`count` of the named things around the frame, their centres at least `edge` from its centre."""
    layers: list[Layer] = []
    for _ in range(count):
        name = names[rng.integers(len(names))]
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(edge, 1.15)
        centre = (distance * np.cos(angle), distance * np.sin(angle))
        thing = THINGS[name](rng, palette[rng.integers(len(palette))])
        layers += place(thing, centre, rng.uniform(0.75, 1.2), rng.uniform(-np.pi, np.pi))
    return layers


def _book(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    pages = rectangle(-0.19, -0.25, 0.21, 0.27)
    title = rectangle(-0.12, -0.15, 0.12, rng.uniform(-0.1, 0.0))
    return [
        Flat(pages, (240, 236, 226)),
        Cloth(rectangle(-0.2, -0.27, 0.19, 0.25), Fabric((hue,)), volume=0.3),
        Flat(title, tint(hue, 1.8)),
    ]


def _mug(rng: np.random.Generator, hue: Colour) -> list[Layer]:  # noqa: ARG001
    return [Stroke(ellipse((0.2, 0), 0.1, 0.08), tint(hue, 0.8), 0.05), Cloth(ellipse((0, 0), 0.17, 0.17), Fabric((hue,))),
            Flat(ellipse((0, 0), 0.125, 0.125), (70, 44, 30))]  # fmt: skip


def _phone(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    screen = tint(hue, 0.5) if rng.random() < 0.5 else (60, 90, 120)
    return [
        Cloth(rectangle(-0.12, -0.22, 0.12, 0.22, 0.04), Fabric(((28, 28, 32),)), volume=0.4),
        Flat(rectangle(-0.1, -0.19, 0.1, 0.18), screen),
    ]


def _shoe(rng: np.random.Generator, hue: Colour) -> list[Layer]:  # noqa: ARG001
    layers: list[Layer] = []
    for x in (-0.11, 0.11):
        sole = ellipse((x, 0), 0.1, 0.25)
        layers += [Cloth(sole, Fabric((hue,))), Flat(ellipse((x, 0.08), 0.055, 0.12), tint(hue, 0.4))]
        layers += [Stroke(np.array([(x - 0.05, y), (x + 0.05, y)]), (240, 240, 236), 0.018) for y in (-0.05, -0.1)]
    return layers


def _leaf(rng: np.random.Generator, hue: Colour) -> list[Layer]:  # noqa: ARG001
    green = (60, 110, 70)
    layers: list[Layer] = []
    for angle in np.linspace(0, 2 * np.pi, 7)[:-1] + rng.uniform(0, 1):
        tip = np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-tip[1], tip[0]]) * 0.1
        leaf = path((0, 0), (*(0.2 * tip + side), *(0.42 * tip)), (*(0.2 * tip - side), 0, 0))
        layers.append(Cloth(leaf, Fabric((tint(green, rng.uniform(0.7, 1.3)),))))
    return layers


def _cushion(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    half = symmetric((0, -0.3), (0.2, -0.28, 0.36, -0.36), (0.29, 0, 0.36, 0.36), (0.2, 0.28, 0, 0.3))
    pattern = ("plain", "stripes", "dots", "plain")[rng.integers(4)]
    return [Cloth(half, Fabric((hue, tint(hue, 1.7)), pattern, period=0.16), volume=1.4)]


def _scarf(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    x = np.linspace(-0.7, 0.7, 30)
    spine = np.stack([x, 0.16 * np.sin(4 * x + rng.uniform(0, 6))], axis=1)
    return [Cloth(tube(spine, 0.1), Fabric((hue, tint(hue, 0.7)), "candy", period=0.12))]


def _cable(rng: np.random.Generator, hue: Colour) -> list[Layer]:  # noqa: ARG001
    t = np.linspace(0, 5, 50)
    spine = np.stack([0.12 * t * np.cos(2 * t) - 0.1, 0.1 * t * np.sin(2 * t + 0.4)], axis=1)
    return [Stroke(spine, (235, 235, 235) if rng.random() < 0.5 else (40, 40, 42), 0.03)]


def _hand(rng: np.random.Generator, hue: Colour) -> list[Layer]:  # noqa: ARG001
    """A forearm from beyond the right edge, fingers towards the left."""
    skin = Fabric((SKINS[rng.integers(len(SKINS))],))
    arm = tube(path((1.6, 0.15), (0.8, 0.1, 0.2, 0.0)), np.linspace(0.17, 0.11, 11))
    fingers = [
        tube(np.array([(0.18, y), (0.02, y * 1.25), (-0.2 + 0.5 * abs(y + 0.02), y * 1.3)]), 0.036)
        for y in (-0.09, -0.03, 0.035, 0.095)
    ]
    thumb = tube(path((0.25, 0.08), (0.15, 0.22, 0.02, 0.2)), 0.04)
    return [
        Cloth(arm, skin),
        *(Cloth(finger, skin, volume=0.7) for finger in [*fingers, thumb]),
        Cloth(ellipse((0.2, 0.0), 0.14, 0.13), skin, volume=0.3),
    ]


def _strap(rng: np.random.Generator, hue: Colour) -> list[Layer]:
    """A bag strap across the frame."""
    spine = path((-1.6, -0.06), (0, rng.uniform(-0.2, 0.2), 1.6, 0.06))
    return [Cloth(tube(spine, 0.045), Fabric((tint(hue, 0.7),)), volume=0.8)]


THINGS: dict[str, Thing] = {
    "book": _book, "mug": _mug, "phone": _phone, "shoe": _shoe, "leaf": _leaf, "cushion": _cushion,
    "scarf": _scarf, "cable": _cable, "hand": _hand, "strap": _strap,
}  # fmt: skip
SMALL = ("book", "mug", "phone", "shoe", "leaf", "cable")
LYING = (*SMALL, "cushion", "scarf")
