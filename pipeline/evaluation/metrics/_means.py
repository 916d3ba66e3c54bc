"""What several metrics share: a mean over the relevant pictures of each query."""

import numpy as np

from pipeline.arrays.ragged import Ragged


def relevant_means(ranks: Ragged, values: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """Sums of `values`, one a relevant picture (M,), divided by the number of relevant pictures: (Q,) float64.

    Only where `counted` (M,) bool, if given, is it added. NaN for a query without a relevant picture.
    """
    owners = ranks.owners
    if counted is not None:
        owners, values = owners[counted], values[counted]
    with np.errstate(invalid="ignore"):
        return np.bincount(owners, weights=values, minlength=len(ranks)) / ranks.lengths


def within_r(ranks: Ragged) -> np.ndarray:
    """(M,) bool: whether a relevant picture ranks within the first R places, R the relevant pictures of its query."""
    return ranks.values <= ranks.lengths[ranks.owners]
