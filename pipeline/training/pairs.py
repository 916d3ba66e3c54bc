"""Pairs of pictures of one item, as in UDMA's fine-tuning."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, DOMAIN, ITEM, Domain
from pipeline.base.seeds import mixed_seed
from pipeline.table.products import code_products
from pipeline.training.batches import Sampler

PairMode = Literal["all", "c2s"]


class ItemPairs(Sampler):
    """Shuffled batches of `batch_items` items, a pair of pictures each; the last partial batch is dropped.

    The items are those of `table` that have both a consumer and a shop picture; label = position in sorted order. An
    item is one (category, item) pair, since datasets repeat an id across categories.
    `recipe`: whose they are, for errors. Raises UserError when there are too few items.
    """

    def __init__(self, table: pd.DataFrame, *, mode: PairMode, batch_items: int, seed: int, recipe: str) -> None:
        self.mode, self.batch_items, self.seed, self.recipe = mode, batch_items, seed, recipe
        categories, items, codes = code_products(*(table[name].to_numpy(dtype=str) for name in (CATEGORY, ITEM)))
        rows = {domain: np.flatnonzero(table[DOMAIN] == domain) for domain in Domain}
        sides = {domain: Ragged.group(codes[rows[domain]], rows[domain], len(items)) for domain in Domain}
        both = np.flatnonzero(np.all([side.lengths > 0 for side in sides.values()], axis=0))
        self.names: list[tuple[str, str]] = list(zip(categories[both].tolist(), items[both].tolist(), strict=True))
        self.consumer, self.shop = (sides[domain].take(both) for domain in (Domain.CONSUMER, Domain.SHOP))
        self.n_batches = len(self.names) // batch_items
        self._check({domain: len(positions) for domain, positions in rows.items()})

    def pair(self, epoch: int, item: int) -> tuple[int, int]:
        """Two pictures of `item`: consumer and shop, or (mode all) with 1/4 each two consumer or two shop pictures.

        Draws are with replacement, so the two may be the same picture under different augmentations.
        """
        rng = np.random.default_rng([self.seed, epoch, item])
        first, second = self.consumer[item], self.shop[item]
        if self.mode == "all" and rng.random() < 0.5:
            first = second = first if rng.random() < 0.5 else second
        return int(rng.choice(first)), int(rng.choice(second))

    def draw(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (2B,) int64 of the table, all first pictures, then all second ones, and their labels (2B,) int64."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.names))
        items = order[index * self.batch_items : (index + 1) * self.batch_items]
        pairs = np.array([self.pair(epoch, int(item)) for item in items])
        return pairs.T.ravel(), np.tile(items, 2)

    def seeds(self, epoch: int, index: int, rows: np.ndarray, labels: np.ndarray) -> Iterator[int]:  # noqa: ARG002  as every sampler
        """One for each item and side, whatever batch the item is in."""
        return (
            mixed_seed(self.seed, epoch, item, place // self.batch_items) for place, item in enumerate(labels.tolist())
        )

    def _check(self, n_pictures: dict[Domain, int]) -> None:
        if len(self.names) < 2:
            found = " and ".join(f"{n} {domain}" for domain, n in n_pictures.items())
            raise UserError(
                f"finetune.recipe: {self.recipe} needs two items with both a consumer and a shop picture, whichever "
                f"pairs it draws, and the source has {len(self.names)} among {found} pictures to train on; add what is "
                "missing, or set finetune.recipe: dada or category_triplet, which need no domains"
            )
        if not self.n_batches:
            raise UserError(
                f"recipes.{self.recipe}.batch_items: {self.batch_items} is more than the {len(self.names)} source "
                "items that have both a consumer and a shop picture; lower it"
            )
