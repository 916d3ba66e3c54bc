"""Which classes of a set are kept, by how many pictures they have, and how many pictures of each."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from pipeline.base.errors import UserError
from pipeline.base.names import ITEM
from pipeline.base.params import Section


class SizeParams(Section):
    """Classes with fewer than `min_pictures` are left out.

    Of those with more than `max_pictures` (None: no limit) as many are drawn by `draw_seed`, or the class is left out.
    """

    min_pictures: Annotated[int, Field(ge=1)] = 1
    max_pictures: Annotated[int, Field(ge=1)] | None = None
    above_max: Literal["draw", "drop"] = "draw"
    draw_seed: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _leaves_some(self) -> "SizeParams":
        if self.max_pictures is not None and self.max_pictures < self.min_pictures:
            raise ValueError("should have a max_pictures that is not below min_pictures")
        return self


def keep_sizes(table: pd.DataFrame, params: SizeParams, where: Path) -> pd.DataFrame:
    """The rows of `table` (column item) that `params` keeps, in order.

    Raises UserError naming `where` when something is limited and fewer than two classes are left.
    """
    if params.min_pictures == 1 and params.max_pictures is None:
        return table
    sizes = table.groupby(ITEM)[ITEM].transform("size")
    kept = sizes >= params.min_pictures
    if params.max_pictures is not None:
        kept &= _within(table[ITEM], sizes, params.max_pictures, params)
    left = table.loc[kept, ITEM].nunique()
    if left < 2:
        limits = f"min_pictures: {params.min_pictures}, max_pictures: {params.max_pictures or 'null'}"
        raise UserError(f"{where}: {left} of {table[ITEM].nunique()} classes left with {limits}; two are needed")
    return table[kept]


def _within(items: pd.Series, sizes: pd.Series, most: int, params: SizeParams) -> pd.Series:
    if params.above_max == "drop":
        return sizes <= most
    drawn = pd.Series(np.random.default_rng(params.draw_seed).random(len(items)), items.index)
    return drawn.groupby(items).rank(method="first") <= most
