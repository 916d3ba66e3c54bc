"""`data/links.parquet`: target pictures and what they support, one row a link, sorted by manifest row.

Columns: `row` int64 (manifest row of the target picture), `group` (its category), `category` and `item` (of the source
product), `similarity` float32 (cosine), `cluster` int64 (label of the shared cluster within the group; -1: none).
A picture of a target-only cluster (level L123) supports the other pictures of it: `category`, `item` and `similarity`
are null.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, ITEM, ROW
from pipeline.base.parquet import read_parquet, write_parquet
from pipeline.table.products import Catalogue
from pipeline.weighting.links import Links
from pipeline.weighting.target_clusters import TargetClusters

COLUMNS = [ROW, "group", CATEGORY, ITEM, "similarity", "cluster"]
MEND = "run `dvc repro -f weight`"


def links_table(
    links: Links, clusters: TargetClusters, catalogue: Catalogue, rows: np.ndarray, groups: np.ndarray
) -> pd.DataFrame:
    """Both in names: `rows` (Nt,) manifest rows and `groups` (Nt,) categories of the target pictures."""
    nobody = np.full(len(clusters), None)
    linked = [catalogue.categories[links.product], catalogue.items[links.product], links.similarity, links.cluster]
    alone = [nobody, nobody, np.full(len(clusters), np.nan, dtype=np.float32), clusters.cluster]
    target = np.concatenate([links.target, clusters.target])
    columns = [rows[target], groups[target], *(np.concatenate(pair) for pair in zip(linked, alone, strict=True))]
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    texts = dict.fromkeys(["group", CATEGORY, ITEM], "str")
    return table.astype(texts).sort_values(ROW, kind="stable", ignore_index=True)


def write_links(path: Path, table: pd.DataFrame) -> None:
    """Write the table whole or not at all."""
    write_parquet(path, table)


def read_links(path: Path, catalogue: Catalogue, rows: np.ndarray) -> tuple[Links, TargetClusters]:
    """Links and target-only clusters in positions and codes again; `rows` (Nt,): manifest rows of the target features.

    Raises UserError when the file is missing or damaged, or names a row or a product that does not exist.
    """
    table = read_parquet(path, MEND)
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise UserError(f"{path}: not a table of links, it has no column {missing[0]!r}; {MEND}")
    target = pd.Index(rows).get_indexer(table[ROW])
    _refuse(path, table, target < 0, "no target picture that has features is row {row} of the manifest")
    alone = (table[CATEGORY].isna() & table[ITEM].isna()).to_numpy()
    linked, clustered = table[~alone], table[alone]
    # Half a name is none: no category and no item of the source is "".
    product = catalogue.find(*(linked[column].fillna("").to_numpy(dtype=str) for column in (CATEGORY, ITEM)))
    _refuse(path, linked, product < 0, "the source pictures show no item {item!r} of category {category!r}")
    links = Links(
        target[~alone].astype(np.int64),
        product,
        linked["similarity"].to_numpy(),
        linked["cluster"].to_numpy(),
    )
    groups = clustered["group"].to_numpy(dtype=str)
    return links, TargetClusters(target[alone].astype(np.int64), groups, clustered["cluster"].to_numpy())


def _refuse(path: Path, table: pd.DataFrame, wrong: np.ndarray, problem: str) -> None:
    """Raise UserError about the first link where `wrong`, if any; `problem` is filled in from its columns."""
    if wrong.any():
        link = table[wrong].iloc[0]
        raise UserError(f"{path}: link {link.name}: {problem.format(**link)}; {MEND}")
