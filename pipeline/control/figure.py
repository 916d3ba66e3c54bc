"""What was tried on held-out items of the source, as a picture."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from pipeline.control.choose import Choice, Trial, name_of
from pipeline.reporting.drawing import COLOURS, new_figure, set_rows, tidy, write_figure

TITLES = ("the head", "the views of the catalogue")


def trials_figure(choice: Choice | None, path: Path) -> None:
    """Two panels: the gain of every head, and of every mix of views, over the default, with two standard errors.

    What was chosen stands out; what could not be had is left out. Empty where nothing was tried.
    """
    chosen = ("", "") if choice is None else (choice.setting.name, name_of(choice.mix))
    tried = ((), ()) if choice is None else (choice.heads, choice.mixes)
    panels = [[trial for trial in trials if trial.scores is not None] for trials in tried]
    heights = [max(len(panel), 1) for panel in panels]
    figure = new_figure(7.2, 1.6 + 0.2 * sum(heights))
    grid = figure.add_gridspec(2, 1, height_ratios=heights)
    for number, (panel, name, title) in enumerate(zip(panels, chosen, TITLES, strict=True)):
        _draw(figure.add_subplot(grid[number]), panel, name, title)
    write_figure(figure, path)


def _draw(axes: Axes, trials: Sequence[Trial], chosen: str, title: str) -> None:
    for place, trial in enumerate(trials):
        told = trial.report(trials[0])
        colour = COLOURS[1] if trial.name == chosen else COLOURS[0]
        error = 2 * told.get("error", 0.0)
        axes.errorbar(told.get("gain", 0.0), place, xerr=error, fmt="o", color=colour, markersize=4, capsize=2)
    set_rows(axes, range(len(trials)), [trial.name for trial in trials])
    axes.set_ylim(max(len(trials), 1) - 0.5, -0.5)
    axes.axvline(0, color="#999999", linewidth=0.8)
    mean = f" ({trials[0].mean:.4f})" if trials else ""
    axes.set_title(f"{title}: gain over the first{mean}", fontsize=9)
    axes.set_xlabel("gain in mAP on held-out items of the source, and two standard errors of it", fontsize=8)
    axes.tick_params(labelsize=7)
    tidy(axes, grid="x")
