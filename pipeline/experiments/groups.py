"""The metric of a comparison in each category, attribute or set: means over seeds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from pipeline.base.names import COMPARED
from pipeline.reporting.tables import group_table

GroupFigures = Mapping[str, Mapping[str, Mapping[str, Any]]]  # model -> group -> figures: categories.json


@dataclass(frozen=True)
class Groups:
    """`kind`: what a group is called; of_runs: (setting, seed) -> content of categories.json."""

    kind: str
    of_runs: Mapping[tuple[str, int], GroupFigures]


def groups_table(settings: Iterable[str], groups: Groups, metric: str) -> str:
    """Markdown: a row a group that some run has queries in, their number in one run; a column a setting and model.

    Means are over the seeds that have the metric there.
    """
    queries: dict[str, int] = {}
    for found in (found for run in groups.of_runs.values() for found in run.values()):
        for name, figures in found.items():
            queries[name] = max(queries.get(name, 0), figures["queries"])
    summaries = {}
    for setting in settings:
        runs = [run for (name, _), run in groups.of_runs.items() if name == setting]
        for model in COMPARED:
            if found := [run[model] for run in runs if model in run]:
                means = {each: {metric: _mean(found, each, metric), "queries": queries[each]} for each in queries}
                summaries[f"{setting} {model}"] = {"categories": means}
    return f"{group_table(summaries, metric, groups.kind)}\nMean over seeds.\n"


def _mean(runs: Iterable[Mapping[str, Mapping[str, Any]]], group: str, metric: str) -> float | None:
    values = [figures[metric] for run in runs if (figures := run.get(group, {})).get(metric) is not None]
    return fmean(values) if values else None
