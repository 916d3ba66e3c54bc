"""What all figures share. No pyplot, hence no global state; no dates, so the same values give the same bytes."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.base.atomic import replacing
from pipeline.reporting.fonts import font_for

DPI = 100
# Okabe and Ito's colours, which colour-blind readers tell apart, with line styles and markers as a second sign.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; sizes in inches."""
    figure = Figure((width, height), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    return figure


def tidy(axes: Axes, grid: str = "both") -> None:
    """A light grid along the axis `grid`, and no frame."""
    axes.grid(axis=grid, color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def set_rows(axes: Axes, places: Sequence[float], names: Sequence[str]) -> None:
    """Name the rows at these places of the y axis, each in a font that has its characters."""
    # matplotlib would read what lies between two dollars as mathematics.
    axes.set_yticks(places, [name.replace("$", r"\$") for name in names])
    for row, name in zip(axes.get_yticklabels(), names, strict=True):
        row.set_font(font_for(name))


def write_figure(figure: Figure, path: Path) -> None:
    """Write the figure as PNG, by rename."""
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})
