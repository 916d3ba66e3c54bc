"""Vectors on disk, as they were given: read where they lie, a few at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.arrays.blocks import slices
from pipeline.retrieval.engines.files import read_ids, write_ids

VECTORS = "vectors.npy"
BLOCK_ROWS = 65_536


class Vectors:
    """Rows (N, D) float32 in `pieces`, files or arrays, with ascending numbers `ids` (N,) int64.

    `place` (N,) int64: where the rows lie, counted through all pieces; what was removed is passed over.
    """

    def __init__(self, ids: np.ndarray, piece: np.ndarray) -> None:
        self.ids, self.place, self.pieces = ids, np.arange(len(ids)), [piece]

    @classmethod
    def read(cls, folder: Path) -> "Vectors":
        """Those in `folder`, which stay there."""
        return cls(read_ids(folder), np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        """D."""
        return self.pieces[0].shape[1]

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """The vectors (n, D) float32 of the rows `ids` (n,)."""
        return self._at(self.place[np.searchsorted(self.ids, ids)])

    def holds(self, ids: np.ndarray) -> np.ndarray:
        """(n,) bool: whether there is such a row."""
        if not len(self):
            return np.zeros(len(ids), bool)
        return self.ids[np.minimum(np.searchsorted(self.ids, ids), len(self) - 1)] == ids

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (numbers (b,), rows (b, D)), in order."""
        for part in slices(len(self), BLOCK_ROWS):
            yield self.ids[part], self._at(self.place[part])

    def spread(self, count: int) -> np.ndarray:
        """Numbers of at most `count` rows, evenly spread."""
        return self.ids[np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64))]

    def sample(self, count: int) -> np.ndarray:
        """At most `count` rows, evenly spread."""
        return self.rows(self.spread(count))

    def replace(self, ids: np.ndarray, rows: np.ndarray) -> None:
        """Other vectors (n, D) for the rows `ids` (n,), none of which was added."""
        self.pieces[0][self.place[np.searchsorted(self.ids, ids)]] = rows

    def add(self, ids: np.ndarray, rows: np.ndarray) -> None:
        """Add rows (n, D) whose numbers are above all others."""
        start = sum(map(len, self.pieces))
        self.pieces.append(np.ascontiguousarray(rows, dtype=np.float32))
        self.ids, self.place = np.append(self.ids, ids), np.append(self.place, start + np.arange(len(ids)))

    def remove(self, ids: np.ndarray) -> None:
        """Remove the rows `ids` (n,)."""
        gone = np.searchsorted(self.ids, ids)
        self.ids, self.place = np.delete(self.ids, gone), np.delete(self.place, gone)

    def write(self, folder: Path) -> None:
        """Write the rows and their numbers into `folder`."""
        write_ids(folder, self.ids)
        made = create_vectors(folder, len(self), self.dim)
        for part in slices(len(self), BLOCK_ROWS):
            made[part] = self._at(self.place[part])
        made.flush()

    def _at(self, places: np.ndarray) -> np.ndarray:
        if len(self.pieces) == 1:
            return np.ascontiguousarray(self.pieces[0][places])
        found, start = np.empty((len(places), self.dim), np.float32), 0
        for piece in self.pieces:
            inside = (places >= start) & (places < start + len(piece))
            found[inside] = piece[places[inside] - start]
            start += len(piece)
        return found


def create_vectors(folder: Path, n: int, dim: int) -> np.ndarray:
    """A file in `folder` for `n` rows, to be filled."""
    return np.lib.format.open_memmap(folder / VECTORS, mode="w+", dtype=np.float32, shape=(n, dim))
