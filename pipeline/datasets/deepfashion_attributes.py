"""DeepFashion Category and Attribute Prediction by itself, as source or as target."""

from pathlib import Path

import pandas as pd

from pipeline.sources.deepfashion_attributes import AttributesLists, fetch_attributes, read_attributes
from pipeline.sources.retrieval_sets import RetrievalSetParams


class Params(AttributesLists, RetrievalSetParams):
    """What is read, and the part it plays."""


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy lists and pictures; see `fetch_attributes`."""
    del seed  # nothing is drawn
    fetch_attributes(source, out, params, params.meta_domain, downloads)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of the partition in its order; see `read_attributes`."""
    return read_attributes(root, params, params.meta_domain)
