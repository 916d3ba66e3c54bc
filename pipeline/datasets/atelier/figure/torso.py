"""The upper half of a garment: body, neckline and sleeves."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.atelier.attributes import reach
from pipeline.datasets.atelier.attributes import sleeve as named
from pipeline.datasets.atelier.cloth.fabric import Fabric
from pipeline.datasets.atelier.curves import Points, limb, path, tube, whole
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Layer

INSIDE = 0.5  # light inside a garment
SHOULDER_Y, ARMPIT_Y = 0.1, 0.48
ARM, FOREARM = 0.6, 0.62
SIDES = (1, -1)


@dataclass(frozen=True)
class Torso:
    """Half-widths and heights of the part from the neck to `length`; `cut`: round, v or square neckline.

    `bow`: how far the hem hangs in the middle; `nape`: depth of the neckline behind.
    """

    shoulder: float
    chest: float
    waist: float
    hem: float
    length: float
    neck: float
    depth: float
    cut: str = "round"
    bow: float = 0.03
    nape: float = 0.03

    def neckline(self, back: bool) -> Points:
        """Right half, from the centre to the shoulder."""
        depth = min(self.depth, 2 * self.nape) if back else self.depth
        end = (self.neck, 0.0)
        if self.cut == "v" and not back:
            return path((0, depth), (0.45 * self.neck, 0.45 * depth, *end))
        if self.cut == "square" and not back:
            return path((0, depth), (0.86 * self.neck, depth), end)
        return path((0, depth), (0.92 * self.neck, depth, *end))

    def outline(self, back: bool) -> Points:
        """The whole body piece."""
        middle = (ARMPIT_Y + self.length) / 2
        side = path(
            (self.shoulder, SHOULDER_Y),
            (self.shoulder - 0.08, 0.3, self.chest, ARMPIT_Y),
            (2 * self.waist - (self.chest + self.hem) / 2, middle, self.hem, self.length),
            (0.5 * self.hem, self.length + self.bow, 0, self.length + self.bow),
        )
        return whole(np.concatenate([self.neckline(back), side]))

    def opening(self) -> Points:
        """The hole of the neck, between the back of the collar and the neckline in front."""
        back = path((0, self.nape), (0.8 * self.neck, self.nape, self.neck, 0))
        return whole(np.concatenate([back, self.neckline(back=False)[::-1]]))


@dataclass(frozen=True)
class Sleeve:
    """`length`: 1 ends at the wrist. Half-widths at the elbow and the end, length of the cuff, fullness."""

    length: float
    middle: float
    end: float
    band: float = 0.0
    puff: float = 0.0


def body(t: Tailor, torso: Torso) -> list[Layer]:
    """The body piece."""
    t.tell(neck=torso.cut, **reach(torso.length))
    return [Cloth(torso.outline(t.pose.back), t.cloth)]


def inside(t: Tailor, torso: Torso, lining: Fabric | None = None) -> list[Layer]:
    """What is seen of the back through the neck; nothing from behind."""
    return t.facing(Cloth(torso.opening(), lining or t.cloth.plain(), light=INSIDE, volume=0.3))


def sleeves(t: Tailor, torso: Torso, sleeve: Sleeve, cuff: Fabric | None = None) -> list[Layer]:
    """Both sleeves with their cuffs."""
    t.tell(**named(sleeve.length, sleeve.puff))
    layers: list[Layer] = []
    for side, angle, bend in zip(SIDES, t.pose.arms, t.pose.elbows, strict=True):
        joint = np.array([(torso.shoulder + torso.chest) / 2 - 0.06, 0.28])
        arm = limb(joint, angle, bend, ARM, FOREARM)
        spine = arm[: max(5, round(sleeve.length * (len(arm) - 1)) + 1)]
        share = np.linspace(0, 1, len(spine))
        start = 0.17 + 0.3 * (torso.chest - 0.4)
        middle = sleeve.middle if sleeve.length > 0.6 else (start + sleeve.end) / 2
        widths = np.interp(share, [0, 0.5, 1], [start, middle, sleeve.end])
        widths += sleeve.puff * np.sin(np.pi * share) ** 0.8
        edge = tube(spine, widths)
        outer, inner = edge[: len(spine)], edge[len(spine) :][::-1]
        top, bottom = (torso.shoulder - 0.02, SHOULDER_Y - 0.005), (torso.chest - 0.03, ARMPIT_Y)
        piece = np.concatenate([[top], outer[2:], inner[1:][::-1], [bottom]])
        grain = -side * float(np.arctan2(*(spine[-1] - spine[0])))
        layers.append(Cloth(piece * (side, 1), t.cloth, grain))
        if sleeve.band:
            steps = max(2, round(sleeve.band * len(arm)))
            end = tube(spine[-steps:], np.maximum(widths[-1] * 0.98, 0.05))
            layers.append(Cloth(end * (side, 1), cuff or t.cloth, grain))
    return layers
