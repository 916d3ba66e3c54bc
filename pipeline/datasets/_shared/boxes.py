"""Boxes in the lists of published datasets, as the manifest has them: x, y, w, h in pixels."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.names import BOX
from pipeline.datasets._shared.lines import look_up, numbers
from pipeline.datasets._shared.lists import read_headed_rows

CORNERS = ["x_1", "y_1", "x_2", "y_2"]
CLOTHES_TYPES = {"upper": "1", "lower": "2", "full": "3"}  # of DeepFashion: for which half of the body, or all of it


def corner_boxes(corners: pd.DataFrame) -> pd.DataFrame:
    """Columns x, y, w, h from the first four columns of `corners`: left, top, right, bottom (numbers, NaN allowed)."""
    left, top, right, bottom = corners.to_numpy(dtype=np.float64)[:, :4].T
    return pd.DataFrame(dict(zip(BOX, (left, top, right - left, bottom - top), strict=True)), index=corners.index)


def enlarged(boxes: pd.DataFrame, share: float) -> pd.DataFrame:
    """Boxes (columns x, y, w, h) that reach further by `share` of their sides at each of their four ends."""
    x, y, w, h = (boxes[side] for side in BOX)
    sides = (x - share * w, y - share * h, w + 2 * share * w, h + 2 * share * h)
    return pd.DataFrame(dict(zip(BOX, sides, strict=True)))


def in_whole_pixels(boxes: pd.DataFrame) -> pd.DataFrame:
    """Boxes whose ends are rounded as Pillow's crop does (half to even). Cut to a picture they stay whole."""
    x, y, w, h = (boxes[side] for side in BOX)
    left, top, right, bottom = (np.rint(end) for end in (x, y, x + w, y + h))
    return pd.DataFrame(dict(zip(BOX, (left, top, right - left, bottom - top), strict=True)))


def read_deepfashion_boxes(root: Path, name: str, images: pd.Series) -> pd.DataFrame:
    """Columns x, y, w, h for `images` (without `img/`), with their index; NaN for a picture that the list `name` lacks.

    Raises UserError naming the line for a corner that is no number and for a picture with two boxes.
    """
    path, rows = root / name, read_headed_rows(root, name, ["image_name", *CORNERS])
    rows = rows.assign(image_name=rows["image_name"].str.removeprefix("img/")).drop_duplicates()
    rows = rows.assign(**{column: numbers(path, rows[column]) for column in CORNERS})
    return corner_boxes(look_up(path, rows, "image_name", images))
