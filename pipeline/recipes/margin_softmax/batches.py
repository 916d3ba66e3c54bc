"""Batches of all pictures, shuffled, with their items as classes."""

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, ITEM
from pipeline.table.products import code_products
from pipeline.training.batches import Sampler


class ShuffledPictures(Sampler):
    """All pictures of `table` once an epoch, in shuffled batches of `batch_size`; those left over make a smaller one.

    A single picture that is left over joins the batch before it: batch norms and AdaFace's statistics need two.
    A class is a (category, item) pair, its label the position in sorted order; counts (C,) int64: pictures of each.
    Every draw depends only on (seed, epoch, index of the batch). Raises UserError for a single class.
    """

    def __init__(self, table: pd.DataFrame, *, batch_size: int, seed: int) -> None:
        categories, items, self.labels = code_products(*(table[name].to_numpy(dtype=str) for name in (CATEGORY, ITEM)))
        self.names: list[tuple[str, str]] = list(zip(categories.tolist(), items.tolist(), strict=True))
        self.counts = np.bincount(self.labels)
        if len(self.names) < 2:
            raise UserError(
                f"recipes.margin_softmax: the {len(table)} source pictures show one item, and there is none to tell "
                "it from; add pictures of another one"
            )
        self.batch_size, self.seed = batch_size, seed
        whole, left = divmod(len(table), batch_size)
        self.n_batches = whole + (left > 1 or not whole)
        self._order: tuple[int, np.ndarray] | None = None

    @property
    def smallest(self) -> int:
        """How many pictures the smallest batch of an epoch has."""
        last = len(self.labels) - (self.n_batches - 1) * self.batch_size
        return last if self.n_batches == 1 else min(self.batch_size, last)

    def draw(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (B,) int64 of the table and labels (B,) int64 of batch `index` of `epoch`."""
        start = index * self.batch_size
        end = None if index == self.n_batches - 1 else start + self.batch_size
        rows = self._shuffled(epoch)[start:end]
        return rows, self.labels[rows]

    def _shuffled(self, epoch: int) -> np.ndarray:
        # Kept for the batches of an epoch: millions of rows take a while to shuffle.
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.labels))
        return self._order[1]
