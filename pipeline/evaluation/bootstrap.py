"""How sure a mean or a gain is: a bootstrap over items.

Several queries that show one item succeed or fail together, so what is drawn is the item, with all of its queries
(Efron, Tibshirani, "An Introduction to the Bootstrap", 1993; of clusters: Davison, Hinkley, "Bootstrap Methods and
their Application", 1997).
"""

from collections.abc import Collection

import numpy as np

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.evaluation.results import RetrievalResult

INTERVAL = (2.5, 97.5)  # percentiles


def gain_intervals(
    before: RetrievalResult,
    after: RetrievalResult,
    *,
    names: Collection[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, dict[str, float] | None]:
    """{metric: {"mean", "low", "high"}}: the gain of `after` over `before` and its 95 % interval.

    Both are results over the same queries. A resample draws as many items as there are within every group, the same
    ones for both sides, takes the mean over their queries, and averages over the groups (those in `names` if given)
    without weights, as the summary does. "mean" is the gain on all queries as they are. None where no group has a
    query.
    Raises ValueError when the results are of different queries.
    """
    if before.groups != after.groups or not np.array_equal(before.query, after.query):
        raise ValueError("the two results are of different queries")
    chosen = before.chosen(names)
    if not len(chosen):
        return dict.fromkeys(before.values)
    rng = np.random.default_rng(seed)
    gains = after.metrics() - before.metrics()
    members = [before.group == index for index in chosen]
    observed = np.mean([gains[rows].mean(axis=0) for rows in members], axis=0)
    resampled = np.mean([_resampled_means(gains[rows], before.label[rows], resamples, rng) for rows in members], axis=0)
    low, high = np.percentile(resampled, INTERVAL, axis=0)
    return {
        metric: {"mean": float(observed[index]), "low": float(low[index]), "high": float(high[index])}
        for index, metric in enumerate(before.values)
    }


def mean_intervals(
    result: RetrievalResult, metric: str, *, resamples: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Title of each group with a query -> the ends of the 95 % interval of its mean of `metric`.

    A resample draws as many of the group's items as there are.
    """
    rng, values = np.random.default_rng(seed), result.values[metric]
    intervals = {}
    for index in result.chosen():
        rows = result.group == index
        means = _resampled_means(values[rows, None], result.label[rows], resamples, rng)
        low, high = np.percentile(means, INTERVAL)
        intervals[result.title_of(index)] = (float(low), float(high))
    return intervals


def _resampled_means(values: np.ndarray, labels: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means over queries of `resamples` draws of m items with replacement: (resamples, M).

    values (n, M) and labels (n,), which know the item, are of the queries; m is the number of items.
    """
    _, item, n_queries = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(n_queries), values.shape[1]))
    np.add.at(sums, item, values)
    m = len(n_queries)
    means = np.empty((resamples, values.shape[1]))
    for block in slices(resamples, rows_per_block(m)):
        times_drawn = rng.multinomial(m, np.full(m, 1 / m), size=block.stop - block.start)
        means[block] = times_drawn @ sums / (times_drawn @ n_queries)[:, None]
    return means
