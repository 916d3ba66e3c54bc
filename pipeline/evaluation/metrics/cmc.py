"""Cumulative match characteristic: how often the first relevant picture ranks k-th or better.

At one k it is called `cmc@k`, or `recall@k` in metric learning and In-shop.
"""

from collections.abc import Callable

import numpy as np

from pipeline.arrays.ragged import Ragged


def first_ranks(ranks: Ragged) -> np.ndarray:
    """(Q,) int64 rank of the first relevant picture of each query; every query has one."""
    return ranks.values[ranks.offsets[:-1]]


def cmc_curve(first: np.ndarray, length: int) -> np.ndarray:
    """(length,) float64: at k - 1 the share of queries whose first relevant picture ranks k-th or better.

    Ranks beyond a short gallery simply do not occur, so the curve is flat from the gallery's size on.
    """
    counts = np.bincount(np.minimum(first, length + 1), minlength=length + 2)
    return np.cumsum(counts)[1 : length + 1] / len(first)


def hit_within(k: int) -> Callable[[Ragged], np.ndarray]:
    """1 for a query with any relevant picture in the first k, else 0: (Q,) float64."""
    return lambda ranks: (first_ranks(ranks) <= k).astype(np.float64)


METRICS = {"cmc@": hit_within, "recall@": hit_within}
