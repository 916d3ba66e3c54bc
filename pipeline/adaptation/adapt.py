"""Adaptation: the head retrained with the linked target pictures, and without them as the control."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.adaptation.pairs import PairSampler
from pipeline.adaptation.products import Products
from pipeline.adaptation.recipe import AdaptationRecipe
from pipeline.base.checkpoint import Checkpoint
from pipeline.base.runtime import RuntimeParams
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams
from pipeline.training.fabric import start_fabric
from pipeline.training.loop import train

CONTROL, ADAPTED = "control", "adapted"


@dataclass(frozen=True)
class Adapted:
    """Heads by name, rows {step, <name>: loss} of the curve, and what to report; all empty where nothing is trained."""

    heads: dict[str, Head]
    curve: list[dict[str, float]]
    report: dict[str, Any]


def adapt(
    head: Head,
    source: np.ndarray,
    target: np.ndarray,
    products: Products,
    *,
    params: AdaptParams,
    runtime: RuntimeParams,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
) -> Adapted:
    """Retrain copies of `head` on pooled features of the source (N, P) and the target (M, P), which `products` names.

    Both are trained alike, on the same draws of the source. Checkpoints `<name>.pt` are in `folder`; where there are
    some, it goes on from them.
    Raises UserError when the loss stops being finite.
    """
    fabric = start_fabric(runtime.device, "32-true", runtime.devices)
    pooled = fabric.to_device(torch.from_numpy(np.concatenate([source, target])))
    made = Adapted({}, [], {})
    curves = {}
    for name, used in ((CONTROL, products.without_targets()), (ADAPTED, products)):
        sampler = PairSampler(used, len(source), categories=params.categories, items=params.items, seed=seed)
        made.heads[name] = deepcopy(head)
        recipe = AdaptationRecipe(made.heads[name], pooled, sampler, params, fabric=fabric)
        trained = train(
            recipe,
            recipe.course(name, seed),
            fabric,
            checkpoint=Checkpoint(folder / f"{name}.pt", runtime.checkpoint_seconds),
            say=lambda message, name=name: say(f"{name}: {message}"),
            log_steps=runtime.log_steps,
        )
        curves[name] = recipe.curve(trained.history)
        counts = used.count()
        made.report[name] = counts | {"loss": curves[name][-1]["loss"]}
        say(f"{name}: {counts['supported']} of {counts['items']} items supported, loss {made.report[name]['loss']:.4f}")
    for one, other in zip(curves[CONTROL], curves[ADAPTED], strict=True):
        made.curve.append({"step": one["step"], CONTROL: one["loss"], ADAPTED: other["loss"]})
    return made


def leave_as_is(say: Callable[[str], None]) -> Adapted:
    """Where there are no target pictures to train on."""
    say("nothing to adapt to: the dataset has no target pictures to train on")
    return Adapted({}, [], {"trained": False})
