"""The files of an evaluation: figures, their table, plots, and a sheet for each example."""

from pathlib import Path
from typing import Any

from pipeline.base.atomic import replacing
from pipeline.base.names import GAINS, ModelName
from pipeline.base.reports import write_json, write_text
from pipeline.evaluation.evaluate import ALIGNED, ALL, Evaluation, pair
from pipeline.reporting.figures import Bar, category_bars, cmc_figure
from pipeline.reporting.fonts import Labels
from pipeline.reporting.sheets import write_sheets
from pipeline.reporting.tables import comparison_table, group_table, title_of

CURVE = 50  # ranks of the CMC curves
LEGEND_FILE = "legend.txt"  # of names that no font can draw
COUNTS = ("queries", "dropped", "categories", "empty_categories")


Figures = dict[str, dict[str, Any]]


def write_evaluation(folder: Path, evaluation: Evaluation, raw: Path) -> str:
    """Write all files into `folder`, and return the summary of them: counts and the table.

    headline.json (the few to compare runs by), evaluate.json (means), categories.json (each group), gains.json (95 %
    intervals), evaluate.md (the table), plots/: cmc.png, categories.png and gallery/, the sheets of the examples,
    whose pictures lie below `raw`; legend.txt where names had to be numbered.
    Raises UserError when one of these cannot be read.
    """
    summaries = evaluation.summaries()
    with replacing(folder / "plots") as aside:
        _draw(aside, evaluation, summaries, raw)
    means = {name: {scope: summary[scope] for scope in evaluation.scopes} for name, summary in summaries.items()}
    titles = {ALL: evaluation.protocol.scope, ALIGNED: "Mean over the aligned categories"}
    text = comparison_table(
        means,
        evaluation.gains,
        scopes=titles,
        metrics=evaluation.protocol.shown,
        headline=evaluation.protocol.headline,
    )
    counts = {key: summaries[ModelName.BASELINE][ALL][key] for key in COUNTS}
    said = f"{counts['queries']} queries, {counts['dropped']} dropped"
    if evaluation.protocol.by_query:
        text += "\n" + group_table(summaries, evaluation.protocol.headline[0], evaluation.protocol.group)
        counts["unanswered"] = evaluation.results[ModelName.BASELINE].unanswered
        said = f"{counts['queries']} queries, {counts['unanswered']} of which have nothing to find and count 0"
    figures = {name: {scope: _figures(mean) for scope, mean in scoped.items()} for name, scoped in means.items()}
    write_json(folder / "headline.json", _headline(figures, evaluation))
    told = {"scope": evaluation.protocol.scope, "group": evaluation.protocol.group}
    write_json(folder / "evaluate.json", {**told, **counts, **figures})
    write_json(folder / "gains.json", evaluation.gains)
    by_group = {name: summary["categories"] | summary["told_by"] for name, summary in summaries.items()}
    write_json(folder / "categories.json", by_group)
    write_text(folder / "evaluate.md", text)
    if (legend := folder / "plots" / LEGEND_FILE).exists():
        said += f"; names that no installed font can draw are numbered in the pictures, see {legend}"
    return f"{said}\n\n{text}"


def _draw(folder: Path, evaluation: Evaluation, summaries: dict[str, dict[str, Any]], raw: Path) -> None:
    folder.mkdir()
    length = min(CURVE, max(1, len(evaluation.gallery)))
    curves = {name: result.cmc_curve(length) for name, result in evaluation.results.items()}
    cmc_figure(curves, folder / "cmc.png")
    first = evaluation.protocol.headline[0]
    groups = {name: summary["categories"] for name, summary in summaries.items()}
    bars = {
        name: {group: Bar(groups[name][group][first], *ends) for group, ends in intervals.items()}
        for name, intervals in evaluation.intervals.items()
    }
    queries = {group: figures["queries"] for group, figures in groups[ModelName.BASELINE].items()}
    label = Labels()
    group = evaluation.protocol.group
    category_bars(bars, queries, title_of(first), folder / "categories.png", label=label, group=group)
    for what, chosen in evaluation.examples.items():
        write_sheets(
            folder / "gallery",
            what,
            queries=evaluation.queries,
            gallery=evaluation.gallery,
            raw=raw,
            chosen=chosen,
            ranked=evaluation.nearest[what],
            results=evaluation.results,
            label=label,
        )
    if label.legend():
        write_text(folder / LEGEND_FILE, label.legend())


def _headline(figures: Figures, evaluation: Evaluation) -> dict[str, Any]:
    """Headline metrics of all queries, of the baseline and the last model; "gain": of that over the first in `GAINS`.

    Few, since each is a column of `dvc exp show`.
    """
    keys = evaluation.protocol.headline
    last = [name for name in ModelName if name in figures][-1]
    headline = {str(name): {key: figures[name][ALL][key] for key in keys} for name in (ModelName.BASELINE, last)}
    before = next((before for after, before in GAINS if after == last and before in figures), "")
    gain = evaluation.gains.get(pair(last, before), {}).get(ALL, {}).get(keys[0])
    return headline | ({"gain": gain["mean"]} if gain else {})


def _figures(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if isinstance(value, float) or value is None}
