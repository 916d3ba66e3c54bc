"""Street2Shop by itself, as source or as target."""

from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.datasets._shared.face import DatasetParams
from pipeline.datasets._shared.street2shop import Street2ShopLists, fetch_street2shop, read_street2shop


class Params(Street2ShopLists, DatasetParams):
    """What is read, and the part it plays."""

    meta_domain: Literal["source", "target"]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy lists and pictures; see `fetch_street2shop`."""
    del seed  # nothing is drawn
    fetch_street2shop(source, out, params, params.meta_domain, downloads)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of the lists, each once; see `read_street2shop`."""
    return read_street2shop([root], params, params.meta_domain).drop_duplicates(ignore_index=True)
