"""R-precision: Musgrave, Belongie, Lim, "A Metric Learning Reality Check", ECCV 2020, section 4.1."""

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.base.names import R_PRECISION
from pipeline.evaluation.metrics._means import relevant_means, within_r


def r_precision(ranks: Ragged) -> np.ndarray:
    """Share of the first R places that are relevant: (Q,) float64, NaN without a relevant picture.

    R is the number of relevant pictures of a query.
    """
    return relevant_means(ranks, np.ones(len(ranks.values)), within_r(ranks))


METRICS = {R_PRECISION: r_precision}
