"""`data/links.parquet`: target pictures linked to source items, one row a link, sorted by manifest row.

Columns: `row` int64 (manifest row of the target picture), `group` (its category), `category` and `item` (of the source
product), `similarity` float32 (cosine), `cluster` int64 (label of the shared cluster within the group; -1: none).
"""

from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import ArrowException

from pipeline.constants import CATEGORY, ITEM, ROW
from pipeline.errors import UserError
from pipeline.io.atomic import replacing
from pipeline.weighting.catalogue import Catalogue
from pipeline.weighting.links import Links

COLUMNS = [ROW, "group", CATEGORY, ITEM, "similarity", "cluster"]


def links_table(links: Links, catalogue: Catalogue, rows: np.ndarray, groups: np.ndarray) -> pd.DataFrame:
    """`links` in names: `rows` (Nt,) manifest rows and `groups` (Nt,) categories of the target pictures."""
    columns = [
        rows[links.target],
        groups[links.target],
        catalogue.categories[links.product],
        catalogue.items[links.product],
        links.similarity,
        links.cluster,
    ]
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def write_links(path: Path, table: pd.DataFrame) -> None:
    """Write the table whole or not at all."""
    with replacing(path) as aside:
        table.to_parquet(aside, index=False)


def read_links(path: Path, catalogue: Catalogue, rows: np.ndarray) -> Links:
    """The links in positions and codes again; `rows` (Nt,) are the manifest rows of the target features.

    Raises UserError when the file is missing or damaged, or names a row or product that does not exist.
    """
    mend = "run `dvc repro -f weight`"
    try:
        table = pd.read_parquet(path, columns=COLUMNS)
    except (OSError, ValueError, KeyError, ArrowException) as error:
        raise UserError(f"{path}: not a table of links ({str(error).splitlines()[0]}); {mend}") from error
    target = pd.Index(rows).get_indexer(table[ROW])
    products = pd.MultiIndex.from_arrays([catalogue.categories, catalogue.items])
    product = products.get_indexer(pd.MultiIndex.from_frame(table[[CATEGORY, ITEM]]))
    if len(table) and min(target.min(), product.min()) < 0:
        bad = int(np.flatnonzero((target < 0) | (product < 0))[0])
        raise UserError(f"{path}: link {bad} names a picture or an item that is not in the features; {mend}")
    return Links(
        target.astype(np.int64), product.astype(np.int64), table["similarity"].to_numpy(), table["cluster"].to_numpy()
    )
