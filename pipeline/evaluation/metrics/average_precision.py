"""Average precision of a query from the ranks of its relevant pictures."""

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.base.names import MAP
from pipeline.evaluation.metrics._means import relevant_means


def average_precision(ranks: Ragged) -> np.ndarray:
    """Mean over the relevant pictures of the precision at their rank: (Q,) float64, NaN without a relevant picture.

    With the k-th relevant picture at rank r_k: mean of k / r_k.
    """
    return relevant_means(ranks, (ranks.places + 1) / ranks.values)


METRICS = {MAP: average_precision}
