"""Pictures as views are drawn from: whole, and square as networks take them."""

from collections.abc import Callable

import numpy as np
from PIL import Image


def square(side: int) -> Callable[[Image.Image], np.ndarray]:
    """What makes (side, side, 3) uint8 of an RGB picture; its aspect is not kept."""
    return lambda image: np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
