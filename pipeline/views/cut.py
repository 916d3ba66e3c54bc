"""The garment cut off the even ground that it is shown on."""

import numpy as np
from scipy import ndimage

TOLERANCE = 10  # of 255; how far a channel may be from the ground's colour
SHARE = 0.5  # of the border that has the ground's colour at least, else the ground is not even
LEAST = 0.02  # of the picture that hangs together at least, else it is specks, as of a white shirt on white


def ground_colour(picture: np.ndarray) -> np.ndarray:
    """Median colour (3,) float64 of the border of a picture (H, W, 3) uint8."""
    return np.median(picture[_border(picture.shape[:2])], axis=0)


def garment(picture: np.ndarray, tolerance: int = TOLERANCE) -> np.ndarray:
    """Which pixels (H, W), as bool, of a picture (H, W, 3) uint8 are not its ground.

    The ground is what has the border's median colour, within `tolerance`, and hangs together with the border. All
    pixels are the garment's where the ground is not even, so that there is nothing to cut, and where nearly all has
    its colour, so that a cut would leave specks of the garment.
    """
    everything, border = np.ones(picture.shape[:2], dtype=bool), _border(picture.shape[:2])
    alike = (np.abs(picture - ground_colour(picture)) <= tolerance).all(axis=2)
    if alike[border].mean() < SHARE:
        return everything
    regions, _ = ndimage.label(alike)
    at_border = np.unique(regions[border])
    found = ~np.isin(regions, at_border[at_border > 0])
    pieces, _ = ndimage.label(found)
    largest = np.bincount(pieces[found]).max(initial=0)
    return found if largest >= LEAST * found.size else everything


def _border(shape: tuple[int, int]) -> np.ndarray:
    border = np.ones(shape, dtype=bool)
    border[1:-1, 1:-1] = False
    return border
