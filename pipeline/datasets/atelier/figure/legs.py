"""The lower half of a garment that has legs, and waists."""

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.atelier.attributes import reach
from pipeline.datasets.atelier.cloth.fabric import Fabric
from pipeline.datasets.atelier.curves import Points, both, path, rectangle, symmetric
from pipeline.datasets.atelier.figure.torso import INSIDE, SIDES
from pipeline.datasets.atelier.garments.tailor import Pose, Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Layer, Stroke

WAIST_Y, HIP_Y, CROTCH_Y, KNEE_Y, ANKLE_Y = 0.95, 1.32, 1.58, 2.25, 3.05


@dataclass(frozen=True)
class Legs:
    """Half-widths of a pair of legs that end at `length`; `rise` is where the waist lies, `spread` an angle outwards.

    `side` in its methods is 1 for the right leg of the picture and -1 for the left one.
    """

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

    def half_width(self, y: np.ndarray) -> np.ndarray:
        """Of one leg at height `y`."""
        if self.length > KNEE_Y + 0.2:
            return np.interp(y, [HIP_Y, KNEE_Y, max(ANKLE_Y, self.length)], [self.hip / 2, self.knee, self.hem])
        return np.interp(y, [HIP_Y, self.length], [self.hip / 2, self.hem])

    def leg(self, pose: Pose, side: int) -> Points:
        """The piece of one leg with its half of the seat."""
        y = np.linspace(HIP_Y, self.length, 14)
        centre, width = self.centre(pose, side, y), self.half_width(y)
        outer = np.stack([centre + width, y], axis=1)
        inner = np.stack([np.maximum(centre - width, 0.012), y], axis=1)[y > CROTCH_Y + 0.05][::-1]
        top = path((0, self.rise), (self.waist, self.rise), (self.hip, (self.rise + HIP_Y) / 2, *outer[1]))
        return np.concatenate([top, outer[2:], inner, [(0, CROTCH_Y)]]) * (side, 1)

    def end(self, pose: Pose, side: int, height: float) -> Points:
        """The last `height` of a leg, a little wider than it: a turn-up or a band."""
        y = np.array([self.length - height, self.length + 0.01])
        centre, width = self.centre(pose, side, y), self.half_width(y) + 0.012
        right, left = centre + width, np.maximum(centre - width, 0.0)
        return path((left[0], y[0]), (right[0], y[0]), (right[1], y[1]), (left[1], y[1])) * (side, 1)


def legs(t: Tailor, cut: Legs, *, volume: float = 1.0) -> list[Layer]:
    """Both legs."""
    t.tell(**reach(cut.length))
    return [
        Cloth(cut.leg(t.pose, side), t.cloth, -side * angle, volume=volume)
        for side, angle in zip(SIDES, t.pose.legs, strict=True)
    ]


def waistband(waist: float, rise: float, fabric: Fabric, height: float = 0.09) -> list[Layer]:
    """A band around the waist and a glimpse of its inner side."""
    inner = symmetric((0, rise - 0.025), (0.6 * waist, rise - 0.025, 0.97 * waist, rise), (0, rise + 0.04))
    low = rise + height
    curve = (0.6 * waist, rise + 0.02, waist, rise - 0.005), (0.6 * waist, low + 0.02, 0, low + 0.02)
    band = symmetric((0, rise + 0.02), curve[0], (waist + 0.012, low), curve[1])
    return [Cloth(inner, fabric, light=INSIDE, volume=0.2), Cloth(band, fabric, volume=0.5)]


def fly(t: Tailor, rise: float, *, stitched: bool) -> list[Layer]:
    """The fly, its button and the middle seam."""
    colour, dash = (t.detail, 0.03) if stitched else (t.thread, 0.0)
    curve = path((0.075, rise + 0.1), (0.075, rise + 0.38), (0.07, rise + 0.46, 0, rise + 0.5))
    button = rectangle(-0.024, rise + 0.03, 0.024, rise + 0.078, 0.02)
    seam = t.seam(path((0, rise + 0.1), (0, CROTCH_Y)))
    return [seam, *t.facing(Stroke(curve, colour, 0.014, dash), Flat(button, t.detail))]


def hip_pockets(t: Tailor, cut: Legs, *, stitched: bool) -> list[Layer]:
    """Front: slanted or curved openings; back: two patches or slits."""
    colour, dash = (t.detail, 0.03) if stitched else (t.thread, 0.0)
    waist, top = cut.waist, cut.rise + 0.1
    match t.pose.back, stitched:
        case True, True:
            line = path((0.08, 1.2), (0.28, 1.2), (0.28, 1.42), (0.18, 1.48), (0.08, 1.42), (0.08, 1.2))
        case True, False:
            line = path((0.12, 1.25), (0.28, 1.25))
        case False, True:
            line = path((0.55 * waist, top), (0.62 * waist, top + 0.2, 0.97 * cut.hip, top + 0.24))
        case _:
            line = path((0.6 * waist, top), (0.95 * cut.hip, top + 0.32))
    return [Stroke(side, colour, 0.018, dash) for side in both(line)]
