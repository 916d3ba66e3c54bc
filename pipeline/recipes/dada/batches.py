"""Batches of pictures with their items as classes, whatever the domain of a picture."""

from typing import Literal

import numpy as np
import pandas as pd

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, ITEM
from pipeline.training.batches import Sampler

SECTION = "recipes.dada"


class ItemSampler(Sampler):
    """Which pictures make a batch: `samples_per_class` adjacent ones of each of its classes, `batch_size` in all.

    A class is a (category, item) pair of `table`, its label the position in sorted order. Every draw depends only on
    (seed, epoch, index of the batch).
    distinct: the classes of a batch differ, and every class has been there about equally often at any time; the
    pictures of a class differ as far as it has enough, else each is taken before one is repeated: the only picture of
    a class fills all its places, under different augmentations.
    random: classes and pictures are drawn with replacement, as published.
    Raises UserError when there are too few classes or pictures for one batch.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        batch_size: int,
        samples_per_class: int,
        sampler: Literal["distinct", "random"],
        seed: int,
    ) -> None:
        groups = table.groupby([CATEGORY, ITEM])
        self.names: list[tuple[str, str]] = groups.size().index.tolist()
        self.classes = Ragged.group(groups.ngroup().to_numpy(), np.arange(len(table)), len(self.names))
        self.batch_classes, self.samples_per_class = batch_size // samples_per_class, samples_per_class
        self.distinct, self.seed = sampler == "distinct", seed
        self.n_batches = len(table) // batch_size
        if not self.n_batches:
            raise UserError(
                f"{SECTION}.batch_size: {batch_size} is more than the {len(table)} source pictures; lower it"
            )
        if len(self.classes) < 2:
            raise UserError(
                f"{SECTION}: the {len(table)} source pictures show one item, and its proxy has none to differ from; "
                "add pictures of another one"
            )
        if self.distinct and self.batch_classes > len(self.classes):
            raise UserError(
                f"{SECTION}.batch_size: {batch_size} is {self.batch_classes} items of {samples_per_class} pictures, "
                f"more than the {len(self.classes)} source items; lower it, or set {SECTION}.sampler: random"
            )

    def draw(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (B,) int64 of the table and labels (B,) int64 of batch `index` of `epoch`."""
        rng = np.random.default_rng([self.seed, epoch, index])
        labels = (
            self._distinct_classes(epoch, index)
            if self.distinct
            else rng.integers(len(self.classes), size=self.batch_classes)
        )
        rows = [self._pictures(rng, self.classes[label]) for label in labels]
        return np.concatenate(rows), np.repeat(labels, self.samples_per_class)

    def _distinct_classes(self, epoch: int, index: int) -> np.ndarray:
        # A round deals out shuffled classes; those left over that make no whole batch sit the round out.
        turn, place = divmod(index, len(self.classes) // self.batch_classes)
        order = np.random.default_rng([self.seed, epoch, turn, len(self.classes)]).permutation(len(self.classes))
        return order[place * self.batch_classes : (place + 1) * self.batch_classes]

    def _pictures(self, rng: np.random.Generator, pictures: np.ndarray) -> np.ndarray:
        if self.distinct:
            return np.resize(rng.permutation(pictures), self.samples_per_class)
        return rng.choice(pictures, self.samples_per_class)
