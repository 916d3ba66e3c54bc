"""Batches of pictures to classify, with the pictures of triplets behind them."""

from enum import IntEnum

import numpy as np
import pandas as pd

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, DATASET, ITEM
from pipeline.recipes.category_triplet.triplets import Triplets
from pipeline.training.batches import Sampler

SECTION = "recipes.category_triplet"


class Stream(IntEnum):
    """What is drawn, so that no two draws of an epoch have the same seed."""

    CLASSIFIED = 1
    ITEMS = 2
    CATEGORIES = 3
    SOURCES = 4
    TRIPLETS = 5


class CategoryTripletSampler(Sampler):
    """Rows of a batch: `batch_size` to classify, and anchors, positives and negatives of `triplets` triplets.

    A label is the position of the category among `names`, the sorted categories of the classified rows: those of the
    dataset `classified`, or all. An epoch shows every classified row once, in shuffled order, but for those that fill
    no batch. With probability `item_share` the triplets of a batch are made of items ((category, item) pairs with two
    pictures at least, anchors item by item in shuffled rounds), else of categories (anchors row by row in shuffled
    rounds). Every draw depends only on (seed, epoch, index of the batch). `triplets` 0: none are drawn.
    Raises UserError when the table has not what this needs.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        batch_size: int,
        triplets: int,
        item_share: float,
        classified: str | None,
        seed: int,
    ) -> None:
        self.batch_size, self.n_triplets, self.item_share, self.seed = batch_size, triplets, item_share, seed
        rows = _classified_rows(table, classified)
        names, labels = np.unique(table[CATEGORY].to_numpy(dtype=str)[rows], return_inverse=True)
        self.names: list[str] = names.tolist()
        self.groups = Ragged.group(labels, rows, len(names))
        self.labels = self.groups.owners
        self.n_batches = len(rows) // batch_size
        self._check_classified()
        if triplets and item_share > 0:
            self.items = Triplets(_items(table))
        if triplets and item_share < 1:
            self.of_categories = Triplets(self.groups)
            if not len(self.of_categories.anchors):
                raise UserError(
                    f"{SECTION}.item_share: {item_share} asks for triplets of categories, and no category has two "
                    "pictures to classify; set it to 1"
                )

    def draw(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (B + 3T,) int64 of the table and labels (B,) int64 of the first B, for batch `index` of `epoch`."""
        key = (self.seed, epoch, Stream.CLASSIFIED)
        chosen = deal(len(self.labels), index * self.batch_size, self.batch_size, key)
        rows = self.groups.values[chosen]
        if self.n_triplets:
            rows = np.concatenate([rows, self._triplets(epoch, index).ravel()])
        return rows, self.labels[chosen]

    def _triplets(self, epoch: int, index: int) -> np.ndarray:
        """Rows (3, T)."""
        of_items = np.random.default_rng([self.seed, epoch, Stream.SOURCES]).random(self.n_batches) < self.item_share
        # Batches of the same source before this one have taken their anchors.
        start = int((of_items[:index] == of_items[index]).sum()) * self.n_triplets
        rng = np.random.default_rng([self.seed, epoch, Stream.TRIPLETS, index])
        if of_items[index]:
            key = (self.seed, epoch, Stream.ITEMS)
            return self.items.of_groups(rng, deal(len(self.items.sizes), start, self.n_triplets, key))
        anchors = self.of_categories.anchors
        key = (self.seed, epoch, Stream.CATEGORIES)
        return self.of_categories.of_anchors(rng, anchors[deal(len(anchors), start, self.n_triplets, key)])

    def _check_classified(self) -> None:
        if len(self.names) < 2:
            raise UserError(
                f"{SECTION}: all {len(self.labels)} source pictures to classify are of the category "
                f"{self.names[0]!r}; add pictures of another one, or train by items (finetune.recipe: dada)"
            )
        if not self.n_batches:
            raise UserError(
                f"{SECTION}.batch_size: {self.batch_size} is more than the {len(self.labels)} source pictures to "
                "classify; lower it"
            )


def deal(n: int, start: int, count: int, key: tuple[int, ...]) -> np.ndarray:
    """Places `start`, ... `start + count - 1` (count,) of endless rounds, each 0 ... n - 1 in shuffled order.

    Round r depends on (`key`, r) only.
    """
    first, last = start // n, (start + count - 1) // n
    rounds = [np.random.default_rng([*key, turn]).permutation(n) for turn in range(first, last + 1)]
    return np.concatenate(rounds)[start - first * n :][:count]


def _classified_rows(table: pd.DataFrame, dataset: str | None) -> np.ndarray:
    """Positions of the rows of `dataset`, or of all rows."""
    if dataset is None:
        return np.arange(len(table))
    rows = np.flatnonzero(table[DATASET] == dataset)
    if not len(rows):
        known = ", ".join(sorted(table[DATASET].unique()))
        raise UserError(f"{SECTION}.classified: no source pictures of a dataset {dataset!r}; known: {known}")
    return rows


def _items(table: pd.DataFrame) -> Ragged:
    """Positions of the rows of each item that has two."""
    items = table.groupby([CATEGORY, ITEM]).ngroup().to_numpy()
    groups = Ragged.group(items, np.arange(len(table)), items.max() + 1)
    groups = groups.take(np.flatnonzero(groups.lengths >= 2))
    if len(groups) < 2:
        raise UserError(
            f"{SECTION}.item_share: triplets of items need two items with two pictures, and the source has "
            f"{len(groups)}; set it to 0 for triplets of categories alone"
        )
    return groups
