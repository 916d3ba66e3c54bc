"""What a garment is laid on."""

import numpy as np

from pipeline.views.cut import ground_colour

DEPTH = 0.25  # share of a photo's side that its border strip is deep


def own_ground(picture: np.ndarray) -> np.ndarray:
    """The colour of the ground of a picture (S, S, 3) uint8, everywhere."""
    return np.broadcast_to(np.rint(ground_colour(picture)).astype(np.uint8), picture.shape)


def border_strip(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A strip along one of the borders of a photo (S, S, 3) uint8, where its garment rarely is.

    It is mirrored at its edge as often as it takes to fill (S, S, 3).
    """
    side = len(photo)
    depth = max(1, round(DEPTH * side))
    photo = np.rot90(photo, rng.integers(4))  # the drawn border is the upper one
    return np.pad(photo[:depth], ((0, side - depth), (0, 0), (0, 0)), mode="symmetric")
