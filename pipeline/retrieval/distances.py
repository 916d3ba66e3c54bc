"""Distances between a query and many rows."""

import numpy as np
from scipy.spatial.distance import cdist

from pipeline.base.names import Distance


def distances(query: np.ndarray, rows: np.ndarray, metric: Distance) -> np.ndarray:
    """Distances (N,) float64 of `query` (D,) to `rows` (N, D); a zero vector is at distance 1 where there is none."""
    apart = cdist(query[None].astype(np.float64), rows.astype(np.float64), metric)[0]
    return np.where(np.isnan(apart), 1.0, apart)
