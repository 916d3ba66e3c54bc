"""Rows of different lengths stored flat, so that work over thousands of them is vectorised."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ragged:
    """Row i is `values[offsets[i]:offsets[i + 1]]`; values (M,), offsets (N + 1,) int64 starting at 0."""

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def group(cls, owners: np.ndarray, values: np.ndarray, n: int) -> "Ragged":
        """Collect values[j] into row owners[j] of `n` rows, in the order they come. owners (M,) int64 in 0..n-1."""
        order = np.argsort(owners, kind="stable")
        offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n))])
        return cls(values[order], offsets.astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """(N,) int64 values in each row."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> np.ndarray:
        """(M,) int64 row of each value."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def places(self) -> np.ndarray:
        """(M,) int64 place of each value in its row, from 0."""
        return np.arange(len(self.values)) - self.offsets[self.owners]

    def take(self, rows: np.ndarray) -> "Ragged":
        """The rows with these indices, in this order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return Ragged(self.values[np.repeat(self.offsets[:-1][rows], lengths) + within], offsets)
