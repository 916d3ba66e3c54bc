"""Where a picture comes to lie when it is turned, scaled, moved and seen askew."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])  # from the upper left one, clockwise


@dataclass(frozen=True)
class Geometry:
    """How far views differ.

    mirror: a probability; turn: deviation in degrees; scale: (low, high); shift, and of each of the corners: deviations
    in shares of the side.
    """

    mirror: float = 0.5
    turn: float = 8.0
    scale: tuple[float, float] = (0.75, 1.15)
    shift: float = 0.03
    corners: float = 0.03

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Where the corners of a picture go, (4, 2) float64 of x and y in sides, from 0 to 1 where they were."""
        angle = np.deg2rad(rng.normal(0, self.turn))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = CORNERS * rng.uniform(*self.scale) @ turn.T / 2 + 0.5
        corners += rng.normal(0, self.shift, size=2) + rng.normal(0, self.corners, size=(4, 2))
        return corners[[1, 0, 3, 2]] if rng.random() < self.mirror else corners


def warp(layer: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A square layer (S, S, 4) uint8 of colours and opacity with its corners at `corners` (4, 2), in sides.

    Nothing is there beside it. Colours are weighed by their opacity, so that none of the cut ground shines through at
    the edges.
    """
    side = len(layer)
    found = _perspective(corners * side, (CORNERS + 1) / 2 * side)
    image = Image.fromarray(layer, "RGBA").convert("RGBa")
    warped = image.transform((side, side), Image.Transform.PERSPECTIVE, found, Image.Resampling.BILINEAR)
    return np.asarray(warped.convert("RGBA"))


def _perspective(source: np.ndarray, target: np.ndarray) -> list[float]:
    """The eight numbers by which Pillow maps points `source` (4, 2) of the result onto `target` of the picture."""
    equations = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.linalg.solve(np.array(equations), target.ravel()).tolist()
