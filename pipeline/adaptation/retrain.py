"""UDMA's adaptation: heads retrained with the linked target pictures, or alike without them."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.adaptation.loss import Rows
from pipeline.adaptation.pairs import PairSampler
from pipeline.adaptation.products import Products
from pipeline.adaptation.recipe import AdaptationRecipe
from pipeline.base.checkpoint import Checkpoint
from pipeline.base.runtime import RuntimeParams
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams
from pipeline.training.fabric import start_fabric
from pipeline.training.loop import train


@dataclass(frozen=True)
class Retrained:
    """Heads by name, rows {step, <name>: loss} of the curves, and what to report of each."""

    heads: dict[str, Head]
    curve: list[dict[str, float]]
    report: dict[str, Any]


def retrain(
    starts: Mapping[str, tuple[Head, Products]],
    rows: Rows,
    n_source: int,
    *,
    params: AdaptParams,
    runtime: RuntimeParams,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
) -> Retrained:
    """Retrain a copy of each head in `starts` (name -> head and the products that it is trained on).

    `rows`: those of the source, `n_source` of them, then those of the target. All are trained alike, on the same draws
    of the source. Checkpoints `<name>.pt` are in `folder`; where there are some, it goes on from them.
    Raises UserError when the loss stops being finite.
    """
    fabric = start_fabric(runtime.device, "32-true", runtime.devices)
    rows = Rows(*(fabric.to_device(values) for values in rows))
    made = Retrained({}, [], {})
    curves = {}
    for name, (start, products) in starts.items():
        sampler = PairSampler(products, n_source, categories=params.categories, items=params.items, seed=seed)
        made.heads[name] = deepcopy(start)
        recipe = AdaptationRecipe(made.heads[name], rows, sampler, params, fabric=fabric)
        trained = train(
            recipe,
            recipe.course(name, seed),
            fabric,
            checkpoint=Checkpoint(folder / f"{name}.pt", runtime.checkpoint_seconds),
            say=lambda message, name=name: say(f"{name}: {message}"),
            log_steps=runtime.log_steps,
        )
        made.heads[name].to("cpu")
        curves[name] = recipe.curve(trained.history)
        counts = products.count()
        made.report[name] = counts | {"loss": curves[name][-1]["loss"]}
        say(f"{name}: {counts['supported']} of {counts['items']} items supported, loss {made.report[name]['loss']:.4f}")
    for points in zip(*curves.values(), strict=True):
        made.curve.append(
            {"step": points[0]["step"], **{name: point["loss"] for name, point in zip(curves, points, strict=True)}}
        )
    return made
