"""The person who wears a garment: skin, hair and plain other clothes, in the garment's own body units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.atelier.catalogue import Silhouette
from pipeline.datasets.atelier.cloth.fabric import Colour, Fabric, tint
from pipeline.datasets.atelier.curves import Points, both, ellipse, limb, moved, path, rectangle, symmetric, tube
from pipeline.datasets.atelier.figure.legs import ANKLE_Y, HIP_Y, Legs
from pipeline.datasets.atelier.figure.torso import ARM, FOREARM, SIDES
from pipeline.datasets.atelier.garments.bags import HAND_X
from pipeline.datasets.atelier.garments.tailor import Pose
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Layer, Stroke, placed

SKINS = ((244, 208, 177), (229, 184, 143), (198, 145, 102), (151, 101, 66), (105, 68, 46), (236, 196, 170))
HAIRS = ((35, 28, 26), (70, 46, 32), (122, 82, 48), (196, 156, 96), (140, 60, 36), (150, 146, 142))
CLOTHES = ((40, 42, 50), (238, 236, 230), (70, 90, 130), (150, 150, 150), (190, 170, 140), (110, 60, 60), (70, 90, 70))


@dataclass(frozen=True)
class Person:
    """Somebody's looks, which change from picture to picture."""

    skin: Fabric
    hair: Fabric
    top: Fabric
    bottom: Fabric
    shoes: Fabric
    long_hair: bool


def meet(rng: np.random.Generator) -> Person:
    """Somebody."""

    def pick(colours: Sequence[Colour]) -> Fabric:
        return Fabric((colours[rng.integers(len(colours))],))

    return Person(pick(SKINS), pick(HAIRS), pick(CLOTHES), pick(CLOTHES), pick(CLOTHES), bool(rng.random() < 0.5))


def behind(person: Person, pose: Pose, kind: Silhouette) -> list[Layer]:
    """The body behind the front of a garment, in other clothes where the garment is not."""
    layers: list[Layer] = []
    if person.long_hair and not pose.back:
        mane = symmetric((0, -0.74), (0.33, -0.74, 0.27, -0.3), (0.3, 0.0, 0.24, 0.3), (0, 0.3))
        layers.append(Cloth(mane, person.hair))
    layers += [Cloth(arm, person.skin, volume=0.7) for arm in _arms(pose)]
    shoulders, flank = (0.14, 0.06, 0.38, 0.1), ((0.42, 0.2, 0.36, 0.5), (0.25, 0.95, 0.35, 1.3))
    trunk = symmetric((0, -0.05), (0.12, -0.05), shoulders, *flank, (0, 1.4))
    layers.append(Cloth(trunk, person.skin))
    if kind.layered:
        layers.append(Cloth(moved(trunk * (0.97, 0.9), 0, 0.16), person.top))
    layers += _legs(person, pose, clad=kind.place not in ("lower", "whole"))
    if kind.place not in ("upper", "whole"):
        layers += _plain_top(person, pose)
    layers.append(Cloth(rectangle(-0.095, -0.3, 0.095, 0.06), person.skin, light=0.9, volume=0.5))
    layers += _head(person, pose)
    return placed(layers, (-HAND_X, 0)) if kind.place == "hand" else layers


def over(person: Person, pose: Pose, kind: Silhouette) -> list[Layer]:
    """What of the person hangs over the garment: long hair, down the back or over the shoulders."""
    if not person.long_hair or kind.place in ("head", "hand"):
        return []
    if pose.back:
        mane = symmetric((0, -0.7), (0.27, -0.7, 0.25, -0.3), (0.27, 0.2, 0.16, 0.42), (0, 0.46))
        return [Cloth(mane, person.hair)]
    outer, inner = (
        ((0.3, -0.45, 0.26, -0.1), (0.31, 0.15, 0.2, 0.36)),
        ((0.17, 0.2, 0.16, 0.05), (0.2, -0.25, 0.15, -0.5)),
    )
    lock = path((0.15, -0.5), *outer, *inner)
    return [Cloth(side, person.hair) for side in both(lock)]


def _arms(pose: Pose) -> list[Points]:
    arms = []
    for side, angle, bend in zip(SIDES, pose.arms, pose.elbows, strict=True):
        spine = limb(np.array([0.37, 0.24]), angle, bend, ARM + 0.02, FOREARM + 0.08)
        widths = np.append(np.linspace(0.1, 0.055, len(spine) - 3), (0.06, 0.07, 0.045))
        arms.append(tube(spine, widths) * (side, 1))
    return arms


def _legs(person: Person, pose: Pose, *, clad: bool) -> list[Layer]:
    layers: list[Layer] = []
    for side, apart in zip(SIDES, pose.legs, strict=True):
        spine = limb(np.array([0.19, HIP_Y - 0.1]), apart, -0.03, 0.95, 0.9)
        leg = tube(spine, np.linspace(0.185, 0.075, len(spine)))
        foot = moved(ellipse((0.05, 0.06), 0.13, 0.085), *spine[-1])
        layers += [Cloth(leg * (side, 1), person.skin, volume=0.8), Cloth(foot * (side, 1), person.shoes)]
    trousers = Legs(0.3, 0.37, 0.15, 0.11, ANKLE_Y - 0.05)
    return layers + [Cloth(trousers.leg(pose, side), person.bottom) for side in SIDES if clad]


def _plain_top(person: Person, pose: Pose) -> list[Layer]:
    layers: list[Layer] = []
    for side, angle, bend in zip(SIDES, pose.arms, pose.elbows, strict=True):
        spine = limb(np.array([0.37, 0.24]), angle, bend, ARM, FOREARM)[:9]
        layers.append(Cloth(tube(spine, 0.16) * (side, 1), person.top))
    neck, flank = (0.15, 0.12, 0.16, 0.0), ((0.36, 0.3, 0.39, 0.5), (0.32, 0.95, 0.38, 1.28))
    return [*layers, Cloth(symmetric((0, 0.12), neck, (0.44, 0.1), *flank, (0, 1.3)), person.top)]


def _head(person: Person, pose: Pose) -> list[Layer]:
    if pose.back:
        return [Cloth(ellipse((0, -0.44), 0.22, 0.28), person.hair)]
    fringe = symmetric((0, -0.73), (0.26, -0.73, 0.225, -0.36), (0.19, -0.56, 0.06, -0.58), (0, -0.6))
    mouth = Stroke(path((-0.05, -0.28), (0, -0.25, 0.05, -0.28)), tint(person.skin.ground, 0.6), 0.02)
    eyes = [Flat(ellipse((x, -0.42), 0.022, 0.026), (40, 32, 30)) for x in (-0.075, 0.075)]
    face = Cloth(ellipse((0, -0.41), 0.195, 0.26), person.skin, volume=0.6)
    return [face, Cloth(fringe, person.hair), *eyes, mouth]
