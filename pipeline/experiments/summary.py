"""Results of the runs of a comparison: means over seeds with intervals, settings in order."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from pipeline.base.errors import UserError

MODELS = ("baseline", "control", "adapted")  # as they develop
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with the half width of its 95 % interval; NaN where undefined, as a half width of one value is."""

    mean: float
    half_width: float

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width


@dataclass(frozen=True)
class SettingResult:
    """What the runs of a setting gave: model -> seed -> value (NaN: undefined), and the seeds that have a result."""

    setting: str
    seeds: tuple[int, ...]
    values: dict[str, dict[int, float]]

    def estimate(self, model: str) -> Estimate:
        """Mean over seeds of `model`; NaN where no run has that model."""
        return estimate(list(self.values.get(model, {}).values()))

    def gain(self) -> Estimate:
        """Adapted - control, paired over the seeds that have both."""
        control, adapted = (self.values.get(model, {}) for model in ("control", "adapted"))
        return estimate([adapted[seed] - control[seed] for seed in adapted if seed in control])

    @property
    def score(self) -> float:
        """Mean of the best-developed model that there is: adapted, else control, else baseline."""
        means = [self.estimate(model).mean for model in MODELS if self.values.get(model)]
        return means[-1] if means else math.nan


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and half width t(n - 1) s / sqrt(n) of the 95 % interval of Student, s with n - 1 degrees of freedom."""
    n = len(values)
    mean = float(np.mean(values)) if n else math.nan
    if n < 2:
        return Estimate(mean, math.nan)
    factor = float(stats.t.ppf((1 + LEVEL) / 2, n - 1))
    return Estimate(mean, factor * float(np.std(values, ddof=1)) / math.sqrt(n))


def read_values(evaluation: Mapping[str, Any], metric: str, scope: str, where: str) -> dict[str, float]:
    """Model -> value of `metric` in `scope`, of the content of an evaluate.json; null becomes NaN.

    Raises UserError, which begins with `where`, when there is no such scope or metric.
    """
    values = {}
    for model in MODELS:
        scopes = evaluation.get(model)
        if scopes is None:
            continue
        if scope not in scopes:
            raise UserError(f"{where}: no scope {scope!r}; known: {', '.join(scopes)}")
        if metric not in scopes[scope]:
            raise UserError(f"{where}: no metric {metric!r}; known: {', '.join(scopes[scope])}")
        value = scopes[scope][metric]
        values[model] = math.nan if value is None else float(value)
    if not values:
        raise UserError(f"{where}: none of the models {', '.join(MODELS)} is in it")
    return values


def summarize(settings: Iterable[str], values: Mapping[tuple[str, int], Mapping[str, float]]) -> list[SettingResult]:
    """The settings, best first by the mean of the best-developed model, without results last.

    `values`: (setting, seed) -> model -> value, for the runs that have a result.
    """
    results = []
    for setting in settings:
        runs = {seed: found for (name, seed), found in values.items() if name == setting}
        by_model = {
            model: {seed: found[model] for seed, found in sorted(runs.items()) if model in found} for model in MODELS
        }
        results.append(
            SettingResult(setting, tuple(sorted(runs)), {model: found for model, found in by_model.items() if found})
        )
    return sorted(results, key=lambda result: math.inf if math.isnan(result.score) else -result.score)
