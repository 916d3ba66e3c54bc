"""Average precision by trapezoids.

Used in the Oxford buildings benchmark (Philbin et al., CVPR 2007) and by UDMA.
"""

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.base.names import MAP_TRAPEZOIDAL
from pipeline.evaluation.metrics._means import relevant_means


def trapezoidal_average_precision(ranks: Ragged) -> np.ndarray:
    """Area under the precision-recall curve by trapezoids: (Q,) float64, NaN without a relevant picture.

    Mean of (k / r_k + (k - 1) / (r_k - 1)) / 2, where the second term is 1 for r_k = 1: the precision just before and
    at each relevant picture. Never above the plain average precision.
    """
    found = ranks.places + 1
    before = np.where(ranks.values == 1, 1.0, (found - 1) / np.maximum(ranks.values - 1, 1))
    return relevant_means(ranks, (found / ranks.values + before) / 2)


METRICS = {MAP_TRAPEZOIDAL: trapezoidal_average_precision}
