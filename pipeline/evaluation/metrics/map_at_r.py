"""MAP@R: Musgrave, Belongie, Lim, "A Metric Learning Reality Check", ECCV 2020, section 4.1."""

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.base.names import MAP_AT_R
from pipeline.evaluation.metrics._means import relevant_means, within_r


def map_at_r(ranks: Ragged) -> np.ndarray:
    """Mean over the first R places of the precision at the relevant ones, 0 at the others: (Q,) float64.

    R is the number of relevant pictures of a query; NaN where it is 0.
    """
    return relevant_means(ranks, (ranks.places + 1) / ranks.values, within_r(ranks))


METRICS = {MAP_AT_R: map_at_r}
