"""The upper half of a garment: body, neckline, sleeves, collars and fronts. Used by tops, coats and dresses."""

from dataclasses import dataclass

import numpy as np

from pipeline.atelier.curves import Points, ellipse, limb, mirror, path, rectangle, tube, whole
from pipeline.atelier.fabric import Fabric, tint
from pipeline.atelier.layers import Cloth, Flat, Layer, Stroke
from pipeline.atelier.tailor import Tailor

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
    """`length`: 1 ends at the wrist. Half-widths at the elbow and at the end; `band` the length of a cuff."""

    length: float
    middle: float
    end: float
    band: float = 0.0
    puff: float = 0.0


def body(t: Tailor, torso: Torso, *, volume: float = 1.0) -> list[Layer]:
    """The body piece."""
    return [Cloth(torso.outline(t.pose.back), t.cloth, volume=volume)]


def inside(t: Tailor, torso: Torso, lining: Fabric | None = None) -> list[Layer]:
    """What is seen of the back through the neck; nothing from behind."""
    return [] if t.pose.back else [Cloth(torso.opening(), lining or t.cloth.plain(), light=INSIDE, volume=0.3)]


def sleeves(t: Tailor, torso: Torso, sleeve: Sleeve, cuff: Fabric | None = None) -> list[Layer]:
    """Both sleeves with their cuffs."""
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
        piece = np.concatenate(
            [[(torso.shoulder - 0.02, SHOULDER_Y - 0.005)], outer[2:], inner[1:][::-1], [(torso.chest - 0.03, ARMPIT_Y)]]
        )
        grain = -side * float(np.arctan2(*(spine[-1] - spine[0])))
        layers.append(Cloth(_on(side, piece), t.cloth, grain))
        if sleeve.band:
            steps = max(2, round(sleeve.band * len(arm)))
            end = tube(spine[-steps:], np.maximum(widths[-1] * 0.98, 0.05))
            layers.append(Cloth(_on(side, end), cuff or t.cloth, grain))
    return layers


def neck_band(t: Tailor, torso: Torso, fabric: Fabric, width: float = 0.05) -> list[Layer]:
    """A ribbed band along the neckline."""
    half = torso.neckline(t.pose.back)
    line = np.concatenate([mirror(half)[::-1], half[1:]])
    return [Cloth(tube(line, width / 2), fabric, volume=0.5)]


def hem_band(torso: Torso, fabric: Fabric, width: float = 0.09) -> list[Layer]:
    """A ribbed band below the body, a little narrower than it."""
    w = torso.hem * 0.94
    half = path((0, torso.length - 0.01), (torso.hem, torso.length - 0.02), (w, torso.length + width), (0, torso.length + width))
    return [Cloth(whole(half), fabric, volume=0.7)]


def collar(t: Tailor, torso: Torso, fabric: Fabric, point: tuple[float, float]) -> list[Layer]:
    """A shirt collar whose tips end at `point` and its mirror image."""
    if t.pose.back:
        half = path((0, -0.08), (0.8 * torso.neck, -0.08, torso.neck + 0.03, 0.01), (0.7 * torso.neck, 0.07, 0, 0.07))
        return [Cloth(whole(half), fabric, volume=0.6)]
    stand = whole(path((0, -0.02), (0.8 * torso.neck, -0.07, torso.neck, -0.05), (torso.neck, 0.03), (0, 0.05)))
    flap = path((0.0, torso.depth + 0.02), (0.5 * torso.neck, 0.0, 0.85 * torso.neck, -0.07),
                (torso.neck + 0.03, -0.03, torso.neck + 0.05, 0.03), point)  # fmt: skip
    return [Cloth(stand, fabric, light=0.75, volume=0.3)] + [Cloth(_on(s, flap), fabric, volume=0.6) for s in SIDES]


def lapels(t: Tailor, torso: Torso, fabric: Fabric, width: float) -> list[Layer]:
    """Collar and lapels of a jacket, down to the depth of its neck."""
    if t.pose.back:
        return collar(t, torso, fabric, (0, 0))
    n, notch = torso.neck, 0.2 * torso.depth + 0.06
    lapel = path((0.8 * n, 0), (n + width, notch + 0.06), (0.6 * (n + width), 0.7 * torso.depth, 0.0, torso.depth + 0.05),
                 (0.5 * n, 0.4 * torso.depth, 0.75 * n, 0.0))  # fmt: skip
    top = path((0.7 * n, -0.06), (n + 0.05, -0.03), (n + 0.8 * width, notch - 0.03), (0.9 * n, notch + 0.04), (0.74 * n, 0.06))
    return [Cloth(_on(s, piece), fabric, volume=0.6) for s in SIDES for piece in (lapel, top)]


def hood(t: Tailor, torso: Torso) -> list[Layer]:
    """A hood that lies up behind the neck, or down the back."""
    n = torso.neck + 0.13
    if t.pose.back:
        shape = whole(path((0, -0.1), (n, -0.1, n + 0.05, 0.1), (n, 0.4, 0, 0.5)))
        return [Cloth(shape, t.cloth)]
    outer = whole(path((0, -0.42), (n, -0.42, n + 0.04, -0.1), (n, 0.1, 0.6 * n, 0.12), (0, 0.12)))
    inner = whole(path((0, -0.33), (0.72 * n, -0.33, 0.76 * n, -0.08), (0.7 * n, 0.1, 0, torso.depth + 0.06)))
    return [Cloth(outer, t.cloth), Cloth(inner, t.cloth.plain(), light=INSIDE, volume=0.4)]


def buttons(t: Tailor, top: float, bottom: float, count: int, *, x: float = 0.0, radius: float = 0.024) -> list[Layer]:
    """A row of buttons down the front."""
    if t.pose.back:
        return []
    return [Flat(ellipse((x, y), radius, radius), t.detail) for y in np.linspace(top, bottom, count)]


def placket(t: Tailor, top: float, bottom: float, width: float = 0.045) -> list[Layer]:
    """The overlapping edge of a front that buttons."""
    if t.pose.back:
        return []
    return [Cloth(rectangle(-width, top, width, bottom), t.cloth, volume=0.25)]


def zipper(t: Tailor, top: float, bottom: float) -> list[Layer]:
    """A zip down the front, its slider at the top."""
    if t.pose.back:
        return []
    line = np.array([(0, top), (0, bottom)])
    slider = rectangle(-0.025, top + 0.02, 0.025, top + 0.12)
    return [Stroke(line, tint(t.cloth.ground, 0.5), 0.06), Stroke(line, t.detail, 0.026, dash=0.03), Flat(slider, t.detail)]


def patch_pocket(t: Tailor, x: float, y: float, width: float, height: float) -> list[Layer]:
    """A pocket sewn on, centred at `x`."""
    if t.pose.back:
        return []
    shape = path((x - width, y), (x + width, y), (x + width, y + 0.8 * height), (x, y + height), (x - width, y + 0.8 * height))
    return [Cloth(shape, t.cloth, volume=0.3), t.seam(shape[:2] + (0, 0.03))]


def flap_pockets(t: Tailor, x: float, y: float, width: float, slant: float = 0.03) -> list[Layer]:
    """Two pockets with flaps."""
    if t.pose.back:
        return []
    flap = np.array([(x - width, y), (x + width, y - slant), (x + width, y + 0.09 - slant), (x - width, y + 0.09)])
    return [Cloth(_on(s, flap), t.cloth, light=0.9, volume=0.3) for s in SIDES]


def _on(side: int, points: Points) -> Points:
    return points if side > 0 else mirror(points)
