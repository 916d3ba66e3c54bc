"""What a protocol takes a table's rows for: which search one another, and what they must have in common.

A function `sides(table)` gives each row a group and a label: a query finds the gallery rows of its own group that have
its label. Here a row is a picture, and its label the product that it shows. Where the rows are pictures and attributes
(a row for each attribute of each picture), the group is the attribute, and the label its value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.base.names import ATTRIBUTE, CATEGORY, DATASET, ITEM, SPLIT, VALUE, Split
from pipeline.retrieval.search import one_group
from pipeline.table.products import product_codes


@dataclass(frozen=True)
class Sides:
    """The label and the group (N,), int or str, of every row of a table.

    rows (N,) int64: what a row is known by, so that none finds itself; None: by the index of the table.
    """

    labels: np.ndarray
    groups: np.ndarray
    rows: np.ndarray | None = None


TakeSides = Callable[[pd.DataFrame], Sides]


def items_within_categories(table: pd.DataFrame) -> Sides:
    """Only the own category is searched, for the item."""
    return Sides(_texts(table, ITEM), _texts(table, CATEGORY))


def items_by_name(table: pd.DataFrame) -> Sides:
    """Everything is searched, for the item; items of one name are one in a data set, whatever their categories."""
    sets, items = _texts(table, DATASET), _texts(table, ITEM)
    return Sides(np.char.add(np.char.add(sets, "/"), items), one_group(len(table)))


def products(table: pd.DataFrame) -> Sides:
    """Everything is searched, for the item; items of different categories differ, whatever their names."""
    return Sides(product_codes(table), one_group(len(table)))


def values_of_attributes(table: pd.DataFrame) -> Sides:
    """Only the own attribute is searched, for the value.

    Pictures of split `test` do not find themselves, whatever values they have. Queries and galleries that are listed
    are taken as they are, be there a picture in both.
    """
    itself = table[SPLIT].to_numpy(dtype=str) == Split.TEST
    rows = np.where(itself, table.index.to_numpy(), -1 - np.arange(len(table)))
    return Sides(_texts(table, VALUE), _texts(table, ATTRIBUTE), rows)


def query_and_gallery(splits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (Q,) of the queries and (G,) of the gallery, int64, among pictures of these splits (N,) str.

    Pictures of split `test`, which is searched by itself, are on both sides.
    """
    return tuple(np.flatnonzero(np.isin(splits, [role, Split.TEST])) for role in (Split.QUERY, Split.GALLERY))


def _texts(table: pd.DataFrame, column: str) -> np.ndarray:
    return table[column].to_numpy(dtype=str)
