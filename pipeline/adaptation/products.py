"""The products that adaptation trains on, with the pictures of each."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.table.products import Catalogue
from pipeline.weighting.links import Links
from pipeline.weighting.target_clusters import TargetClusters

# Stands for the product code of a target-only cluster.
NO_CODE = -1


@dataclass(frozen=True)
class Products:
    """P products and the rows that show each: those of the source in ascending order (category, item), then clusters.

    categories: names of the C categories, those of the source, then the target-only ones; bounds (C + 1,) int64: the
    products of category c are bounds[c]..bounds[c + 1] - 1; codes (P,) int64: product codes of the catalogue, NO_CODE
    for target-only clusters; consumer, shop: rows of the source, at least one of each for a source product and none
    for a cluster; target: rows of the target (may be none), all int64.
    """

    categories: tuple[str, ...]
    bounds: np.ndarray
    codes: np.ndarray
    consumer: Ragged
    shop: Ragged
    target: Ragged

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def of_source(self) -> np.ndarray:
        """(P,) bool: whether the product is one of the source."""
        return self.codes != NO_CODE

    def count(self) -> dict[str, int]:
        """`items` of the source, how many are `supported` by target rows, and `target_only` clusters with rows."""
        shown, source = self.target.lengths > 0, self.of_source
        counts = {"items": source, "supported": source & shown, "target_only": ~source & shown}
        return {name: int(which.sum()) for name, which in counts.items()}

    def without_targets(self) -> "Products":
        """The same products and categories without target rows: level L1, for a control that draws alike."""
        return replace(self, target=Ragged.empty(len(self)))


def build_products(catalogue: Catalogue, links: Links, clusters: TargetClusters) -> Products:
    """Every product with both a consumer and a shop picture, with the target rows `links` gives it, then `clusters`.

    Row indices are those of the arrays the catalogue and the target positions count through.
    Raises UserError when no product of the source is left.
    """
    n = len(catalogue.items)
    kept = np.flatnonzero((catalogue.n_shop > 0) & (catalogue.n_consumer > 0))
    if not len(kept):
        raise UserError(
            "source: no item has both a consumer and a shop picture in one category, so there is nothing to adapt on; "
            "check the columns item, category and domain of the source rows, or take these models out of adapt.models"
        )
    consumer_rows, shop_rows = np.flatnonzero(~catalogue.shop), np.flatnonzero(catalogue.shop)
    alone, cluster = clusters.code()
    no_rows = Ragged.empty(len(alone))
    parts = [np.unique(names, return_counts=True) for names in (catalogue.categories[kept], alone)]
    categories, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Products(
        categories=tuple(categories.tolist()),
        bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        codes=np.concatenate([kept, np.full(len(alone), NO_CODE)]),
        consumer=Ragged.stack([Ragged.group(catalogue.codes[consumer_rows], consumer_rows, n).take(kept), no_rows]),
        shop=Ragged.stack([Ragged.group(catalogue.codes[shop_rows], shop_rows, n).take(kept), no_rows]),
        target=Ragged.stack(
            [
                Ragged.group(links.product, links.target, n).take(kept),
                Ragged.group(cluster, clusters.target, len(alone)),
            ]
        ),
    )
