"""The curves of a training run, as CSV for `dvc plots` and as PNG that needs no network."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import pandas as pd
from matplotlib.ticker import MaxNLocator

from pipeline.base.reports import write_csv
from pipeline.reporting.drawing import COLOURS, LINES, MARKERS, new_figure, tidy, write_figure


def write_curves(
    folder: Path,
    rows: Sequence[Mapping[str, float]],
    *,
    x: str,
    panels: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """`curves.csv` and `curves.png` of `rows` over their key `x`; by default a panel for every other key.

    Without rows the columns are `x` and those of `panels`.
    """
    table = pd.DataFrame(list(rows))
    if table.empty:
        table = pd.DataFrame(columns=[x, *(column for columns in (panels or {}).values() for column in columns)])
    panels = panels or {column: [column] for column in table.columns if column != x}
    write_csv(folder / "curves.csv", table)
    training_curves(table, folder / "curves.png", x=x, panels=panels)


def training_curves(table: pd.DataFrame, path: Path, *, x: str, panels: Mapping[str, Sequence[str]]) -> None:
    """Columns of `table` over its column `x`, a panel for every title in `panels`; rows with NaN are passed over."""
    figure = new_figure(5.6 * max(len(panels), 1), 4.0)
    for number, (title, columns) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        for column, colour, line, marker in zip(columns, cycle(COLOURS), cycle(LINES), cycle(MARKERS), strict=False):
            known = table[[x, column]].dropna()
            shown = marker if len(known) <= 40 else ""
            axes.plot(known[x], known[column], line, marker=shown, markersize=4, color=colour, label=column)
        axes.set(title=title, xlabel=x)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(columns) > 1:
            axes.legend(frameon=False)
        tidy(axes)
    write_figure(figure, path)
