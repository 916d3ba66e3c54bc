"""What the strategies decide on, computed when asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from pipeline.arrays.rows import unit_rows
from pipeline.clustering.groups import ClusteredGroup
from pipeline.clustering.means import cluster_means
from pipeline.table.products import Catalogue
from pipeline.weighting.greedy import greedy_rounds
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.matches import Matches, join_matches
from pipeline.weighting.members import ClusteredRows, as_index
from pipeline.weighting.pairs import cluster_pairs
from pipeline.weighting.similarity import similarity_list
from pipeline.weighting.target_items import TargetProducts


@dataclass(frozen=True)
class Evidence:
    """The catalogue of the source rows, the aligned groups, and embeddings of source (Ns, D) and target (Nt, D) rows.

    `target_products` is None for a strategy that does not declare that it goes by them. `say` prints a line.
    """

    catalogue: Catalogue
    groups: Sequence[ClusteredGroup]
    source: Tensor
    target: Tensor
    say: Callable[[str], None]
    target_products: TargetProducts | None = None

    @cached_property
    def similar(self) -> Links:
        """The similarity list of all groups: each target picture with the most similar candidate of its cluster."""
        n_shop, has_consumer = self.catalogue.n_shop, self.catalogue.n_consumer > 0
        return concatenate(
            similarity_list(*group, n_shop=n_shop, has_consumer=has_consumer) for group in self._clustered()
        )

    @cached_property
    def together(self) -> Links:
        """Each target picture with every product that has a shop picture in its cluster, by position and product."""
        return concatenate(cluster_pairs(*group) for group in self._clustered())

    @cached_property
    def one_to_one(self) -> Matches:
        """Greedy matches of target products with source products, round by round, on the means of their shop pictures.

        Every source product with a shop picture takes part, in an aligned category or not. Clusters play no role. Says
        how many target products are left over when there are too few source products.
        """
        shop = np.flatnonzero(self.catalogue.shop)
        products, code = np.unique(self.catalogue.codes[shop], return_inverse=True)
        pictures = self.target_products.pictures
        if not len(pictures):
            return join_matches([])
        rounds = greedy_rounds(
            _unit_means(self.target, pictures.values, pictures.owners, len(pictures)),
            _unit_means(self.source, shop, code, len(products)),
        )
        matches = join_matches(rounds)
        if left := len(pictures) - len(matches):
            n = len(products)
            self.say(f"{left} of {len(pictures)} target items stay unlinked: only {n} source items have shop pictures")
        return Matches(matches.target, products[matches.product], matches.similarity)

    def _clustered(self) -> Iterator[tuple[ClusteredRows, np.ndarray, ClusteredRows, np.ndarray]]:
        # Of every group the source side, the products of its rows, the target side, and the positions of its rows.
        for group in self.groups:
            yield (
                ClusteredRows(self.source[as_index(group.source, self.source)], group.source_clusters),
                self.catalogue.codes[group.source],
                ClusteredRows(self.target[as_index(group.target, self.target)], group.target_clusters),
                group.target,
            )


def _unit_means(embeddings: Tensor, rows: np.ndarray, products: np.ndarray, n: int) -> Tensor:
    means = cluster_means(embeddings[as_index(rows, embeddings)], as_index(products, embeddings), n)
    return unit_rows(means)
