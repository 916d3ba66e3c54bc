"""A comparison of settings as a table in Markdown, and as JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.base.reports import DECIMALS
from pipeline.experiments.summary import MODELS, Estimate, SettingResult
from pipeline.reporting.markdown import markdown_table
from pipeline.reporting.tables import UNDEFINED, title_of

GAIN = "adapted - control"
NOTE = "Mean over seeds ± half the 95 % interval (Student's t)"
PAIRED = "; the difference is paired over seeds"


def settings_table(results: Sequence[SettingResult], *, metric: str, scope: str) -> str:
    """Markdown: a row a setting, in the given order; a column a model that some setting has, and the gain."""
    models = [model for model in MODELS if any(model in result.values for result in results)]
    gained = "control" in models and "adapted" in models
    head = ["setting", *models, *([f"{GAIN} [95 % interval]"] if gained else []), "seeds"]
    rows = [
        [
            result.setting,
            *(_plus_minus(result.estimate(model)) for model in models),
            *([_interval(result.gain())] if gained else []),
            str(len(result.seeds)),
        ]
        for result in results
    ]
    return f"**{measured(metric, scope)}**\n\n{markdown_table([head, *rows])}\n\n{NOTE}{PAIRED if gained else ''}.\n"


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
            **({GAIN: _ends(result.gain())} if "adapted" in result.values else {}),
        }
        for result in results
    }
    content = {"metric": metric, "scope": scope, "settings": settings, "failures": dict(failures)}
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)


def _ends(estimate: Estimate) -> dict[str, float | None]:
    return {name: _number(getattr(estimate, name)) for name in ("mean", "low", "high")}


def _number(value: float) -> float | None:
    return round(value, DECIMALS) + 0.0 if math.isfinite(value) else None


def _plus_minus(estimate: Estimate) -> str:
    if math.isnan(estimate.mean):
        return UNDEFINED
    half = UNDEFINED if math.isnan(estimate.half_width) else f"{estimate.half_width:.4f}"
    return f"{estimate.mean:.4f} ± {half}"


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.mean):
        return UNDEFINED
    ends = UNDEFINED if math.isnan(estimate.half_width) else f"[{estimate.low:+.4f}, {estimate.high:+.4f}]"
    return f"{estimate.mean:+.4f} {ends}"
