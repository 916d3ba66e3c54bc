"""The folder of a model: `model.safetensors` and `model.json`, with stable bytes.

`model.json` holds `kind`, which says what is in it and how it is built again, and `settings`, which that kind reads.
Kind `head` is a head alone: tensors `head.weight` (D, P) and `head.bias` (D,), or (2, D): one a domain. A whole model
has them too.
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
from pipeline.views.mix import Mix

WEIGHTS, CONFIG, NAMES = "model.safetensors", "model.json", "heads.json"
RETRAIN, READAPT = "run `dvc repro -f finetune`", "run `dvc repro adapt`"


class Adapted(NamedTuple):
    """A head, and the mix of views by which it indexes catalogue pictures; None: as it embeds them."""

    head: Head
    mix: Mix | None = None


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


def save_head(folder: Path, head: Head, mix: Mix | None = None) -> None:
    """Write a head alone, with the mix that it indexes by, if any."""
    settings = head.settings if mix is None else head.settings | {"views": mix.settings}
    write_model(folder, Head.kind, settings, {f"head.{name}": value for name, value in head.state_dict().items()})


def load_head(folder: Path, mend: str = RETRAIN) -> Head:
    """The head of the model in `folder`, whatever its kind; builds no backbone.

    Raises UserError ending in `mend` when the model is missing or damaged.
    """
    return load_adapted(folder, mend).head


def load_adapted(folder: Path, mend: str = RETRAIN) -> Adapted:
    """As `load_head`, with the mix that it indexes by, if any."""
    _, settings, weights = read_model(folder, mend)
    try:
        mix = Mix(**settings["views"]) if "views" in settings else None
        weight, bias, norm_features = weights["head.weight"], weights["head.bias"], bool(settings["norm_features"])
    except (KeyError, TypeError) as error:
        raise damaged_model(folder, error, mend) from error
    if (problem := head_problem(weight, bias)) is not None:
        raise damaged_model(folder, ValueError(problem), mend)
    options = {"output": str(settings.get("output", "none")), "root": bool(settings.get("root", False))}
    return Adapted(Head.of(weight, bias, norm_features=norm_features, **options), mix)


def save_heads(folder: Path, adapted: Mapping[str, Adapted]) -> None:
    """Write the heads, a folder each, and the list of their names; none, where there was nothing to adapt."""
    for name, (head, mix) in adapted.items():
        save_head(folder / name, head, mix)
    write_json(folder / NAMES, {"heads": list(adapted)})


def load_heads(folder: Path) -> dict[str, Adapted]:
    """The heads that `save_heads` wrote, by name. Raises UserError when one is missing or damaged."""
    try:
        with opening(folder / NAMES):
            names = json.loads((folder / NAMES).read_text())["heads"]
        return {name: load_adapted(folder / name, READAPT) for name in names}
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
    if weight.ndim != 2 or bias.shape not in (weight.shape[:1], (2, len(weight))):
        return f"weight {tuple(weight.shape)} and bias {tuple(bias.shape)} do not make a linear layer"
    if not (weight.is_floating_point() and bias.is_floating_point()):
        return f"a head of {weight.dtype} and {bias.dtype} instead of floating-point numbers"
    if not (weight.isfinite().all() and bias.isfinite().all()):
        return "its head is not finite"
    return None


def damaged_model(folder: Path, error: Exception, mend: str = RETRAIN) -> UserError:
    """What to raise about `folder`."""
    return UserError(f"{folder}: not a model of this project ({str(error).splitlines()[0]}); {mend}")
