"""DeepFashion Category and Attribute Prediction by itself, as source or as target."""

from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.base.names import CATEGORY, ITEM
from pipeline.datasets._shared.deepfashion_attributes import AttributesLists, fetch_attributes, read_attributes
from pipeline.datasets._shared.retrieval_sets import RetrievalSetParams


class Params(AttributesLists, RetrievalSetParams):
    """What is read, the part it plays, and what an item is: a whole category, or each picture by itself."""

    items: Literal["categories", "pictures"]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy lists and pictures; see `fetch_attributes`."""
    del seed  # nothing is drawn
    fetch_attributes(source, out, params, params.meta_domain, downloads)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of the partition in its order; see `read_attributes`."""
    table = read_attributes(root, params, params.meta_domain)
    return table.assign(**{ITEM: table[CATEGORY]}) if params.items == "categories" else table
