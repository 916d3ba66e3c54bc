"""How embeddings are spread: distances within and between items, and the spectrum of all of them.

The diagnostics of Roth, Milbich, Sinha, Gupta, Ommer, Cohen, "Revisiting Training Strategies and Generalization
Performance in Deep Metric Learning", ICML 2020, as the published implementation of DADA computes them.
"""

import numpy as np

from pipeline.arrays.rows import unit_rows


def item_distances(embeddings: np.ndarray, items: np.ndarray) -> dict[str, float]:
    """Mean cosine distance of pictures of one item, of items, and their ratio; embeddings (N, D), items (N,).

    `intra_distance`: mean over items with two pictures or more of the mean over their pairs; `inter_distance`: mean
    over pairs of items of the distance of their mean embeddings. NaN where there are no pairs.
    """
    rows = np.asarray(embeddings, dtype=np.float64)
    names, codes = np.unique(items, return_inverse=True)
    means = np.zeros((len(names), rows.shape[1]))
    np.add.at(means, codes, rows)
    within = _mean_cosines(unit_rows(rows), codes)
    (between,) = _mean_cosines(unit_rows(means), np.zeros(len(names), dtype=np.int64))
    known = within[np.isfinite(within)]
    intra = float(1 - known.mean()) if len(known) else float("nan")
    inter = float(1 - between)
    ratio = intra / inter if inter else float("nan")
    return {"intra_distance": intra, "inter_distance": inter, "intra_over_inter": ratio}


def spectral_decay(embeddings: np.ndarray, mode: int = 1) -> float:
    """KL divergence of the uniform distribution from the singular values of embeddings (N, D): 0 if all are equal.

    The |mode| - 1 largest values are left out, and the smallest, then they are scaled to sum 1. NaN where none is left
    or one of them is 0.
    """
    spectrum = np.linalg.svd(np.asarray(embeddings, dtype=np.float64), compute_uv=False)
    values = spectrum[abs(mode) - 1 : -1]
    if not len(values) or values.min() <= np.finfo(np.float64).eps * max(embeddings.shape) * spectrum[0]:
        return float("nan")
    shares = values / values.sum()
    return float(-np.log(shares).mean() - np.log(len(shares)))


def _mean_cosines(rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Mean cosine of the pairs of unit rows (N, D) with equal code: (codes,) float64, NaN without a pair."""
    counts = np.bincount(codes)
    sums = np.zeros((len(counts), rows.shape[1]))
    np.add.at(sums, codes, rows)
    # The squared length of a sum is the sum of the squared lengths and, twice a pair, of the cosines.
    squares = np.bincount(codes, weights=np.square(rows).sum(axis=1))
    with np.errstate(invalid="ignore"):
        return (np.square(sums).sum(axis=1) - squares) / (counts * (counts - 1))
