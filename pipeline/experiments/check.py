"""All of params.yaml, as the stages will read it."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.base.errors import UserError
from pipeline.base.params import load_params, read_section, read_seed
from pipeline.base.runtime import RuntimeParams
from pipeline.datasets._shared.face import load_dataset
from pipeline.evaluation.protocols import check_metrics, check_protocol
from pipeline.experiments.changes import MAIN, Params
from pipeline.models.backbones import check_name
from pipeline.models.weights import is_local, read_weights
from pipeline.table.alignment import check_listed_once
from pipeline.training.context import check_recipe
from pipeline.weighting.strategy import load_strategy

SECTIONS = {
    "data": "DataParams",
    "prepare": "PrepareParams",
    "finetune": "FinetuneParams",
    "extract": "ExtractParams",
    "views": "ViewsParams",
    "cluster": "ClusterParams",
    "weight": "WeightParams",
    "adapt": "AdaptParams",
    "index": "IndexParams",
    "evaluate": "EvaluateParams",
}
FURTHER = ("seed", "recipes", "runtime")


def check_params(params: dict[str, Any], read: Callable[[Path], dict[str, Any]] = load_params) -> None:
    """Raise UserError for an unknown section, and for the first one that its stage would refuse.

    `params` is the content of params.yaml; `read` gives that of the file of a set in `data.sets`.
    """
    known = [*FURTHER, *SECTIONS]
    for name in params:
        if name not in known:
            hint = "".join(f"; did you mean {close!r}?" for close in get_close_matches(name, known, n=1))
            raise UserError(f"{name}: unknown section; known: {', '.join(known)}{hint}")
    sections = {
        name: read_section(params, name, getattr(import_module(f"pipeline.params.{name}"), model))
        for name, model in SECTIONS.items()
    }
    read_section(params, "runtime", RuntimeParams)
    check_listed_once(sections["data"].alignment)
    read_seed(params)
    for name in sections["data"].sets:
        load_dataset(name, read)
    model = sections["finetune"].model
    check_name(model.backbone)
    if is_local(model.weights):
        _check_weights(model.weights, model.backbone)
    check_recipe(params, sections["finetune"])
    load_strategy(sections["weight"].strategy)
    check_protocol(sections["evaluate"].protocol)
    check_metrics(sections["evaluate"].metrics)
    sections["adapt"].views.check(sections["views"].drawn)


@cache
def _check_weights(weights: str, backbone: str) -> None:
    """Raise UserError for weights that cannot be read; those of many settings are read once."""
    read_weights(weights, backbone)


def check_changes(settings: Mapping[str, Params]) -> None:
    """Check all params of every one of `settings` (name -> params). Raises UserError that names the setting."""
    for name, params in settings.items():
        try:
            check_params(params[MAIN], lambda file, params=params: params[file.as_posix()])
        except UserError as error:
            raise UserError(f"settings.{name}: {error}") from None
