"""Silhouettes worn below the waist."""

from dataclasses import dataclass

import numpy as np

from pipeline.atelier.curves import Points, path, rectangle, whole
from pipeline.atelier.fabric import Fabric
from pipeline.atelier.layers import Cloth, Flat, Garment, Layer, Stroke
from pipeline.atelier.tailor import Pose, Tailor
from pipeline.atelier.torso import INSIDE, SIDES

WAIST_Y, HIP_Y, CROTCH_Y, KNEE_Y, ANKLE_Y = 0.95, 1.32, 1.58, 2.25, 3.05
PALE = (236, 240, 242)


@dataclass(frozen=True)
class Legs:
    """Half-widths of a pair of legs that end at `length`; `rise` is where the waist lies."""

    waist: float
    hip: float
    knee: float
    hem: float
    length: float
    rise: float = WAIST_Y
    spread: float = 0.0

    def centre(self, pose: Pose, side: int, y: np.ndarray | float) -> np.ndarray | float:
        """Distance of the middle of a leg from the middle of the body at height `y`."""
        return self.hip / 2 + (y - HIP_Y) * np.tan(self.spread + pose.legs[0 if side > 0 else 1])

    def leg(self, pose: Pose, side: int) -> Points:
        """The piece of one leg, 1 right and -1 left in the picture, half of the seat included."""
        y = np.linspace(HIP_Y, self.length, 14)
        if self.length > KNEE_Y + 0.2:
            width = np.interp(y, [HIP_Y, KNEE_Y, max(ANKLE_Y, self.length)], [self.hip / 2, self.knee, self.hem])
        else:
            width = np.interp(y, [HIP_Y, self.length], [self.hip / 2, self.hem])
        centre = self.centre(pose, side, y)
        outer = np.stack([centre + width, y], axis=1)
        inner = np.stack([np.maximum(centre - width, 0.012), y], axis=1)[y > CROTCH_Y + 0.05][::-1]
        top = path((0, self.rise), (self.waist, self.rise), (self.hip, (self.rise + HIP_Y) / 2, *outer[1]))
        return np.concatenate([top, outer[2:], inner, [(0, CROTCH_Y)]]) * (side, 1)

    def end(self, pose: Pose, side: int, height: float) -> Points:
        """The last `height` of a leg, a little wider than it: a turn-up or a band."""
        y = np.array([self.length - height, self.length + 0.01])
        width = np.interp(y, [KNEE_Y, ANKLE_Y], [self.knee, self.hem]) if self.length > KNEE_Y + 0.2 else self.hem
        centre = self.centre(pose, side, y)
        right, left = centre + width + 0.012, np.maximum(centre - width - 0.012, 0.0)
        return np.array([(left[0], y[0]), (right[0], y[0]), (right[1], y[1]), (left[1], y[1])]) * (side, 1)


def legs(t: Tailor, cut: Legs, *, volume: float = 1.0) -> list[Layer]:
    """Both legs, the left one of the picture first."""
    layers: list[Layer] = []
    for side in (-1, 1):
        grain = -side * t.pose.legs[0 if side > 0 else 1]
        layers.append(Cloth(cut.leg(t.pose, side), t.cloth, grain, volume=volume))
    return layers


def waistband(waist: float, rise: float, fabric: Fabric, height: float = 0.09) -> list[Layer]:
    """A band around the waist and a glimpse of its inner side."""
    inner = whole(path((0, rise - 0.025), (0.6 * waist, rise - 0.025, 0.97 * waist, rise), (0, rise + 0.04)))
    band = whole(path((0, rise + 0.02), (0.6 * waist, rise + 0.02, waist, rise - 0.005), (waist + 0.012, rise + height),
                      (0.6 * waist, rise + height + 0.02, 0, rise + height + 0.02)))  # fmt: skip
    return [Cloth(inner, fabric, light=INSIDE, volume=0.2), Cloth(band, fabric, volume=0.5)]


def fly(t: Tailor, rise: float, *, stitched: bool) -> list[Layer]:
    """The fly, its button and the middle seam."""
    if t.pose.back:
        return [t.seam(np.array([(0, rise + 0.1), (0, CROTCH_Y)]))]
    colour, dash = (t.detail, 0.03) if stitched else (t.thread, 0.0)
    curve = path((0.075, rise + 0.1), (0.075, rise + 0.38), (0.07, rise + 0.46, 0, rise + 0.5))
    return [t.seam(np.array([(0, rise + 0.1), (0, CROTCH_Y)])), Stroke(curve, colour, 0.014, dash),
            Flat(rectangle(-0.024, rise + 0.03, 0.024, rise + 0.078, 0.02), t.detail)]  # fmt: skip


