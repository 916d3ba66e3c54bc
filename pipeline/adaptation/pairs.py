"""The pairs of one adaptation step, as row indices: no feature is copied to draw them.

Sharma et al., "Unsupervised Meta-Domain Adaptation for Fashion Retrieval", WACV 2021. A product is a source item with
its consumer pictures, its shop pictures, and the target shop pictures linked to it; or, at level L123, a cluster of
target shop pictures whose category the source does not have.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.adaptation.products import Products
from pipeline.arrays.ragged import Ragged


@dataclass(frozen=True)
class Pairs:
    """Pairs (first, second) of rows with the product they belong to and its category, all (n,) int64.

    Rows count through the source features, then through the target features.
    """

    first: np.ndarray
    second: np.ndarray
    product: np.ndarray
    category: np.ndarray


class PairSampler:
    """Draws `categories` categories a step and up to `items` products of each, all without replacement.

    Each source product gives: (1) a consumer with a shop picture; (2) two consumer pictures; (3) two shop pictures;
    (4) the consumer picture of (1) with a target picture; (5) two target pictures; (2), (3), (5) where there are two.
    A target-only cluster gives (5).
    Draws depend only on (seed, step); those of target pictures come from a stream of their own, so the control, whose
    products are the same `without_targets`, trains on the very same source pairs.
    """

    def __init__(self, products: Products, n_source: int, *, categories: int, items: int, seed: int) -> None:
        target = Ragged(products.target.values + n_source, products.target.offsets)
        self.products = replace(products, target=target)
        self.categories, self.items, self.seed = categories, items, seed
        self._category = np.repeat(np.arange(len(products.categories)), np.diff(products.bounds))

    def draw(self, step: int) -> Pairs:
        """The pairs of `step`."""
        rng = np.random.default_rng([self.seed, step, 0])
        rng_target = np.random.default_rng([self.seed, step, 1])
        chosen = self._products(rng)
        consumer, shop, target = self.products.consumer, self.products.shop, self.products.target
        source = chosen[self.products.of_source[chosen]]
        anchor = _one(rng, consumer, source)
        linked = target.lengths[source] > 0
        drawn = [
            (source, anchor, _one(rng, shop, source)),
            _two(rng, consumer, chosen),
            _two(rng, shop, chosen),
            (source[linked], anchor[linked], _one(rng_target, target, source[linked])),
            _two(rng_target, target, chosen),
        ]
        product, first, second = (np.concatenate(part) for part in zip(*drawn, strict=True))
        return Pairs(first, second, product, self._category[product])

    def _products(self, rng: np.random.Generator) -> np.ndarray:
        bounds = self.products.bounds
        some = rng.permutation(len(self.products.categories))[: self.categories]
        return np.concatenate(
            [bounds[c] + rng.permutation(bounds[c + 1] - bounds[c])[: self.items] for c in some],
        )


def _one(rng: np.random.Generator, lists: Ragged, chosen: np.ndarray) -> np.ndarray:
    # One element of each list.
    return lists.values[lists.offsets[chosen] + _uniform(rng, lists.lengths[chosen])]


def _two(rng: np.random.Generator, lists: Ragged, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Two distinct elements of each list that has two: (list, first element, second element).
    able = chosen[lists.lengths[chosen] >= 2]
    lengths, starts = lists.lengths[able], lists.offsets[able]
    first, second = _uniform(rng, lengths), _uniform(rng, lengths - 1)
    second += second >= first
    return able, lists.values[starts + first], lists.values[starts + second]


def _uniform(rng: np.random.Generator, lengths: np.ndarray) -> np.ndarray:
    return (rng.random(len(lengths)) * lengths).astype(np.int64)
