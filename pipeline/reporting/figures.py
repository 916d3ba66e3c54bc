"""Figures of an evaluation."""

from collections.abc import Callable, Mapping
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.base.names import CMC_RANKS
from pipeline.reporting.drawing import COLOURS, LINES, new_figure, set_rows, tidy, write_figure

LABEL_LENGTH = 32  # characters of a category's name


class Bar(NamedTuple):
    """A mean over queries, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def cmc_figure(curves: Mapping[str, np.ndarray], path: Path) -> None:
    """CMC curves: for each model an array (K,) with the share of queries (0..1) matched within ranks 1..K."""
    figure = new_figure(6.4, 4.8)
    axes = figure.add_subplot()
    for (model, curve), colour, line in zip(curves.items(), cycle(COLOURS), cycle(LINES), strict=False):
        axes.plot(np.arange(1, len(curve) + 1), curve, line, color=colour, linewidth=2, label=model)
    axes.set(title="Cumulative match characteristic", xlabel="rank K", ylabel="share of queries matched in the first K")
    longest = max((len(curve) for curve in curves.values()), default=1)
    axes.set_xticks([rank for rank in CMC_RANKS if rank <= longest])
    if curves:
        axes.legend(frameon=False, loc="lower right")
    tidy(axes)
    write_figure(figure, path)


def category_bars(
    bars: Mapping[str, Mapping[str, Bar]],
    queries: Mapping[str, int],
    metric: str,
    path: Path,
    *,
    label: Callable[[str], str] = str,
    group: str = "category",
) -> None:
    """One bar a model (outer keys) for each category of `queries`, which says how many it has; a missing one is n/a.

    `label`: what stands for a category's name; `group`: what a category is called.
    """
    thickness = 0.8 / max(len(bars), 1)
    figure = new_figure(7.2, 1.6 + max(len(queries), 1) * (0.2 + 0.2 * len(bars)))
    axes = figure.add_subplot()
    places = np.arange(len(queries), dtype=float)
    for number, ((model, of_category), colour) in enumerate(zip(bars.items(), cycle(COLOURS), strict=False)):
        drawn = [of_category.get(category) for category in queries]
        means, lows, highs = np.array([bar or (0, 0, 0) for bar in drawn], dtype=float).reshape(-1, 3).T
        offsets = places + (number - (len(bars) - 1) / 2) * thickness
        ends = np.array([means - lows, highs - means]).clip(0)  # a mean may leave its interval by rounding
        lengths = axes.barh(
            offsets, means, thickness * 0.92, color=colour, label=model, xerr=ends, error_kw={"lw": 0.9, "alpha": 0.6}
        )
        axes.bar_label(lengths, ["n/a" if bar is None else f"{bar.mean:.3f}" for bar in drawn], padding=3, fontsize=8)
    shown = {name: label(name) for name in queries}
    set_rows(axes, places, [f"{_short(shown[name])} ({count})" for name, count in queries.items()])
    axes.set(title=f"{metric} by {group} (queries), with 95 % intervals", xlabel=metric)
    axes.margins(x=0.12, y=0.02)
    axes.invert_yaxis()
    if bars:
        figure.legend(frameon=False, loc="outside lower center", ncols=len(bars))
    tidy(axes, grid="x")
    write_figure(figure, path)


def _short(name: str) -> str:
    return name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…"
