"""How sure a mean or a gain is: a bootstrap over queries.

Efron, Tibshirani, "An Introduction to the Bootstrap", 1993.
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

    Both are results over the same queries. A resample draws as many queries as there are within every group, the
    same ones for both sides, and averages over the groups (those in `names` if given) without weights, as the
    summary does. "mean" is the gain on all queries as they are. None where no group has a query.
    Raises ValueError when the results are of different queries.
    """
    if before.groups != after.groups or not np.array_equal(before.query, after.query):
        raise ValueError("the two results are of different queries")
    chosen = before.chosen(names)
    if not len(chosen):
        return dict.fromkeys(before.values)
    rng = np.random.default_rng(seed)
    gains = after.metrics() - before.metrics()
    per_group = [gains[before.group == index] for index in chosen]
    observed = np.mean([rows.mean(axis=0) for rows in per_group], axis=0)
    resampled = np.mean([_resampled_means(rows, resamples, rng) for rows in per_group], axis=0)
    low, high = np.percentile(resampled, INTERVAL, axis=0)
    return {
        metric: {"mean": float(observed[index]), "low": float(low[index]), "high": float(high[index])}
        for index, metric in enumerate(before.values)
    }


def mean_intervals(
    result: RetrievalResult, metric: str, *, resamples: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Title of each group with a query -> the ends of the 95 % interval of its mean of `metric`.

    A resample draws as many of the group's queries as there are.
    """
    rng, values = np.random.default_rng(seed), result.values[metric]
    intervals = {}
    for index in result.chosen():
        means = _resampled_means(values[result.group == index][:, None], resamples, rng)
        low, high = np.percentile(means, INTERVAL)
        intervals[result.title_of(index)] = (float(low), float(high))
    return intervals


def _resampled_means(values: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means of `resamples` draws of n rows of values (n, M) with replacement: (resamples, M)."""
    n = len(values)
    means = np.empty((resamples, values.shape[1]))
    for block in slices(resamples, rows_per_block(n)):
        times_drawn = rng.multinomial(n, np.full(n, 1 / n), size=block.stop - block.start)
        means[block] = times_drawn @ values / n
    return means
