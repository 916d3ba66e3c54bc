"""The metric of a comparison in each category, attribute or set: means over seeds."""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from pipeline.base.names import COMPARED
from pipeline.reporting.tables import group_table

Groups = Mapping[str, Mapping[str, Mapping[str, Any]]]  # model -> group -> figures: categories.json


def groups_table(settings: Iterable[str], groups: Mapping[tuple[str, int], Groups], metric: str) -> str:
    """Markdown: a row a group that some run has queries in, their number in one run; a column a setting and model.

    Means are over the seeds that have the metric there; `groups`: (setting, seed) -> content of categories.json.
    """
    queries: dict[str, int] = {}
    for found in (found for run in groups.values() for found in run.values()):
        for group, figures in found.items():
            queries[group] = max(queries.get(group, 0), figures["queries"])
    summaries = {}
    for setting in settings:
        runs = [run for (name, _), run in groups.items() if name == setting]
        for model in COMPARED:
            if found := [run[model] for run in runs if model in run]:
                means = {group: {metric: _mean(found, group, metric), "queries": queries[group]} for group in queries}
                summaries[f"{setting} {model}"] = {"categories": means}
    return f"{group_table(summaries, metric, 'category')}\nMean over seeds.\n"


def _mean(runs: Iterable[Mapping[str, Mapping[str, Any]]], group: str, metric: str) -> float | None:
    values = [figures[metric] for run in runs if (figures := run.get(group, {})).get(metric) is not None]
    return fmean(values) if values else None
