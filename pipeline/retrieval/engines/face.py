"""What the index asks of an engine.

Rows are unit vectors (n, D) float32, and known by numbers (n,) int64 that ascend in the order in which rows were added
and are never used again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np


class Among(NamedTuple):
    """The rows of a category: its name, and their numbers (m,) int64, ascending."""

    category: str
    ids: np.ndarray


class Engine(Protocol):
    """Nearest rows by inner product, perhaps not all of them; `rows` gives vectors as they were added."""

    ids: np.ndarray

    def search(self, queries: np.ndarray, k: int, among: Among | None = None, least: int = 0) -> np.ndarray:
        """Numbers (Q, k) int64 of the rows nearest to queries (Q, D), about the nearest first; -1 beyond the last.

        `k` 0: all rows that are looked into, however many. `among`: no other rows are found. An engine that looks into
        some rows goes on until it has found `least`, or there are no more. Threads may search at the same time.
        """

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """The vectors (n, D) float32 of the rows `ids` (n,)."""

    def add(self, ids: np.ndarray, rows: np.ndarray, categories: np.ndarray) -> None:
        """Add rows (n, D) of these categories (n,) str, whose numbers are above all others."""

    def remove(self, ids: np.ndarray) -> None:
        """Remove the rows `ids` (n,)."""

    def write(self, folder: Path) -> None:
        """Write all of it into `folder`."""

    @property
    def facts(self) -> dict[str, Any]:
        """What it is made of, and `bytes_per_vector`."""

    # Most engines keep nothing elsewhere than in the folder:

    def discard(self) -> None:
        """Drop what is kept elsewhere: what was built will not be used."""

    def settle(self) -> None:
        """The folder that was written is in place, and what only the former one needs may go."""


def widening(look: Callable[[int], np.ndarray], probes: int, most: int, least: int) -> np.ndarray:
    """What `look(probes)` finds, (Q, k) with -1 beyond the last; twice as many probes until each query has `least`."""
    while True:
        found = look(probes)
        if probes >= most or ((found >= 0).sum(axis=1) >= least).all():
            return found
        probes = min(2 * probes, most)


def nearest_of(query: np.ndarray, rows: np.ndarray, ids: np.ndarray, k: int) -> np.ndarray:
    """Numbers (k,) of the `k` of `rows` (n, D) with the greatest inner product with query (D,); -1 beyond the last."""
    similar = rows @ query
    k = k or len(ids)
    near = np.argpartition(-similar, k - 1)[:k] if k < len(similar) else np.arange(len(similar))
    found = ids[near[np.lexsort((ids[near], -similar[near]))]]
    return np.pad(found, (0, k - len(found)), constant_values=-1)
