"""The pair of UDMA (Sharma et al., WACV 2021): DeepFashion consumer-to-shop as source, Street2Shop as target.

Each lies in a folder of its own name, in `data.source` as in what is fetched.
"""

from pathlib import Path

import pandas as pd

from pipeline.base.names import IMAGE, MetaDomain
from pipeline.datasets._shared.deepfashion import DeepFashionLists, fetch_deepfashion, read_deepfashion
from pipeline.datasets._shared.face import DatasetParams
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.street2shop import Street2ShopLists, fetch_street2shop, read_street2shop

SOURCE = "deepfashion_consumer_to_shop"
TARGET = "street2shop"


class Params(DatasetParams):
    """Both sets of lists."""

    deepfashion_consumer_to_shop: DeepFashionLists
    street2shop: Street2ShopLists


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy lists and pictures of both. Raises UserError as `fetch_deepfashion`, `fetch_street2shop` do."""
    del seed  # nothing is drawn
    deepfashion, street2shop = params.deepfashion_consumer_to_shop, params.street2shop
    fetch_deepfashion(source / SOURCE, out / SOURCE, deepfashion, MetaDomain.SOURCE, downloads)
    fetch_street2shop(source / TARGET, out / TARGET, street2shop, MetaDomain.TARGET, downloads)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The rows of DeepFashion, then those of Street2Shop. Raises UserError for a damaged list."""
    source = read_deepfashion(root / SOURCE, params.deepfashion_consumer_to_shop, MetaDomain.SOURCE)
    target = read_street2shop([root / TARGET], params.street2shop, MetaDomain.TARGET).drop_duplicates()
    source = source.assign(**{IMAGE: [joined(SOURCE, image) for image in source[IMAGE]]})
    target = target.assign(**{IMAGE: [joined(TARGET, image) for image in target[IMAGE]]})
    return pd.concat([source, target], ignore_index=True)
