"""DeepFashion In-shop by itself, as source or as target."""

from pathlib import Path

import pandas as pd

from pipeline.datasets._shared.deepfashion_inshop import InshopLists, fetch_inshop, read_inshop
from pipeline.datasets._shared.retrieval_sets import RetrievalSetParams


class Params(InshopLists, RetrievalSetParams):
    """What is read, and the part it plays."""


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy lists and pictures; see `fetch_inshop`."""
    del seed  # nothing is drawn
    fetch_inshop(source, out, params, params.meta_domain, downloads)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of the lists in their order; see `read_inshop`."""
    return read_inshop(root, params, params.meta_domain)
