"""The products that adaptation trains on, with the pictures of each."""

from dataclasses import dataclass

import numpy as np

from pipeline.errors import UserError
from pipeline.ragged import Ragged
from pipeline.weighting.catalogue import Catalogue
from pipeline.weighting.links import Links


@dataclass(frozen=True)
class Products:
    """P source products in ascending order (category, item), and the rows that show each.

    categories: names of the C source categories; bounds (C + 1,) int64: the products of category c are
    bounds[c]..bounds[c + 1] - 1; codes (P,) int64: product codes of the catalogue;
    consumer, shop: rows of the source, at least one of each for every product; target: rows of the target (may be
    none), all int64.
    """

    categories: tuple[str, ...]
    bounds: np.ndarray
    codes: np.ndarray
    consumer: Ragged
    shop: Ragged
    target: Ragged

    def __len__(self) -> int:
        return len(self.codes)


def build_products(catalogue: Catalogue, links: Links | None) -> Products:
    """Every product with both a consumer and a shop picture, with the target rows `links` gives it.

    Row indices are those of the arrays the catalogue was built from. Level L1 is `links=None`: no target rows.
    Raises UserError when no product is left.
    """
    n = len(catalogue.items)
    kept = np.flatnonzero((catalogue.n_shop > 0) & (catalogue.n_consumer > 0))
    if not len(kept):
        raise UserError(
            "source: no item has both a consumer and a shop picture in one category, so there is nothing to adapt on; "
            "check the columns item, category and domain of the source rows"
        )
    consumer_rows, shop_rows = np.flatnonzero(~catalogue.shop), np.flatnonzero(catalogue.shop)
    nothing = np.empty(0, dtype=np.int64)
    linked, target_rows = (nothing, nothing) if links is None else (links.product, links.target)
    categories, counts = np.unique(catalogue.categories[kept], return_counts=True)
    return Products(
        categories=tuple(categories.tolist()),
        bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        codes=kept,
        consumer=Ragged.group(catalogue.codes[consumer_rows], consumer_rows, n).take(kept),
        shop=Ragged.group(catalogue.codes[shop_rows], shop_rows, n).take(kept),
        target=Ragged.group(linked, target_rows, n).take(kept),
    )
