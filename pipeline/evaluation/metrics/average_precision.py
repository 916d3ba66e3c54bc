"""Average precision of a query from the ranks of its relevant pictures."""

import numpy as np

from pipeline.arrays.ragged import Ragged


def average_precision(ranks: Ragged) -> np.ndarray:
    """Mean over the relevant pictures of the precision at their rank: (Q,) float64, NaN without a relevant picture.

    `ranks`: a row a query, ranks from 1, ascending. With the k-th relevant picture at rank r_k: mean of k / r_k.
    """
    return _row_means(ranks, (ranks.places + 1) / ranks.values)


def trapezoidal_average_precision(ranks: Ragged) -> np.ndarray:
    """Area under the precision-recall curve by trapezoids: (Q,) float64, NaN without a relevant picture.

    Mean of (k / r_k + (k - 1) / (r_k - 1)) / 2, where the second term is 1 for r_k = 1: the precision just before and
    at each relevant picture. Used in the Oxford buildings benchmark (Philbin et al., CVPR 2007) and by UDMA; never
    above `average_precision`.
    """
    found = ranks.places + 1
    before = np.where(ranks.values == 1, 1.0, (found - 1) / np.maximum(ranks.values - 1, 1))
    return _row_means(ranks, (found / ranks.values + before) / 2)


def _row_means(ranks: Ragged, values: np.ndarray) -> np.ndarray:
    sums = np.bincount(ranks.owners, weights=values, minlength=len(ranks))
    with np.errstate(invalid="ignore"):
        return sums / ranks.lengths
