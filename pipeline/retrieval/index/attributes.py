"""What an index of features by attribute takes from the table of attributes: who is a query, and what is known."""

import numpy as np
import pandas as pd

from pipeline.base.names import ATTRIBUTE, ROW, SPLIT, VALUE, Split
from pipeline.features.store import Features


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
