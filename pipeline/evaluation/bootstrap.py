"""How sure a mean or a gain is: a bootstrap over items, and over trainings where there are several.

Several queries that show one item succeed or fail together, so what is drawn is the item, with all of its queries
(Efron, Tibshirani, "An Introduction to the Bootstrap", 1993; of clusters: Davison, Hinkley, "Bootstrap Methods and
their Application", 1997). Trainings are drawn beside the items where all have the same ones (Owen, "The pigeonhole
bootstrap", Annals of Applied Statistics 1, 2007), and items within a drawn training where each has its own (Davison,
Hinkley, 3.8: hierarchical data).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.evaluation.results import RetrievalResult

INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Sample:
    """Of n queries the group and the label, which knows the item, (n,) int or str, and K figures: values (n, K)."""

    group: np.ndarray
    label: np.ndarray
    values: np.ndarray


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
    without weights, as the summary does; where that is a mean over all queries, items are drawn from all groups at
    once. "mean" is the gain on all queries as they are. None where no group has a query.
    Raises ValueError when the results are of different queries.
    """
    if before.groups != after.groups or not np.array_equal(before.query, after.query):
        raise ValueError("the two results are of different queries")
    chosen = before.chosen(names)
    if not len(chosen):
        return dict.fromkeys(before.values)
    rng = np.random.default_rng(seed)
    gains = after.metrics() - before.metrics()
    rows = np.isin(before.group, chosen)
    sample = Sample(before.strata[rows], before.drawn[rows], gains[rows])
    means = [sample.values[sample.group == index].mean(axis=0) for index in np.unique(sample.group)]
    observed, resampled = np.mean(means, axis=0), _resampled(sample, resamples, rng)
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
        means = _resampled_means(values[rows, None], result.drawn[rows], resamples, rng)
        low, high = np.percentile(means, INTERVAL)
        intervals[result.title_of(index)] = (float(low), float(high))
    return intervals


def training_intervals(
    trainings: Sequence[Sample], *, crossed: bool, resamples: int = 1000, seed: int = 0
) -> np.ndarray:
    """Ends (2, K) of the 95 % intervals of the K means over trainings, each with a sample of as many figures.

    A resample draws as many trainings as there are, with replacement. `crossed`: all have the same queries, and the
    items that are drawn are the same for all of them; else each drawn training has a draw of its own items. One
    training is not drawn: its interval is over items alone, as that of a gain is.
    """
    rng, n = np.random.default_rng(seed), len(trainings)
    resample = _crossed if crossed or n == 1 else _nested
    return np.percentile(resample(trainings, resamples, rng), INTERVAL, axis=0)


def _crossed(trainings: Sequence[Sample], resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means of the drawn trainings, (resamples, K)."""
    first, n = trainings[0], len(trainings)
    beside = np.concatenate([training.values for training in trainings], axis=1)
    means = _resampled(Sample(first.group, first.label, beside), resamples, rng).reshape(resamples, n, -1)
    times_drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
    return np.einsum("rn,rnk->rk", times_drawn, means) / n


def _nested(trainings: Sequence[Sample], resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means of the drawn trainings, (resamples, K)."""
    n = len(trainings)
    sums = np.zeros((resamples, trainings[0].values.shape[1]))
    times_drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
    for training, times in zip(trainings, times_drawn.T, strict=True):
        np.add.at(sums, np.repeat(np.arange(resamples), times), _resampled(training, int(times.sum()), rng))
    return sums / n


def _resampled(sample: Sample, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Unweighted means over groups of the means over their queries, (resamples, K); items are drawn in each group."""
    groups, places = np.unique(sample.group, return_inverse=True)
    means = np.zeros((resamples, sample.values.shape[1]))
    for index in range(len(groups)):
        rows = places == index
        means += _resampled_means(sample.values[rows], sample.label[rows], resamples, rng)
    return means / len(groups)


def _resampled_means(values: np.ndarray, labels: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Means over queries of `resamples` draws of m items with replacement: (resamples, M).

    values (n, M) and labels (n,), which know the item, are of the queries; m is the number of items.
    """
    _, item, n_queries = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(n_queries), values.shape[1]))
    np.add.at(sums, item, values)
    m = len(n_queries)
    means = np.empty((resamples, values.shape[1]))
    for block in slices(resamples, rows_per_block(4 * m)):
        n = block.stop - block.start
        drawn = rng.integers(m, size=(n, m)) + m * np.arange(n)[:, None]
        times_drawn = np.bincount(drawn.ravel(), minlength=n * m).reshape(n, m)
        means[block] = times_drawn @ sums / (times_drawn @ n_queries)[:, None]
    return means
