"""What an index of features by attribute takes from the table of attributes: who is a query, and what is known."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.names import ATTRIBUTE, ROW, SPLIT, VALUE, Split
from pipeline.features.store import Features
from pipeline.table.attributes import read_attributes


def rows_of(manifest: pd.DataFrame, features: Features, path: Path) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Rows (N,) of the manifest, one a row of `features`, and the table of attributes at `path` if these are by them.

    The rows then have the splits of `with_listed_splits`. Raises UserError when there is no such table.
    """
    table = manifest.iloc[features.row]
    if features.condition is None:
        return table, None
    known = read_attributes(path)
    return with_listed_splits(table, features, known), known


def with_listed_splits(table: pd.DataFrame, features: Features, known: pd.DataFrame) -> pd.DataFrame:
    """Rows (N,) of the manifest, one a row of `features`, with the split that lists give them for their attribute.

    A picture that `known`, the table of attributes, names as query and as gallery of an attribute is in the gallery.
    """
    asked = pd.MultiIndex.from_arrays([features.row, np.array(features.attributes, dtype=object)[features.condition]])
    split = table[SPLIT].to_numpy(dtype=object, copy=True)
    for listed in (Split.QUERY, Split.GALLERY):
        split[asked.isin(pd.MultiIndex.from_frame(known.loc[known[SPLIT] == listed, [ROW, ATTRIBUTE]]))] = str(listed)
    return table.assign(**{SPLIT: split})


def known_values(known: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """What the table of attributes knows of the rows `ids` (n,) of the manifest: row, attribute, value.

    Several values of an attribute of a picture are one text.
    """
    pairs = known[known[ROW].isin(ids)][[ROW, ATTRIBUTE, VALUE]].drop_duplicates().sort_values([ROW, ATTRIBUTE, VALUE])
    return pairs.groupby([ROW, ATTRIBUTE], sort=False, as_index=False)[VALUE].agg(", ".join)
