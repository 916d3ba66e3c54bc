"""Rows of different lengths stored flat, so that work over thousands of them is vectorised."""

from collections.abc import Sequence
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
        return cls(values[np.argsort(owners, kind="stable")], _offsets(np.bincount(owners, minlength=n)))

    @classmethod
    def empty(cls, n: int) -> "Ragged":
        """`n` rows of int64 without a value."""
        return cls(np.empty(0, dtype=np.int64), np.zeros(n + 1, dtype=np.int64))

    @classmethod
    def stack(cls, parts: Sequence["Ragged"]) -> "Ragged":
        """The rows of all `parts` (one at least), one after another."""
        return cls(
            np.concatenate([part.values for part in parts]), _offsets(np.concatenate([part.lengths for part in parts]))
        )

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
        offsets = _offsets(lengths)
        # Value j of a new row lies as far behind the start of its old row as behind that of its new one.
        shift = np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Ragged(self.values[np.arange(offsets[-1]) + shift], offsets)


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
