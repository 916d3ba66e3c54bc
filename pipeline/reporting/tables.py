"""The closing table: the models of a run side by side, as Markdown."""

import math
from collections.abc import Mapping, Sequence

from pipeline.base.names import CMC_RANKS, MAP, MAP_AT_R, MAP_TRAPEZOIDAL, R_PRECISION, cmc_key
from pipeline.reporting.markdown import markdown_table

TITLES = {
    MAP_TRAPEZOIDAL: "mAP (trapezoidal)",
    MAP: "mAP",
    MAP_AT_R: "MAP@R",
    R_PRECISION: "R-precision",
    "mmp@5": "mMP@5",
    "nmi": "NMI",
    "f1": "F1",
    **{cmc_key(k): f"CMC@{k}" for k in CMC_RANKS},
}
UNDEFINED = "n/a"

Summary = Mapping[str, Mapping[str, float]]  # scope -> metric key -> value
Gain = Mapping[str, Mapping[str, Mapping[str, float]]]  # scope -> metric key -> mean, low, high


def title_of(metric: str) -> str:
    """What a metric is called in tables and figures."""
    return TITLES.get(metric, metric)


def comparison_table(
    summaries: Mapping[str, Summary],
    gains: Mapping[str, Gain],
    *,
    scopes: Mapping[str, str],
    metrics: Sequence[str],
    headline: Sequence[str],
) -> str:
    """Markdown: for each of `scopes` (with its title) a table with a row a model, and under it one of the gains.

    `summaries` maps a model to its summary, of which `metrics` are the columns; `gains` a pair such as
    "viewed - control" to the mean difference with the ends of its 95 % interval, of which the few of `headline` say
    enough. A scope that no model has is left out; what is undefined reads n/a.
    """
    blocks = []
    for scope, title in scopes.items():
        rows = {model: summary[scope] for model, summary in summaries.items() if scope in summary}
        if rows:
            cells = [[model, *(_number(values.get(key)) for key in metrics)] for model, values in rows.items()]
            blocks += [f"**{title}**", markdown_table([["model", *map(title_of, metrics)], *cells])]
        changes = {pair: gain[scope] for pair, gain in gains.items() if scope in gain}
        if changes:
            cells = [[pair, *(_interval(gain.get(key)) for key in headline)] for pair, gain in changes.items()]
            blocks.append(markdown_table([["gain [95 % interval]", *map(title_of, headline)], *cells]))
    return "\n\n".join(blocks) + "\n"


def group_table(summaries: Mapping[str, Mapping[str, Mapping]], metric: str, group: str) -> str:
    """Markdown: `metric` of each model, a row a group that has queries, with their number; `group`: what it is called.

    `summaries`: model -> its summary, whose "categories" are the groups.
    """
    of_models = {model: summary["categories"] for model, summary in summaries.items()}
    asked = {name: found["queries"] for name, found in next(iter(of_models.values())).items() if found["queries"]}
    cells = [
        [name, *(_number(found[name].get(metric)) for found in of_models.values()), str(queries)]
        for name, queries in asked.items()
    ]
    table = markdown_table([[group, *of_models, "queries"], *cells])
    return f"**{title_of(metric)} by {group}**\n\n{table}\n"


def _interval(gain: Mapping[str, float] | None) -> str:
    mean, low, high = (_number((gain or {}).get(end), "+") for end in ("mean", "low", "high"))
    return UNDEFINED if mean == UNDEFINED else f"{mean} [{low}, {high}]"


def _number(value: float | None, sign: str = "") -> str:
    return UNDEFINED if value is None or math.isnan(value) else f"{value:{sign}.4f}"
