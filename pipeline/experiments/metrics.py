"""Which metrics a comparison can be of."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pipeline.base.errors import UserError
from pipeline.evaluation.protocols import AUTO, PROTOCOLS


def metric_names(protocol: str, scope: str, further: Iterable[str] = ()) -> list[str]:
    """Those that evaluate.json may have in `scope` under a protocol, and `further` ones; auto: under any protocol."""
    found: dict[str, None] = dict.fromkeys(further)
    for chosen in PROTOCOLS.values() if protocol == AUTO else [PROTOCOLS[protocol]]:
        # Figures of all pictures together are not of single categories, nor of the aligned ones.
        found |= dict.fromkeys([*chosen.metrics, *(chosen.whole_names if scope == "all" else ())])
    return list(found)


def check_metric(metric: str, scope: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise UserError unless every one of `settings` (name -> params, which are valid) may have the metric."""
    for setting, params in settings.items():
        protocol = params["evaluate"]["protocol"]
        known = metric_names(protocol, scope, params["evaluate"]["metrics"])
        if metric not in known:
            close = get_close_matches(metric, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            raise UserError(
                f"metric: settings.{setting} has no {metric!r} (scope {scope}, evaluate.protocol {protocol}); {hint}"
            )
