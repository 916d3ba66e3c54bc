"""The training pair of deep-fashion-retrieval (GitHub, `ihciah`, 2017) as one source, both of DeepFashion.

Category and Attribute Prediction gives categories without products, In-shop Clothes Retrieval products and the test
part (query and gallery); upper-body clothes only, as published. Each lies in a folder of its own name, in `data.source`
as in what is fetched, and its rows have that name as `dataset`, by which the recipe `category_triplet` tells them apart
(`classified: deepfashion_attributes`).
"""

from pathlib import Path

import pandas as pd

from pipeline.base.names import DATASET, IMAGE, MetaDomain
from pipeline.datasets._shared.deepfashion_attributes import AttributesLists, fetch_attributes, read_attributes
from pipeline.datasets._shared.deepfashion_inshop import InshopLists, fetch_inshop, read_inshop
from pipeline.datasets._shared.face import DatasetParams
from pipeline.datasets._shared.paths import joined

ATTRIBUTES, INSHOP = "deepfashion_attributes", "deepfashion_inshop"


class Params(DatasetParams):
    """Both sets of lists."""

    deepfashion_attributes: AttributesLists
    deepfashion_inshop: InshopLists


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy lists and pictures of both. Raises UserError as `fetch_attributes`, `fetch_inshop` do."""
    del seed  # nothing is drawn
    attributes, inshop = params.deepfashion_attributes, params.deepfashion_inshop
    fetch_attributes(source / ATTRIBUTES, out / ATTRIBUTES, attributes, MetaDomain.SOURCE, downloads)
    fetch_inshop(source / INSHOP, out / INSHOP, inshop, MetaDomain.SOURCE, downloads)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The rows of Category and Attribute, then those of In-shop. Raises UserError for a damaged list."""
    parts = {
        ATTRIBUTES: read_attributes(root / ATTRIBUTES, params.deepfashion_attributes, MetaDomain.SOURCE),
        INSHOP: read_inshop(root / INSHOP, params.deepfashion_inshop, MetaDomain.SOURCE),
    }
    tables = [
        table.assign(**{IMAGE: [joined(name, image) for image in table[IMAGE]], DATASET: name})
        for name, table in parts.items()
    ]
    return pd.concat(tables, ignore_index=True)
