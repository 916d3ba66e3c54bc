"""Matches between target products and source products: choosing among them, and the links that follow.

Sharma et al., "Unsupervised Meta-Domain Adaptation for Fashion Retrieval", WACV 2021.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from pipeline.weighting.links import NO_CLUSTER, Links, concatenate
from pipeline.weighting.target_items import TargetProducts


@dataclass(frozen=True)
class Matches:
    """Pairs of products: codes of the target and the source product (n,) int64, their similarity (n,) float32."""

    target: np.ndarray
    product: np.ndarray
    similarity: np.ndarray

    def __len__(self) -> int:
        return len(self.target)


def join_matches(parts: Iterable[Matches]) -> Matches:
    """The matches of all parts in the order given."""
    index = np.empty(0, dtype=np.int64)
    parts = [Matches(index, index, np.empty(0, dtype=np.float32)), *parts]
    return Matches(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Matches)))


def first_of_most_similar(keys: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """For each distinct key, ascending, the row of greatest similarity, the first when tied: (K,) int64."""
    order = np.lexsort((-similarity, keys))  # stable: equal rows stay in order
    return order[np.unique(keys[order], return_index=True)[1]]


def matches_of_links(links: Links, products: TargetProducts) -> Matches:
    """Every link as a match of the product that its target picture shows."""
    return Matches(products.codes[links.target], links.product, links.similarity)


def best_per_target(matches: Matches) -> Matches:
    """The most similar match of each target product, by ascending code."""
    return _take(matches, first_of_most_similar(matches.target, matches.similarity))


def best_per_source(matches: Matches) -> Matches:
    """The most similar match of each source product, by ascending code."""
    return _take(matches, first_of_most_similar(matches.product, matches.similarity))


def links_of_matches(matches: Matches, products: TargetProducts) -> Links:
    """Links of ALL pictures of each matched target product, in whatever cluster, to its source product."""
    rows = products.pictures.take(matches.target)
    match = rows.owners
    cluster = np.full(len(match), NO_CLUSTER, dtype=np.int64)
    return concatenate([Links(rows.values, matches.product[match], matches.similarity[match], cluster)])


def _take(matches: Matches, rows: np.ndarray) -> Matches:
    return Matches(matches.target[rows], matches.product[rows], matches.similarity[rows])
