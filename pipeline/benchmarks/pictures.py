"""Pictures to time with."""

from pathlib import Path

import numpy as np
from PIL import Image

JPEG_SIDE = 300  # pixels; decoding costs as much as for a catalogue's thumbnails


def write_picture(folder: Path, number: int) -> str:
    """Write picture `number` into `folder` and give its file name: smooth noise, JPEG, JPEG_SIDE pixels square."""
    # Smooth noise compresses about as well as a photo.
    coarse = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    name = f"{number:04d}.jpg"
    Image.fromarray(coarse).resize((JPEG_SIDE, JPEG_SIDE), Image.Resampling.BICUBIC).save(folder / name, quality=90)
    return name
