"""Optimisers by name."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from pipeline.params.optim import OptimizerParams


def build_optimizer(
    parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]], params: OptimizerParams
) -> torch.optim.Optimizer:
    """Adam and adamw with torch's defaults, in one pass over memory; sgd with `momentum` and `nesterov`.

    What is frozen is left out.
    Groups of parameters, as torch takes them, are taken as they are.
    """
    parameters = [one for one in parameters if isinstance(one, dict) or one.requires_grad]
    match params.name:
        case "adam":
            return torch.optim.Adam(parameters, params.lr, weight_decay=params.weight_decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, params.lr, weight_decay=params.weight_decay, fused=True)
        case "sgd":
            return torch.optim.SGD(
                parameters,
                params.lr,
                momentum=params.momentum,
                nesterov=params.nesterov,
                weight_decay=params.weight_decay,
            )
    raise AssertionError(params.name)


def scale_lr(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set the learning rate of every parameter group to `factor` times the one it was built with."""
    for group in optimizer.param_groups:
        group["lr"] = factor * group.setdefault("initial_lr", group["lr"])
