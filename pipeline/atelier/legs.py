"""The lower half of a garment that has legs."""

from dataclasses import dataclass

import numpy as np

from pipeline.atelier.curves import Points, path, rectangle, whole
from pipeline.atelier.fabric import Fabric
from pipeline.atelier.layers import Cloth, Flat, Garment, Layer, Stroke
from pipeline.atelier.tailor import Pose, Tailor
from pipeline.atelier.torso import INSIDE, SIDES

WAIST_Y, HIP_Y, CROTCH_Y, KNEE_Y, ANKLE_Y = 0.95, 1.32, 1.58, 2.25, 3.05


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
    inner = symmetric((0, rise - 0.025), (0.6 * waist, rise - 0.025, 0.97 * waist, rise), (0, rise + 0.04))
    band = symmetric((0, rise + 0.02), (0.6 * waist, rise + 0.02, waist, rise - 0.005), (waist + 0.012, rise + height),
                      (0.6 * waist, rise + height + 0.02, 0, rise + height + 0.02))  # fmt: skip
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
