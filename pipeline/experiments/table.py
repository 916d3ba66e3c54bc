"""A comparison of settings as a table in Markdown, and as JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.base.names import COMPARED, GAINS, ModelName
from pipeline.base.reports import DECIMALS
from pipeline.evaluation.evaluate import pair
from pipeline.experiments.summary import Drawn, Estimate, SettingResult
from pipeline.reporting.markdown import markdown_table
from pipeline.reporting.tables import UNDEFINED, title_of

DRAWN = "Mean over seeds [95 % interval: a bootstrap draws {}]; an item is drawn with all of its queries"
STUDENT = "Mean over seeds [95 % interval: Student's t over seeds, since single queries have no {}]"


def settings_table(results: Sequence[SettingResult], *, metric: str, scope: str) -> str:
    """Markdown: a row a setting, in the given order; a column a model that some setting has, and one a gain.

    Gains are those of `GAINS`, but not over the baseline.
    """
    models = [str(model) for model in COMPARED if any(model in result.values for result in results)]
    gained = [both for both in GAINS if both[1] != ModelName.BASELINE and set(both) <= set(models)]
    head = ["setting", *models, *(f"{pair(*both)} [95 % interval]" for both in gained), "seeds"]
    rows = [
        [
            result.setting,
            *(_interval(result.estimate(model)) for model in models),
            *(_interval(result.gain(*both), "+") for both in gained),
            str(len(result.seeds)),
        ]
        for result in results
    ]
    note = _note(results, metric, paired=bool(gained))
    return f"**{measured(metric, scope)}**\n\n{markdown_table([head, *rows])}\n\n{note}.\n"


def measured(metric: str, scope: str) -> str:
    """What is compared, as a title: what the protocol averages over, or the aligned categories alone."""
    return title_of(metric) if scope == "all" else f"{title_of(metric)}, {scope} categories"


def settings_json(
    results: Sequence[SettingResult],
    changes: Mapping[str, Mapping[str, Any]],
    failures: Mapping[str, str],
    *,
    metric: str,
    scope: str,
) -> str:
    """JSON: of each setting its params (`changes`, in full precision), means with intervals, and all single values.

    What is undefined is null. `failures`: name of a run -> why it failed.
    """
    settings = {
        result.setting: {
            "params": changes[result.setting],
            **{
                model: {**_ends(result.estimate(model)), "seeds": {str(seed): _number(v) for seed, v in found.items()}}
                for model, found in result.values.items()
            },
            **{pair(*both): _ends(result.gain(*both)) for both in GAINS if set(both) <= set(result.values)},
        }
        for result in results
    }
    content = {"metric": metric, "scope": scope, "settings": settings, "failures": dict(failures)}
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)


def _ends(estimate: Estimate) -> dict[str, float | None]:
    return {name: _number(getattr(estimate, name)) for name in ("mean", "low", "high")}


def _number(value: float) -> float | None:
    return round(value, DECIMALS) + 0.0 if math.isfinite(value) else None


def _interval(estimate: Estimate, sign: str = "") -> str:
    if math.isnan(estimate.mean):
        return UNDEFINED
    undefined = math.isnan(estimate.low)
    ends = UNDEFINED if undefined else f"[{estimate.low:{sign}.4f}, {estimate.high:{sign}.4f}]"
    return f"{estimate.mean:{sign}.4f} {ends}"


def _note(results: Sequence[SettingResult], metric: str, *, paired: bool) -> str:
    drawn = dict.fromkeys(result.drawn for result in results if result.drawn is not Drawn.NOTHING)
    what = DRAWN.format(", or ".join(drawn)) if drawn else STUDENT.format(title_of(metric))
    return f"{what}; differences are paired by {'query' if drawn else 'seed'}" if paired else what
