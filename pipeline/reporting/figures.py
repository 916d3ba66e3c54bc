"""Figures of an evaluation."""

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

import numpy as np

from pipeline.base.names import CMC_RANKS
from pipeline.reporting.drawing import COLOURS, LINES, new_figure, tidy, write_figure

LABEL_LENGTH = 32  # characters of a category's name


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


def category_bars(values: Mapping[str, Mapping[str, float]], metric: str, path: Path) -> None:
    """One bar a model (outer keys) for every category (inner keys); NaN or a missing category is marked n/a."""
    categories = list(dict.fromkeys(category for scores in values.values() for category in scores))
    thickness = 0.8 / max(len(values), 1)
    figure = new_figure(7.2, 1.6 + max(len(categories), 1) * (0.2 + 0.2 * len(values)))
    axes = figure.add_subplot()
    places = np.arange(len(categories), dtype=float)
    for number, ((model, scores), colour) in enumerate(zip(values.items(), cycle(COLOURS), strict=False)):
        lengths = np.array([scores.get(category, np.nan) for category in categories], dtype=float)
        offsets = places + (number - (len(values) - 1) / 2) * thickness
        bars = axes.barh(offsets, np.nan_to_num(lengths), thickness * 0.92, color=colour, label=model)
        axes.bar_label(
            bars, ["n/a" if np.isnan(length) else f"{length:.3f}" for length in lengths], padding=3, fontsize=8
        )
    axes.set_yticks(places, [_label(category) for category in categories])
    axes.set(title=f"{metric} by category", xlabel=metric)
    axes.margins(x=0.12, y=0.02)
    axes.invert_yaxis()
    if values:
        figure.legend(frameon=False, loc="outside lower center", ncols=len(values))
    tidy(axes, grid="x")
    write_figure(figure, path)


def _label(name: str) -> str:
    short = name if len(name) <= LABEL_LENGTH else name[: LABEL_LENGTH - 1] + "…"
    return short.replace("$", r"\$")  # matplotlib would read what lies between two of them as mathematics
