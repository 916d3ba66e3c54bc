"""Classes of training sets as numbers 0..C-1 without gaps, set after set, as MDFE counts them."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from pipeline.base.names import DATASET, ITEM


def class_labels(table: pd.DataFrame, as_listed: Collection[str] = ()) -> np.ndarray:
    """The class (N,) int64 of every row of a table with the columns dataset and item.

    The classes of a set follow those of the sets that begin in earlier rows. Within a set they are ordered as numbers
    where all are whole numbers, else by code point, and in the sets `as_listed` by their first rows. What items of a
    set begin with ("<dataset>/") is no part of their order.
    """
    labels, offset = np.empty(len(table), dtype=np.int64), 0
    for dataset in table[DATASET].unique():
        rows = (table[DATASET] == dataset).to_numpy()
        names = table.loc[rows, ITEM].str.removeprefix(f"{dataset}/")
        classes = names.unique().tolist()
        if dataset not in as_listed:
            classes.sort(key=int if all(name.isdecimal() for name in classes) else str)
        labels[rows] = pd.Index(classes).get_indexer(names) + offset
        offset += len(classes)
    return labels
