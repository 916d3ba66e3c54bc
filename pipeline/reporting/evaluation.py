"""The files of an evaluation: figures, their table, plots, and a sheet for each example."""

from pathlib import Path
from typing import Any

from pipeline.base.atomic import replacing
from pipeline.base.reports import write_json, write_text
from pipeline.evaluation.evaluate import ADAPTED, ALIGNED, ALL, BASELINE, Evaluation
from pipeline.reporting.figures import category_bars, cmc_figure
from pipeline.reporting.sheets import write_sheets
from pipeline.reporting.tables import comparison_table, title_of

SHEETS = (BASELINE, ADAPTED)  # whose results are drawn, one row each
CURVE = 50  # ranks of the CMC curves
COUNTS = ("queries", "dropped", "categories", "empty_categories")


def write_evaluation(folder: Path, evaluation: Evaluation, raw: Path) -> str:
    """Write all files into `folder`, and return the summary of them: counts and the table.

    evaluate.json (means), categories.json (each group), gains.json (95 % intervals), evaluate.md (the table), plots/:
    cmc.png, categories.png and gallery/, the sheets of the examples, whose pictures lie below `raw`.
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
    counts = {key: summaries[BASELINE][ALL][key] for key in COUNTS}
    figures = {name: {scope: _figures(mean) for scope, mean in scoped.items()} for name, scoped in means.items()}
    write_json(folder / "evaluate.json", {**counts, **figures})
    write_json(folder / "gains.json", evaluation.gains)
    write_json(folder / "categories.json", {name: summary["categories"] for name, summary in summaries.items()})
    write_text(folder / "evaluate.md", text)
    return f"{counts['queries']} queries, {counts['dropped']} dropped\n\n{text}"


def _draw(folder: Path, evaluation: Evaluation, summaries: dict[str, dict[str, Any]], raw: Path) -> None:
    folder.mkdir()
    length = min(CURVE, max(1, len(evaluation.gallery)))
    curves = {name: result.cmc_curve(length) for name, result in evaluation.results.items()}
    cmc_figure(curves, folder / "cmc.png")
    first = evaluation.protocol.headline[0]
    bars = {
        name: {group: figures[first] for group, figures in summary["categories"].items()}
        for name, summary in summaries.items()
    }
    category_bars(bars, title_of(first), folder / "categories.png")
    write_sheets(
        folder / "gallery",
        queries=evaluation.queries,
        gallery=evaluation.gallery,
        raw=raw,
        chosen=evaluation.examples,
        ranked={name: evaluation.nearest[name] for name in SHEETS if name in evaluation.nearest},
        results=evaluation.results,
    )


def _figures(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if isinstance(value, float) or value is None}
