"""What a comparison leaves: its table, its figures and its picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.base.reports import write_text
from pipeline.evaluation.by_query import QueryFigures
from pipeline.experiments.figure import settings_figure
from pipeline.experiments.groups import Groups, groups_table
from pipeline.experiments.plan import Comparison
from pipeline.experiments.summary import summarize
from pipeline.experiments.table import settings_json, settings_table
from pipeline.reporting.fonts import Labels


def write_report(
    out: Path,
    comparison: Comparison,
    changes: Mapping[str, Mapping[str, Any]],
    values: Mapping[tuple[str, int], Mapping[str, float]],
    *,
    queries: Mapping[tuple[str, int], QueryFigures] | None,
    groups: Groups | None,
    failures: Mapping[str, str],
) -> str:
    """Write `out`.md, .json and .png, and .txt if names had to be numbered in the picture; returns the table.

    `changes`: setting -> full name of a param -> value; `values`: (setting, seed) -> model -> value, of the runs that
    have a result; `queries`: the same query by query, None where single queries have no such metric; `groups`: the same
    group by group, for a second table; `failures`: name of a run -> why it failed.
    """
    results = summarize(comparison.settings, values, queries)
    title = {"metric": comparison.metric, "scope": comparison.scope}
    table = settings_table(results, **title)
    if groups is not None:
        table += f"\n{groups_table([result.setting for result in results], groups, comparison.metric)}"
    write_text(out.with_suffix(".json"), settings_json(results, changes, failures, **title))
    label = Labels()
    settings_figure(results, out.with_suffix(".png"), **title, label=label)
    if label.legend():
        write_text(out.with_suffix(".txt"), label.legend())
    write_text(out.with_suffix(".md"), table)
    return table
