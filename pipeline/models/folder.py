"""The folder of a model: `model.safetensors` and `model.json`, with stable bytes.

`model.json` holds `kind`, which says what is in it and how it is built again, and `settings`, which that kind reads.
Kind `head` is a head alone: tensors `head.weight` (D, P) and `head.bias` (D,). A whole model has them too.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from pipeline.base.atomic import write_bytes
from pipeline.base.errors import UserError
from pipeline.base.opening import opening
from pipeline.base.reports import write_json
from pipeline.models.head import Head

WEIGHTS, CONFIG, NAMES = "model.safetensors", "model.json", "heads.json"
RETRAIN, READAPT = "run `dvc repro -f finetune`", "run `dvc repro adapt`"


class Stored(NamedTuple):
    """The content of a folder; see the module's docstring."""

    kind: str
    settings: dict[str, Any]
    weights: dict[str, Tensor]


def write_model(folder: Path, kind: str, settings: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Write both files into `folder` (safetensors without metadata: stable bytes)."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_bytes(folder / WEIGHTS, save_tensors(tensors))
    write_bytes(folder / CONFIG, (json.dumps({"kind": kind, "settings": settings}, indent=2) + "\n").encode())


def read_model(folder: Path, mend: str = RETRAIN) -> Stored:
    """What is in `folder`. Raises UserError, ending in `mend` when it is missing or damaged."""
    try:
        with opening(folder):
            text, content = (folder / CONFIG).read_text(), (folder / WEIGHTS).read_bytes()
        config = json.loads(text)
        if not (isinstance(config, dict) and isinstance(config.get("settings"), dict) and "kind" in config):
            raise ValueError(f"{CONFIG} has no kind and settings")
        return Stored(str(config["kind"]), config["settings"], load_tensors(content))
    except (OSError, ValueError, SafetensorError) as error:
        raise damaged_model(folder, error, mend) from error


def save_head(folder: Path, head: Head) -> None:
    """Write a head alone."""
    write_model(folder, Head.kind, head.settings, {f"head.{name}": value for name, value in head.state_dict().items()})


def load_head(folder: Path, mend: str = RETRAIN) -> Head:
    """The head of the model in `folder`, whatever its kind; builds no backbone.

    Raises UserError ending in `mend` when the model is missing or damaged.
    """
    _, settings, weights = read_model(folder, mend)
    try:
        weight, bias, norm_features = weights["head.weight"], weights["head.bias"], bool(settings["norm_features"])
    except KeyError as error:
        raise damaged_model(folder, error, mend) from error
    if (problem := head_problem(weight, bias)) is not None:
        raise damaged_model(folder, ValueError(problem), mend)
    return Head.of(weight, bias, norm_features=norm_features, output=str(settings.get("output", "none")))


def save_heads(folder: Path, heads: Mapping[str, Head]) -> None:
    """Write the heads, a folder each, and the list of their names; none, where there was nothing to adapt."""
    for name, head in heads.items():
        save_head(folder / name, head)
    write_json(folder / NAMES, {"heads": list(heads)})


def load_heads(folder: Path) -> dict[str, Head]:
    """The heads that `save_heads` wrote, by name. Raises UserError when one is missing or damaged."""
    try:
        with opening(folder / NAMES):
            names = json.loads((folder / NAMES).read_text())["heads"]
        return {name: load_head(folder / name, READAPT) for name in names}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / NAMES}: not a list of heads ({error}); {READAPT}") from error


def check_width(head: Head, width: int, path: Path) -> None:
    """Raise UserError unless `head`, from `path`, takes pooled features of `width` values."""
    if head.shape[1] != width:
        raise UserError(
            f"{path}: a head for pooled features of width {head.shape[1]}, where the features have {width}; "
            "run `dvc repro` so that both come from one model"
        )


def head_problem(weight: Tensor, bias: Tensor) -> str | None:
    """Why the two do not make a linear layer, if they do not."""
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        return f"weight {tuple(weight.shape)} and bias {tuple(bias.shape)} do not make a linear layer"
    if not (weight.is_floating_point() and bias.is_floating_point()):
        return f"a head of {weight.dtype} and {bias.dtype} instead of floating-point numbers"
    if not (weight.isfinite().all() and bias.isfinite().all()):
        return "its head is not finite"
    return None


def damaged_model(folder: Path, error: Exception, mend: str = RETRAIN) -> UserError:
    """What to raise about `folder`."""
    return UserError(f"{folder}: not a model of this project ({str(error).splitlines()[0]}); {mend}")
