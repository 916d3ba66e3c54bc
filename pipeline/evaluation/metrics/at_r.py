"""Figures of the first R places, where R is the number of relevant pictures of a query.

Musgrave, Belongie, Lim, "A Metric Learning Reality Check", ECCV 2020, section 4.1.
"""

import numpy as np

from pipeline.arrays.ragged import Ragged


def r_precision(ranks: Ragged) -> np.ndarray:
    """Share of the first R places that are relevant: (Q,) float64, NaN without a relevant picture."""
    return _means(ranks, np.ones(len(ranks.values)))


def map_at_r(ranks: Ragged) -> np.ndarray:
    """Mean over the first R places of the precision at the relevant ones, 0 at the others: (Q,) float64."""
    return _means(ranks, (ranks.places + 1) / ranks.values)


def _means(ranks: Ragged, values: np.ndarray) -> np.ndarray:
    """Sums of `values`, one a relevant picture, where it ranks within the first R, divided by R."""
    owners, lengths = ranks.owners, ranks.lengths
    within = ranks.values <= lengths[owners]
    with np.errstate(invalid="ignore"):
        return np.bincount(owners[within], weights=values[within], minlength=len(ranks)) / lengths
