"""Checkpoints of deep-image-retrieval (dirtorch, `.pt`) and of UDMA (`.t7`) as models of this project.

Both are files of torch.save that hold `state_dict` (or `model`, or the weights alone), keys with the prefix "module."
of a model on several GPUs: a torchvision ResNet without its classifier, `adpool.p` (the exponent of GeM), `fc.weight`
and `fc.bias` (the head).
dirtorch adds `model_options`; UDMA has none and uses the defaults. A state of `fc` alone is an adaptation layer.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict
from torch import Tensor

from pipeline.base.atomic import replacing
from pipeline.base.errors import UserError
from pipeline.base.params import Section, parse_section
from pipeline.convert.state import Converted, check_values, compare
from pipeline.models.embedder import build_embedder
from pipeline.models.folder import head_problem, save_head
from pipeline.models.head import Head
from pipeline.models.inputs import IMAGENET_MEAN, IMAGENET_STD
from pipeline.models.kinds import save_embedder
from pipeline.params.finetune import ModelParams

SUFFIX = "_rmac"  # of dirtorch's names of architectures
HEAD = {"fc.weight": "head.weight", "fc.bias": "head.bias"}
POOLING = {"adpool.p": "pooling.p"}
# The trunk is the chain of a torchvision ResNet's children; ReLU and max pooling, 2 and 3, have no weights.
TRUNK = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
IMAGE_SIZE = 224  # pixels; the published test transform resizes to it
MEND = "is model_options.arch that of the weights?"


class ModelOptions(Section):
    """The constructor arguments that are understood; further ones are ignored, and told."""

    model_config = ConfigDict(extra="ignore", strict=False)

    arch: str = f"resnet101{SUFFIX}"
    out_dim: int = 2048
    norm_features: bool = False
    pooling: str = "gem"
    gemp: float = 3.0
    center_bias: float = 0.0
    without_fc: bool = False


def convert(checkpoint: Mapping[str, Any], weights: Mapping[str, Tensor], path: Path, out: Path) -> Converted:
    """Write the `weights` of the loaded `checkpoint` to the new folder `out`; `path` names it in errors.

    Raises UserError when it has options without a counterpart, or weights that are missing, unexpected or of a wrong
    shape.
    """
    if set(weights) == set(HEAD):
        weight, bias = weights["fc.weight"], weights["fc.bias"]
        if (problem := head_problem(weight, bias)) is not None:
            raise UserError(f"{path}: {problem}; get the checkpoint again")
        with replacing(out) as folder:
            save_head(folder, Head.of(weight, bias, norm_features=False))
        return Converted("a head of {1} to {0}, without a backbone".format(*weight.shape), [])
    given = checkpoint.get("model_options") or {}
    options = parse_section(given, f"{path}: model_options", ModelOptions)
    params = _model_params(options, weights, path)
    state = _renamed(weights)
    if params.pooling == "gem":
        state.setdefault("pooling.p", torch.tensor([options.gemp]))
    model = build_embedder(params)
    expected = model.state_dict()
    # Written before torch counted batches; the counts have no part in features.
    state |= {name: expected[name] for name in expected if name.endswith("num_batches_tracked") and name not in state}
    compare(state, expected, path, MEND, told=_theirs)
    check_values(state, path, told=_theirs)
    ignored = _ignored(checkpoint, given)
    with replacing(out) as folder:
        save_embedder(folder, model, {name: state[name].to(expected[name].dtype) for name in expected})
    exponent = f", exponent {state['pooling.p'].item():.4f}" if params.pooling == "gem" else ""
    what = f"{params.backbone}, pooling {params.pooling}{exponent}, embeddings of width {params.embedding_dim}"
    return Converted(f"{what}, norm_features {str(params.norm_features).lower()}", ignored)


def _model_params(options: ModelOptions, weights: Mapping[str, Tensor], path: Path) -> ModelParams:
    if not options.arch.endswith(SUFFIX) or not options.arch.startswith("resne"):
        known = f"a ResNet of torchvision with {SUFFIX} behind its name, as resnet101{SUFFIX}"
        raise UserError(f"{path}: arch {options.arch!r} is unknown; known: {known}")
    if options.center_bias or options.without_fc:
        option = "center_bias" if options.center_bias else "without_fc"
        raise UserError(f"{path}: model option {option} = {getattr(options, option)} has no counterpart here")
    if options.pooling not in ("gem", "max", "avg"):
        raise UserError(f"{path}: pooling {options.pooling!r} is unknown; known: gem, max, avg")
    exponent = weights.get("adpool.p", torch.tensor(options.gemp))
    if options.pooling == "gem" and not (exponent.numel() == 1 and 0 < exponent.item() < math.inf):
        raise UserError(f"{path}: {exponent.tolist()} is no exponent of GeM; it must be one number above 0")
    settings = {
        "backbone": f"torchvision/{options.arch.removesuffix(SUFFIX)}",
        "weights": None,
        "pooling": options.pooling,
        "gem_p": exponent.item() if options.pooling == "gem" else 3.0,
        "norm_features": options.norm_features,
        "embedding_dim": options.out_dim,
        "image_size": IMAGE_SIZE,
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
        "interpolation": "bilinear",
        "crop_from": "whole",
    }
    return parse_section(settings, f"{path}: model_options", ModelParams)


def _renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names; what has none keeps its own and is reported as unexpected."""
    state = {}
    for name, value in weights.items():
        stem, _, rest = name.partition(".")
        trunk = f"backbone.trunk.{TRUNK[stem]}.{rest}" if stem in TRUNK else name
        state[HEAD.get(name) or POOLING.get(name) or trunk] = value
    return state


def _theirs(name: str) -> str:
    """The name that the checkpoint uses."""
    for theirs, ours in {**HEAD, **POOLING}.items():
        name = name.replace(ours, theirs)
    for theirs, index in TRUNK.items():
        name = name.replace(f"backbone.trunk.{index}.", f"{theirs}.")
    return name


def _ignored(checkpoint: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    ignored = [name for name in ("pca", "optimizer", "epoch", "iter", "current_iter") if name in checkpoint]
    ignored += [f"model option {name}" for name in options if name not in ModelOptions.model_fields]
    preprocess = checkpoint.get("preprocess")
    if isinstance(preprocess, Mapping) and preprocess:
        usual = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD}
        same = all(tuple(preprocess.get(name) or wanted) == wanted for name, wanted in usual.items())
        ignored.append(
            "preprocess" if same else f"preprocess {dict(preprocess)} (pictures get ImageNet's mean and std)"
        )
    return ignored
