"""The person who wears a garment: skin, hair and plain other clothes, in the garment's own body units."""

from dataclasses import dataclass

import numpy as np

from pipeline.atelier.catalogue import Silhouette
from pipeline.atelier.curves import ellipse, limb, mirror, path, rectangle, tube, whole
from pipeline.atelier.fabric import Colour, Fabric, tint
from pipeline.atelier.layers import Cloth, Flat, Layer, Stroke
from pipeline.atelier.lower import ANKLE_Y, HIP_Y, Legs
from pipeline.atelier.tailor import Pose
from pipeline.atelier.torso import ARM, FOREARM, SIDES

SKINS = ((244, 208, 177), (229, 184, 143), (198, 145, 102), (151, 101, 66), (105, 68, 46), (236, 196, 170))
HAIRS = ((35, 28, 26), (70, 46, 32), (122, 82, 48), (196, 156, 96), (140, 60, 36), (150, 146, 142))
CLOTHES = ((40, 42, 50), (238, 236, 230), (70, 90, 130), (150, 150, 150), (190, 170, 140), (110, 60, 60), (70, 90, 70))


@dataclass(frozen=True)
class Person:
    """Looks that change from picture to picture."""

    skin: Colour
    hair: Colour
    long_hair: bool
    top: Colour
    bottom: Colour
    shoes: Colour
    phone: bool


def meet(rng: np.random.Generator) -> Person:
    """Somebody."""
    pick = lambda colours: colours[rng.integers(len(colours))]  # noqa: E731
    return Person(
        pick(SKINS),
        pick(HAIRS),
        bool(rng.random() < 0.5),
        pick(CLOTHES),
        pick(CLOTHES),
        pick(CLOTHES),
        bool(rng.random() < 0.3),
    )


def figure(person: Person, pose: Pose, kind: Silhouette) -> list[Layer]:
    """The body behind the front of a garment: hair, legs, arms, trunk and head, clad where the garment is not."""
    layers: list[Layer] = []
    place = kind.place
    skin = Fabric((person.skin,))
    if person.long_hair and not pose.back:
        layers.append(
            Cloth(
                symmetric((0, -0.74), (0.33, -0.74, 0.27, -0.3), (0.3, 0.0, 0.24, 0.3), (0, 0.3)),
                Fabric((person.hair,)),
            )
        )
    layers += [Cloth(arm, skin, volume=0.7) for arm in _arms(pose)]
    trunk = path(
        (0, -0.05), (0.12, -0.05), (0.14, 0.06, 0.38, 0.1), (0.42, 0.2, 0.36, 0.5), (0.25, 0.95, 0.35, 1.3), (0, 1.4)
    )
    layers.append(Cloth(whole(trunk), skin))
    if kind.layered:
        layers.append(Cloth(whole(trunk * (0.97, 0.9) + (0, 0.16)), Fabric((person.top,))))
    layers += _legs(person, pose, clad=place not in ("lower", "whole"))
    if place in ("lower", "head", "hand"):
        layers += _plain_top(person, pose)
    layers.append(Cloth(rectangle(-0.095, -0.3, 0.095, 0.06), skin, light=0.9, volume=0.5))
    return layers + _head(person, pose)


def over(person: Person, pose: Pose, kind: Silhouette) -> list[Layer]:
    """What of the person hangs over the garment: locks of long hair, down the back or over a shoulder."""
    if not person.long_hair or kind.place == "head":
        return []
    hair = Fabric((person.hair,))
    if pose.back:
        return [Cloth(symmetric((0, -0.7), (0.27, -0.7, 0.25, -0.3), (0.27, 0.2, 0.16, 0.42), (0, 0.46)), hair)]
    lock = path(
        (0.15, -0.5),
        (0.3, -0.45, 0.26, -0.1),
        (0.31, 0.15, 0.2, 0.36),
        (0.17, 0.2, 0.16, 0.05),
        (0.2, -0.25, 0.15, -0.5),
    )
    return [Cloth(lock, hair), Cloth(mirror(lock) * (1, 0.9), hair)]


def _legs(person: Person, pose: Pose, *, clad: bool) -> list[Layer]:
    layers: list[Layer] = []
    for side, apart in zip(SIDES, pose.legs, strict=True):
        hip = np.array([side * 0.19, HIP_Y - 0.1])
        spine = limb(hip, side * apart, -side * 0.03, 0.95, 0.9)
        layers.append(Cloth(tube(spine, np.linspace(0.185, 0.075, len(spine))), Fabric((person.skin,)), volume=0.8))
        foot = ellipse((spine[-1][0] + side * 0.05, spine[-1][1] + 0.06), 0.13, 0.085)
        layers.append(Cloth(foot, Fabric((person.shoes,))))
    if clad:
        trousers = Legs(0.3, 0.37, 0.15, 0.11, ANKLE_Y - 0.05)
        cloth = Fabric((person.bottom,))
        layers += [Cloth(trousers.leg(pose, side), cloth) for side in SIDES]
    return layers


def _arms(pose: Pose) -> list[np.ndarray]:
    arms = []
    for side, angle, bend in zip(SIDES, pose.arms, pose.elbows, strict=True):
        spine = limb(np.array([0.37, 0.24]), angle, bend, ARM + 0.02, FOREARM + 0.08)
        arm = tube(spine, np.append(np.linspace(0.1, 0.055, len(spine) - 3), (0.06, 0.07, 0.045)))
        arms.append(arm * (side, 1))
    return arms


def _plain_top(person: Person, pose: Pose) -> list[Layer]:
    cloth = Fabric((person.top,))
    layers: list[Layer] = []
    for side, angle, bend in zip(SIDES, pose.arms, pose.elbows, strict=True):
        spine = limb(np.array([0.37, 0.24]), angle, bend, ARM, FOREARM)[:9]
        layers.append(Cloth(tube(spine, 0.16) * (side, 1), cloth))
    trunk = path(
        (0, 0.12), (0.15, 0.12, 0.16, 0.0), (0.44, 0.1), (0.36, 0.3, 0.39, 0.5), (0.32, 0.95, 0.38, 1.28), (0, 1.3)
    )
    return [*layers, Cloth(whole(trunk), cloth)]


def _head(person: Person, pose: Pose) -> list[Layer]:
    hair = Fabric((person.hair,))
    if pose.back:
        return [Cloth(ellipse((0, -0.44), 0.22, 0.28), hair)]
    fringe = symmetric((0, -0.73), (0.26, -0.73, 0.225, -0.36), (0.19, -0.56, 0.06, -0.58), (0, -0.6))
    face: list[Layer] = [
        Cloth(ellipse((0, -0.41), 0.195, 0.26), Fabric((person.skin,)), volume=0.6),
        Cloth(fringe, hair),
    ]
    for side in SIDES:
        face.append(Flat(ellipse((side * 0.075, -0.42), 0.022, 0.026), (40, 32, 30)))
    mouth = path((-0.05, -0.28), (0, -0.25, 0.05, -0.28))
    return [*face, Stroke(mouth, tint(person.skin, 0.6), 0.02)]
