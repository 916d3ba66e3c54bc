"""Precision at the first places: mMP@k of the Google Universal Image Embedding Challenge (2022), and plain precision.

mMP@k asks of a query for no more pictures than there are to be found: of n it looks at the first K = min(n, k) places.
"""

from collections.abc import Callable

import numpy as np

from pipeline.arrays.ragged import Ragged


def modified_mean_precision(k: int) -> Callable[[Ragged], np.ndarray]:
    """Share of the first K = min(n, k) places that are relevant, n the relevant pictures of a query: (Q,) float64.

    With n = 2 a hit at rank 3 gives nothing. NaN for a query without a relevant picture.
    """
    return lambda ranks: _hits(ranks, np.minimum(ranks.lengths, k)) / _or_nan(np.minimum(ranks.lengths, k))


def precision(k: int) -> Callable[[Ragged], np.ndarray]:
    """Share of the first k places that are relevant, however few relevant pictures there are: (Q,) float64."""
    return lambda ranks: _hits(ranks, np.full(len(ranks), k)) / k


def _hits(ranks: Ragged, places: np.ndarray) -> np.ndarray:
    """(Q,) int64 relevant pictures of each query among its first `places` (Q,)."""
    owners = ranks.owners
    return np.bincount(owners[ranks.values <= places[owners]], minlength=len(ranks))


def _or_nan(counts: np.ndarray) -> np.ndarray:
    return np.where(counts > 0, counts, np.nan)


METRICS = {"mmp@": modified_mean_precision, "precision@": precision}
