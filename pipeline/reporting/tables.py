"""The closing table: baseline, control and adapted side by side, as Markdown."""

import math
from collections.abc import Mapping

from pipeline.constants import CMC_RANKS, MAP, MAP_TRAPEZOIDAL, cmc_key
from pipeline.reporting.markdown import markdown_table

METRICS = {MAP_TRAPEZOIDAL: "mAP (trapezoidal)", MAP: "mAP", **{cmc_key(k): f"CMC@{k}" for k in CMC_RANKS}}
GAINED = (MAP_TRAPEZOIDAL, cmc_key(1), cmc_key(10))  # an interval is wide: a few say enough
SCOPES = {"all": "Mean over all categories", "aligned": "Mean over the aligned categories"}
UNDEFINED = "n/a"

Summary = Mapping[str, Mapping[str, float]]  # scope -> metric key -> value
Gain = Mapping[str, Mapping[str, Mapping[str, float]]]  # scope -> metric key -> mean, low, high


def comparison_table(summaries: Mapping[str, Summary], gains: Mapping[str, Gain] | None = None) -> str:
    """Markdown: for all and for aligned categories a table with a row a model, and under it one of the gains.

    `summaries` maps a model to its summary, `gains` a pair such as "adapted - control" to the mean difference with the
    ends of its 95 % interval. A scope that no model has is left out; what is undefined reads n/a.
    """
    blocks = []
    for scope, title in SCOPES.items():
        rows = {model: summary[scope] for model, summary in summaries.items() if scope in summary}
        if rows:
            cells = [[model, *(_number(values.get(key)) for key in METRICS)] for model, values in rows.items()]
            blocks += [f"**{title}**", markdown_table([["model", *METRICS.values()], *cells])]
        changes = {pair: gain[scope] for pair, gain in (gains or {}).items() if scope in gain}
        if changes:
            cells = [[pair, *(_interval(gain.get(key)) for key in GAINED)] for pair, gain in changes.items()]
            blocks.append(markdown_table([["gain [95 % interval]", *(METRICS[key] for key in GAINED)], *cells]))
    return "\n\n".join(blocks) + "\n"


def _interval(gain: Mapping[str, float] | None) -> str:
    mean, low, high = (_number((gain or {}).get(end), "+") for end in ("mean", "low", "high"))
    return UNDEFINED if mean == UNDEFINED else f"{mean} [{low}, {high}]"


def _number(value: float | None, sign: str = "") -> str:
    return UNDEFINED if value is None or math.isnan(value) else f"{value:{sign}.4f}"