def hip_pockets(t: Tailor, cut: Legs, *, stitched: bool) -> list[Layer]:
    """Front: slanted or curved openings; back: two patches."""
    colour, dash = (t.detail, 0.03) if stitched else (t.thread, 0.0)
    if t.pose.back:
        if not stitched:
            return [t.seam(np.array([(0.12, 1.25), (0.28, 1.25)]) * (s, 1), 0.03) for s in SIDES]
        patch = path((0.08, 1.2), (0.28, 1.2), (0.28, 1.42), (0.18, 1.48), (0.08, 1.42), (0.08, 1.2))
        return [Stroke(patch * (s, 1), colour, 0.014, dash) for s in SIDES]
    top = cut.rise + 0.1
    line = path((0.55 * cut.waist, top), (0.62 * cut.waist, top + 0.2, cut.hip * 0.97, top + 0.24)) if stitched else path(
        (0.6 * cut.waist, top), (cut.hip * 0.95, top + 0.32))  # fmt: skip
    return [Stroke(line * (s, 1), colour, 0.018, dash) for s in SIDES]


def trousers(t: Tailor) -> Garment:
    """Creased or pleated, straight, wide or tapered."""
    kind = t.choose(("straight", "wide", "tapered"))
    hem = {"straight": t.width(0.14, 0.17), "wide": t.width(0.22, 0.3), "tapered": t.width(0.095, 0.115)}[kind]
    knee = {"straight": 0.17, "wide": 0.22, "tapered": 0.16}[kind]
    cut = Legs(t.number(0.29, 0.33), t.width(0.38, 0.42), knee, hem, t.length(2.7, 3.05))
    turn_up, belt, stripe, crease = t.chance(0.25), t.chance(0.35), t.chance(0.15), t.chance(0.7)
    layers = legs(t, cut)
    for side in SIDES:
        low = cut.centre(t.pose, side, cut.length)
        if crease:
            line = np.array([(cut.hip / 2 - 0.02, 1.12), (low, cut.length)])
            layers.append(t.seam(line * (side, 1), 0.016))
        if stripe:
            line = np.array([(cut.hip - 0.02, 1.2), (low + hem - 0.02, cut.length)])
            layers.append(Stroke(line * (side, 1), t.accent.ground, 0.045))
        if turn_up:
            layers.append(Cloth(cut.end(t.pose, side, 0.11), t.cloth, light=0.9, volume=0.4))
    layers += waistband(cut.waist, cut.rise, t.accent.plain() if belt else t.cloth)
    layers += [*fly(t, cut.rise, stitched=False), *hip_pockets(t, cut, stitched=False)]
    if belt and not t.pose.back:
        layers.append(Stroke(rectangle(-0.05, cut.rise + 0.01, 0.05, cut.rise + 0.105), t.detail, 0.02))
    return Garment([], layers)


def jeans(t: Tailor) -> Garment:
    """Denim with visible stitches, faded thighs, sometimes torn."""
    kind = t.choose(("skinny", "straight", "flared", "wide"))
    knee, hem = {"skinny": (0.13, 0.085), "straight": (0.165, 0.145), "flared": (0.14, 0.23), "wide": (0.2, 0.22)}[kind]
    cut = Legs(t.number(0.29, 0.32), t.width(0.37, 0.4), knee, t.width(0.92, 1.08) * hem, t.length(2.65, 3.05))
    faded, torn, rolled = t.chance(0.6), t.chance(0.3), t.chance(0.3)
    holes = [(t.choose(SIDES), t.number(1.9, 2.4), t.number(0.05, 0.09)) for _ in range(2)]
    layers = legs(t, cut)
    for side in SIDES:
        if faded and not t.pose.back:
            x, low = cut.hip / 2 + 0.01, cut.centre(t.pose, side, 2.1)
            shape = path((x, 1.4), (x + 0.1, 1.7, low, 2.15), (x - 0.09, 1.8, x, 1.4))
            layers.append(Flat(shape * (side, 1), PALE, 0.22))
        if rolled:
            layers.append(Cloth(cut.end(t.pose, side, 0.12), t.accent.plain(), volume=0.4))
    if torn and not t.pose.back:
        for side, y, size in holes:
            x = cut.centre(t.pose, side, y)
            threads = [np.array([(x - size, y + step), (x + size, y + step + 0.01)]) for step in (0, 0.035, 0.07)]
            layers += [Stroke(thread * (side, 1), PALE, 0.018) for thread in threads]
    layers += [*waistband(cut.waist, cut.rise, t.cloth.plain()), *fly(t, cut.rise, stitched=True)]
    return Garment([], layers + hip_pockets(t, cut, stitched=True))


