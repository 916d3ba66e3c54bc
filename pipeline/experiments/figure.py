"""A comparison of settings as a picture: a dot and its interval for each model of each setting."""

from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np

from pipeline.base.names import COMPARED
from pipeline.experiments.summary import SettingResult
from pipeline.experiments.table import measured
from pipeline.reporting.drawing import COLOURS, MARKERS, new_figure, set_rows, tidy, write_figure

LABEL_LENGTH = 30  # characters of a setting's name
SPREAD = 0.66  # share of a row that its models take
ROW, LINE = 0.2, 0.2  # inches of a row, and of each model in it


def settings_figure(
    results: Sequence[SettingResult], path: Path, *, metric: str, scope: str, label: Callable[[str], str] = str
) -> None:
    """A row a setting, in the given order; means as large dots with 95 % intervals, single seeds as small ones.

    `label`: what stands for a setting's name.
    """
    models = [str(model) for model in COMPARED if any(model in result.values for result in results)]
    figure = new_figure(7.2, 1.5 + len(results) * (ROW + LINE * len(models)))
    axes = figure.add_subplot()
    styles = zip(models, cycle(COLOURS), cycle(MARKERS), strict=False)
    for number, (model, colour, marker) in enumerate(styles):
        places = np.arange(len(results)) + (number - (len(models) - 1) / 2) * SPREAD / len(models)
        for place, result in zip(places, results, strict=True):
            values = list(result.values.get(model, {}).values())
            axes.plot(values, [place] * len(values), "o", color=colour, markersize=4, markerfacecolor="white", zorder=3)
        estimates = [result.estimate(model) for result in results]
        means, lows, highs = np.array([[estimate.mean, estimate.low, estimate.high] for estimate in estimates]).T
        ends = np.nan_to_num([means - lows, highs - means]).clip(0)  # a mean may leave its interval by rounding
        axes.errorbar(means, places, xerr=ends, fmt=marker, color=colour, markersize=6.5, capsize=3, label=model)
    set_rows(axes, range(len(results)), [_short(label(result.setting)) for result in results])
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.margins(x=0.05)
    axes.set(
        title=measured(metric, scope),
        xlabel="mean over seeds and its 95 % interval; small: single seeds",
    )
    figure.legend(frameon=False, loc="outside lower center", ncols=len(models))
    tidy(axes, grid="x")
    write_figure(figure, path)


def _short(name: str) -> str:
    # Names of settings differ at either end.
    half = (LABEL_LENGTH - 1) // 2
    return name if len(name) <= LABEL_LENGTH else f"{name[:half]}…{name[-half:]}"
