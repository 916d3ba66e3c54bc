"""The products that target pictures show: what adaptation without labels should not know."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import MANIFEST_FILE
from pipeline.clustering.groups import ClusteredGroup
from pipeline.table.products import code_products


@dataclass(frozen=True)
class TargetProducts:
    """Products coded 0..T-1 in ascending order of (category, item), of aligned categories only.

    codes (Nt,) int64: product of every target row, -1 in the other categories; pictures: the rows of each product.
    """

    codes: np.ndarray
    pictures: Ragged

    def __len__(self) -> int:
        return len(self.pictures)


def code_target_products(
    items: np.ndarray, rows: np.ndarray, groups: Sequence[ClusteredGroup], strategy: str
) -> TargetProducts:
    """The products of the pictures in `groups`, the aligned ones; items (Nt,) str, rows (Nt,) manifest rows.

    Raises UserError naming the first row without an item, and `strategy`, which needs it.
    """
    nothing = np.empty(0, dtype=np.int64)
    aligned = np.sort(np.concatenate([nothing, *(group.target for group in groups)]))
    names = np.full(len(items), "", dtype=object)
    for group in groups:
        names[group.target] = group.name
    unnamed = aligned[np.char.strip(items[aligned]) == ""]
    if len(unnamed):
        first = unnamed[0]
        raise UserError(
            f"{MANIFEST_FILE}: row {rows[first]}, a target picture of the aligned category {names[first]!r}, has no "
            f"item ({len(unnamed)} such rows), and weight.strategy {strategy} goes by items; name the items in the "
            "dataset's table, or choose ws5 or base, which need none"
        )
    categories, _, products = code_products(names[aligned].astype(str), items[aligned])
    codes = np.full(len(items), -1, dtype=np.int64)
    codes[aligned] = products
    return TargetProducts(codes, Ragged.group(products, aligned, len(categories)))
