"""The folder of a model: `model.safetensors` and `model.json`, with stable bytes.

A whole model is written by `pipeline.models.embedder`. A folder may also hold a head alone: tensors `head.weight`
(D, P) and `head.bias` (D,), settings `embedding_dim` and `norm_features`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from pipeline.base.atomic import write_bytes
from pipeline.base.errors import UserError

WEIGHTS, CONFIG = "model.safetensors", "model.json"
RETRAIN = "run `dvc repro -f finetune`"


def write_model(folder: Path, weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> None:
    """Write both files into `folder` (safetensors without metadata: stable bytes)."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_bytes(folder / WEIGHTS, save_tensors(tensors))
    write_bytes(folder / CONFIG, (json.dumps(settings, indent=2) + "\n").encode())


def read_model(folder: Path, mend: str = RETRAIN) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Settings and tensors in `folder`. Raises UserError ending in `mend` when they are missing or damaged."""
    try:
        settings = json.loads((folder / CONFIG).read_text())
        if not isinstance(settings, dict):
            raise ValueError(f"{CONFIG} holds no mapping")
        return settings, load_tensors((folder / WEIGHTS).read_bytes())
    except (OSError, ValueError, SafetensorError) as error:
        raise damaged_model(folder, error, mend) from error


def write_head(folder: Path, weight: Tensor, bias: Tensor, *, norm_features: bool) -> None:
    """Write a head alone: weight (D, P), bias (D,) float32."""
    settings = {"embedding_dim": len(bias), "norm_features": norm_features}
    write_model(folder, {"head.weight": weight, "head.bias": bias}, settings)


def load_head_weights(folder: Path, mend: str = RETRAIN) -> tuple[Tensor, Tensor, bool]:
    """Weight (D, P) and bias (D,) of the head of the model in `folder`, and its `norm_features`; builds no backbone.

    A layer norm behind the head subtracts the mean of its output and scales it. The one is done by the weights that
    are returned, the other the final L2 undoes: they give the model's embeddings without a layer norm.

    Raises UserError ending in `mend` when the model is missing or damaged.
    """
    settings, weights = read_model(folder, mend)
    try:
        weight, bias, norm_features = weights["head.weight"], weights["head.bias"], bool(settings["norm_features"])
    except KeyError as error:
        raise damaged_model(folder, error, mend) from error
    if (problem := head_problem(weight, bias)) is not None:
        raise damaged_model(folder, ValueError(problem), mend)
    weight, bias = weight.float(), bias.float()
    if str(settings.get("output", "none")).endswith("layernorm"):
        weight, bias = weight - weight.mean(dim=0), bias - bias.mean()
    return weight, bias, norm_features


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
