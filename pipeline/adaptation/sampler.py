"""The pairs of one adaptation step, as row indices: no feature is copied to draw them.

Sharma et al., "Unsupervised Meta-Domain Adaptation for Fashion Retrieval", WACV 2021. A product is a source item with
its consumer pictures, its shop pictures, and the target shop pictures linked to it.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ragged:
    """Lists of row indices, one a product: list i is `values[offsets[i]:offsets[i + 1]]`."""

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def from_lists(cls, lists: list[np.ndarray]) -> "Ragged":
        """Pack lists of int64 rows."""
        offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in lists])]).astype(np.int64)
        values = np.concatenate(lists).astype(np.int64) if lists else np.empty(0, np.int64)
        return cls(values, offsets)

    @property
    def sizes(self) -> np.ndarray:
        """Length of each list (N,) int64."""
        return np.diff(self.offsets)

    def at(self, lists: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Element `positions[k]` of list `lists[k]`, for all k."""
        return self.values[self.offsets[lists] + positions]


@dataclass(frozen=True)
class Products:
    """The training structure: `category` (N,) int64 codes in ascending order, and the rows of each product."""

    category: np.ndarray
    consumer: Ragged
    shop: Ragged
    target: Ragged

    def without_target(self) -> "Products":
        """The same products at level L1: no target pictures."""
        return Products(self.category, self.consumer, self.shop, Ragged.from_lists([np.empty(0)] * len(self.category)))


@dataclass(frozen=True)
class Pairs:
    """Pairs (first, second) of rows with the product they belong to and its category, all (n,) int64."""

    first: np.ndarray
    second: np.ndarray
    product: np.ndarray
    category: np.ndarray


class PairSampler:
    """Draws `categories` categories a step and up to `items` products of each, all without replacement.

    Each product gives: (1) a consumer with a shop picture; (2) two consumer pictures; (3) two shop pictures; (4) the
    consumer picture of (1) with a target picture; (5) two target pictures; (2), (3), (5) where there are two.
    Draws depend only on (seed, step); those of target pictures come from a stream of their own, so the control, which
    has none, trains on the very same source pairs.
    """

    def __init__(self, products: Products, *, categories: int, items: int, seed: int) -> None:
        self.products, self.categories, self.items, self.seed = products, categories, items, seed
        self._codes, self._starts = np.unique(products.category, return_index=True)
        self._ends = np.append(self._starts[1:], len(products.category))

    def draw(self, step: int) -> Pairs:
        """The pairs of `step`."""
        rng = np.random.default_rng([self.seed, step, 0])
        rng_target = np.random.default_rng([self.seed, step, 1])
        chosen = self._products(rng)
        consumer, shop, target = self.products.consumer, self.products.shop, self.products.target
        anchor = consumer.at(chosen, _uniform(rng, consumer.sizes[chosen]))
        drawn = [
            (chosen, anchor, shop.at(chosen, _uniform(rng, shop.sizes[chosen]))),
            _two(rng, consumer, chosen),
            _two(rng, shop, chosen),
        ]
        linked = target.sizes[chosen] > 0
        supported = chosen[linked]
        support = target.at(supported, _uniform(rng_target, target.sizes[supported]))
        drawn += [(supported, anchor[linked], support), _two(rng_target, target, chosen)]
        product, first, second = (np.concatenate(part) for part in zip(*drawn, strict=True))
        return Pairs(first, second, product, self.products.category[product])

    def _products(self, rng: np.random.Generator) -> np.ndarray:
        some = rng.permutation(len(self._codes))[: self.categories]
        ranges = ((self._starts[code], self._ends[code]) for code in some)
        return np.concatenate([start + rng.permutation(end - start)[: self.items] for start, end in ranges])


def _uniform(rng: np.random.Generator, sizes: np.ndarray) -> np.ndarray:
    return (rng.random(len(sizes)) * sizes).astype(np.int64)


def _two(rng: np.random.Generator, lists: Ragged, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Two distinct elements of each list that has two: (list, first element, second element).
    able = chosen[lists.sizes[chosen] >= 2]
    sizes = lists.sizes[able]
    first, second = _uniform(rng, sizes), _uniform(rng, sizes - 1)
    second += second >= first
    return able, lists.at(able, first), lists.at(able, second)
