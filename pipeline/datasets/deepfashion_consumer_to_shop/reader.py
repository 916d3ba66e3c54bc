"""DeepFashion consumer-to-shop by itself, as source or as target."""

from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.datasets._shared.deepfashion import DeepFashionLists, fetch_deepfashion, read_deepfashion
from pipeline.datasets._shared.face import DatasetParams


class Params(DeepFashionLists, DatasetParams):
    """What is read, and the part it plays."""

    meta_domain: Literal["source", "target"]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy lists and pictures; see `fetch_deepfashion`."""
    del seed  # nothing is drawn
    fetch_deepfashion(source, out, params, params.meta_domain, downloads)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The distinct pictures of the lists; see `read_deepfashion`."""
    return read_deepfashion(root, params, params.meta_domain)