def leggings(t: Tailor) -> Garment:
    """Close-fitting, a broad waistband, sporty stripes or panels."""
    cut = Legs(0.28, t.number(0.345, 0.365), 0.125, t.number(0.07, 0.08), t.length(2.5, 3.0))
    trim, stripe, mesh = t.chance(0.5), t.chance(0.45), t.chance(0.35)
    height = t.number(0.12, 0.22)
    layers = legs(t, cut, volume=1.3)
    for side in SIDES:
        low = cut.centre(t.pose, side, cut.length) + cut.hem - 0.015
        if stripe:
            knee = cut.centre(t.pose, side, 2.1) + 0.1
            line = path((cut.hip - 0.02, HIP_Y), (knee, 2.1, low, cut.length))
            layers.append(Stroke(line * (side, 1), t.accent.ground, 0.05))
        if mesh:
            layers.append(Cloth(cut.end(t.pose, side, 0.3), t.accent.plain(), volume=0.8))
    return Garment([], layers + waistband(cut.waist, cut.rise, (t.accent if trim else t.cloth).plain(), height))


def shorts(t: Tailor) -> Garment:
    """Short: sporty with a drawstring, or cut like jeans."""
    hip = t.width(0.4, 0.43)
    cut = Legs(t.number(0.3, 0.34), hip, 0.2, t.width(0.2, 0.24), t.length(1.82, 2.02), spread=0.13)
    sporty, turn_up, stripe = t.choose((True, False)), t.chance(0.5), t.chance(0.4)
    layers = legs(t, cut)
    for side in SIDES:
        if stripe and sporty:
            low = cut.centre(t.pose, side, cut.length) + cut.hem - 0.03
            line = path((cut.hip - 0.03, 1.2), (cut.hip, 1.4, low, cut.length))
            layers.append(Stroke(line * (side, 1), t.accent.ground, 0.06))
        if turn_up:
            fabric, light = (t.accent.plain(), 1.0) if sporty else (t.cloth, 0.9)
            layers.append(Cloth(cut.end(t.pose, side, 0.08), fabric, light=light, volume=0.4))
    layers += waistband(cut.waist, cut.rise, t.cloth.plain())
    if not sporty:
        layers += [*fly(t, cut.rise, stitched=True), *hip_pockets(t, cut, stitched=True)]
    elif not t.pose.back:
        y = cut.rise
        cord = path((0, y + 0.07), (0.06, y + 0.2, 0.05, y + 0.36))
        layers += [Stroke(cord * (side, 1), t.detail, 0.024) for side in SIDES]
    return Garment([], layers)


def bermudas(t: Tailor) -> Garment:
    """To the knee: chinos or cargo with big pockets."""
    hip = t.width(0.39, 0.43)
    cut = Legs(t.number(0.3, 0.34), hip, 0.19, t.width(0.17, 0.21), t.length(2.15, 2.4), spread=0.07)
    cargo, turn_up, belt = t.chance(0.5), t.chance(0.4), t.chance(0.4)
    layers = legs(t, cut)
    for side in SIDES:
        if cargo:
            x = cut.centre(t.pose, side, 1.85) + 0.1
            pocket, flap = rectangle(x - 0.1, 1.72, x + 0.11, 2.02), rectangle(x - 0.115, 1.68, x + 0.125, 1.78)
            layers.append(Cloth(pocket * (side, 1), t.cloth, volume=0.6))
            layers.append(Cloth(flap * (side, 1), t.cloth, light=0.88, volume=0.4))
        if turn_up:
            layers.append(Cloth(cut.end(t.pose, side, 0.1), t.cloth, light=0.9, volume=0.4))
    layers += waistband(cut.waist, cut.rise, t.accent.plain() if belt else t.cloth)
    return Garment([], layers + fly(t, cut.rise, stitched=False) + hip_pockets(t, cut, stitched=False))
