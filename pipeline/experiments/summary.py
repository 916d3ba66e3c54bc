"""Results of the runs of a comparison: means over seeds with intervals, settings in order."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from scipy import stats

from pipeline.base.errors import UserError
from pipeline.base.names import COMPARED, GAINS, ITEM
from pipeline.evaluation.bootstrap import Sample, training_intervals
from pipeline.evaluation.by_query import GROUP, LABEL, QueryFigures
from pipeline.evaluation.evaluate import pair

LEVEL = 0.95


class Drawn(StrEnum):
    """What the intervals of a setting are over, as a report says it."""

    ITEMS = "the items of the one seed"
    CROSSED = "seeds and items (the same for all seeds)"
    NESTED = "seeds and the items of each"
    NOTHING = "nothing"  # Student's t over seeds


@dataclass(frozen=True)
class Estimate:
    """A mean with the ends of its 95 % interval; NaN where undefined, as the ends of one value by Student's t are."""

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class SettingResult:
    """What the runs of a setting gave.

    values: model -> seed -> value (NaN: undefined); seeds: those that have a result; estimates: of each model, and of
    each gain by its name (`pair`); drawn: what their intervals are over.
    """

    setting: str
    seeds: tuple[int, ...] = ()
    values: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    drawn: Drawn = Drawn.NOTHING

    def estimate(self, model: str) -> Estimate:
        """Mean over seeds of `model`; NaN where no run has that model."""
        return self.estimates.get(model, Estimate())

    def gain(self, after: str, before: str) -> Estimate:
        """The gain of a model over another, over the seeds that have both: paired by seed, and by query if drawn."""
        return self.estimates.get(pair(after, before), Estimate())

    @property
    def score(self) -> float:
        """Mean of the best-developed model that there is, the last of `COMPARED`."""
        means = [self.estimate(model).mean for model in COMPARED if self.values.get(model)]
        return means[-1] if means else math.nan


def student(values: Sequence[float]) -> Estimate:
    """Mean and 95 % interval of Student: mean +- t(n - 1) s / sqrt(n), s with n - 1 degrees of freedom."""
    n = len(values)
    mean = float(np.mean(values)) if n else math.nan
    if n < 2:
        return Estimate(mean)
    factor = float(stats.t.ppf((1 + LEVEL) / 2, n - 1))
    half = factor * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half)


def read_values(evaluation: Mapping[str, Any], metric: str, scope: str, where: str) -> dict[str, float]:
    """Model -> value of `metric` in `scope`, of the content of an evaluate.json; null becomes NaN.

    Raises UserError, which begins with `where`, when there is no such scope or metric.
    """
    values = {}
    for model in COMPARED:
        scopes = evaluation.get(str(model))
        if scopes is None:
            continue
        if scope not in scopes:
            raise UserError(f"{where}: no scope {scope!r}; known: {', '.join(scopes)}")
        if metric not in scopes[scope]:
            raise UserError(f"{where}: no metric {metric!r}; known: {', '.join(scopes[scope])}")
        value = scopes[scope][metric]
        values[str(model)] = math.nan if value is None else float(value)
    if not values:
        raise UserError(f"{where}: none of the models {', '.join(COMPARED)} is in it")
    return values


def summarize(
    settings: Iterable[str],
    values: Mapping[tuple[str, int], Mapping[str, float]],
    queries: Mapping[tuple[str, int], QueryFigures] | None = None,
) -> list[SettingResult]:
    """The settings, best first by the mean of the best-developed model, without results last.

    `values`: (setting, seed) -> model -> value, for the runs that have a result; `queries`: the same query by query.
    Intervals are those of a bootstrap (`training_intervals`), or of Student where no `queries` are given.
    """
    results = []
    for setting in settings:
        runs = {seed: found for (name, seed), found in sorted(values.items()) if name == setting}
        of_runs = {seed: queries[setting, seed] for seed in runs} if queries else {}
        results.append(_result(setting, runs, of_runs))
    return sorted(results, key=lambda result: math.inf if math.isnan(result.score) else -result.score)


def _result(
    setting: str, runs: Mapping[int, Mapping[str, float]], queries: Mapping[int, QueryFigures]
) -> SettingResult:
    named = {str(model): (str(model),) for model in COMPARED}
    named |= {pair(after, before): (str(after), str(before)) for after, before in GAINS}
    estimates, drawn = {}, _drawn(list(queries.values()))
    by_seeds: dict[tuple[int, ...], list[str]] = {}  # those that have a figure -> names of figures
    for name, models in named.items():
        seeds = tuple(seed for seed, found in runs.items() if set(models) <= set(found))
        if seeds:
            estimates[name] = student([_figure(runs[seed], models) for seed in seeds])
            by_seeds.setdefault(seeds, []).append(name)
    for seeds, names in by_seeds.items() if queries else ():
        samples = [_sample(queries[seed], [named[name] for name in names]) for seed in seeds]
        # Of one seed the draws, too, are those that its evaluation has made.
        ends = training_intervals(samples, crossed=drawn is Drawn.CROSSED, seed=seeds[0])
        for name, (low, high) in zip(names, ends.T.tolist(), strict=True):
            estimates[name] = Estimate(estimates[name].mean, low, high)
    by_model = {
        str(model): {seed: found[model] for seed, found in runs.items() if model in found} for model in COMPARED
    }
    by_model = {model: found for model, found in by_model.items() if found}
    return SettingResult(setting, tuple(runs), by_model, estimates, drawn)


def _drawn(queries: Sequence[QueryFigures]) -> Drawn:
    if len(queries) < 2:
        return Drawn.ITEMS if queries else Drawn.NOTHING
    first, *others = queries
    return Drawn.CROSSED if all(first.queries.equals(other.queries) for other in others) else Drawn.NESTED


def _sample(found: QueryFigures, figures: Sequence[tuple[str, ...]]) -> Sample:
    values = np.stack([_figure(found.values, models) for models in figures], axis=1)
    if ITEM in found.queries:  # a mean over all queries, as one group
        return Sample(np.zeros(len(values), np.int64), found.queries[ITEM].to_numpy(), values)
    return Sample(found.queries[GROUP].to_numpy(dtype=str), found.queries[LABEL].to_numpy(dtype=str), values)


def _figure(of_models: Mapping[str, Any], models: tuple[str, ...]) -> Any:
    """That of a model, or the gain of the first of two."""
    after, *before = (of_models[model] for model in models)
    return after - before[0] if before else after
