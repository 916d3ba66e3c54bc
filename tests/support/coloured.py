"""Pictures of one colour each, under noise: what a recipe can learn to tell apart in a few steps."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.base.names import BOX, CATEGORY, DATASET, IMAGE, ITEM

Colour = tuple[int, int, int]


def coloured_pictures(folder: Path, shown: Iterable[tuple[Colour, str, str]]) -> pd.DataFrame:
    """A picture of 20 pixels for each (colour, item, category), written into `folder`, as rows of a manifest."""
    rng, rows = np.random.default_rng(0), []
    for number, (colour, item, category) in enumerate(shown):
        path = folder / f"{number}.png"
        noise = rng.integers(-40, 40, (20, 20, 3))
        Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(path)
        rows.append((path, item, category, "a"))
    return pd.DataFrame(rows, columns=[IMAGE, ITEM, CATEGORY, DATASET]).assign(**dict.fromkeys(BOX, np.nan))
