"""The models of a run beside the fine-tuned one: the control, the viewed catalogue, and UDMA's retrained heads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.adaptation.loss import Rows
from pipeline.adaptation.products import Products
from pipeline.adaptation.retrain import retrain
from pipeline.base.errors import UserError
from pipeline.base.names import ModelName
from pipeline.base.runtime import RuntimeParams
from pipeline.control.choose import Choice, choose, default_choice
from pipeline.control.held_out import HeadSetting, HeldOut, Source
from pipeline.control.whitened import NothingToWhiten
from pipeline.models.folder import Adapted
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams
from pipeline.views.mix import Mix

IN_CLOSED_FORM = {ModelName.CONTROL, ModelName.VIEWED, ModelName.LINKED}
RETRAINED = (ModelName.UDMA_CONTROL, ModelName.UDMA, ModelName.LINKED)


@dataclass(frozen=True)
class Target:
    """Pooled features (M, P) and domain codes (M,) of target pictures, and `products`, which names those linked."""

    pooled: np.ndarray
    domain: np.ndarray
    products: Products


@dataclass(frozen=True)
class Made:
    """The models by name, the choice if one was made, rows {step, <name>: loss} of the curves, and what to report."""

    models: dict[str, Adapted]
    choice: Choice | None
    curve: list[dict[str, float]]
    report: dict[str, Any]

    @property
    def trained(self) -> list[str]:
        """The names in the curves."""
        return [name for name in self.models if name in RETRAINED]


def make_models(
    source: Source,
    target: Callable[[], Target] | None,
    *,
    params: AdaptParams,
    runtime: RuntimeParams,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
) -> Made:
    """Those of `params.models` that the data are enough for; `folder`: where checkpoints are.

    Nothing of the target but its linked pictures has a part in it, and these in the retrained heads alone: `target`
    reads them, and is called where one of these is made.
    Raises UserError for settings that the source cannot give, and when a loss stops being finite.
    """
    models, choice, curve, report = {}, None, [], {}
    if IN_CLOSED_FORM & set(params.models):
        models, choice = _in_closed_form(source, params, seed, runtime.block_rows, say)
    starts = {ModelName.UDMA_CONTROL: source.start, ModelName.UDMA: source.start}
    if models:
        starts[ModelName.LINKED] = models[ModelName.CONTROL].head
    wanted = [name for name in starts if name in params.models]
    if wanted and target is None:
        say(f"no target pictures to train on, so there is no model {' or '.join(wanted)}")
    elif wanted:
        read = target()
        linked, alone = read.products, read.products.without_targets()
        products = {name: alone if name == ModelName.UDMA_CONTROL else linked for name in wanted}
        both = ((source.pooled, read.pooled), (source.domain, read.domain))
        rows = Rows(*(torch.from_numpy(np.concatenate(values)) for values in both))
        common = {"params": params, "runtime": runtime, "seed": seed, "folder": folder, "say": say}
        begun = {str(name): (starts[name].folded(), products[name]) for name in wanted}
        made = retrain(begun, rows, len(source.row), **common)
        models |= {name: Adapted(head) for name, head in made.heads.items()}
        curve, report = made.curve, made.report
    kept = {str(name): models[name] for name in ModelName if name in models and name in params.models}
    return Made(kept, choice, curve, ({"choice": choice.report} if choice else {}) | report)


def _in_closed_form(
    source: Source, params: AdaptParams, seed: int, block_rows: int, say: Callable[[str], None]
) -> tuple[dict[str, Adapted], Choice | None]:
    """Control and viewed, and the choice they follow; nothing where too few items are there to choose on."""
    choice = settle(source, params, seed, block_rows, say)
    if choice is None:
        return {}, None
    models = {ModelName.CONTROL: Adapted(_control(source, choice.setting))}
    if source.viewed or choice.mix is not None:
        models[ModelName.VIEWED] = Adapted(models[ModelName.CONTROL].head, choice.mix)
    elif ModelName.VIEWED in params.models:
        say("no views are drawn of the source, so there is no model viewed")
    return models, choice


def settle(
    source: Source, params: AdaptParams, seed: int, block_rows: int, say: Callable[[str], None]
) -> Choice | None:
    """The head and the mix of views: those of `params`, or what is clearly better on held-out items of the source.

    None where there are too few of these to measure on.
    """
    setting, mix = HeadSetting(params.root, params.shrinkage), _mix(source, params)
    if params.choose == "fixed":
        return default_choice(setting, mix)
    held_out = HeldOut(source, params.folds, seed, block_rows)
    if held_out.items < params.folds:
        left_out = " or ".join(name for name in params.models if name in IN_CLOSED_FORM)
        those = "items of the source have pictures of both domains"
        if source.viewed:
            those = "items of the source have views (views.items says how many may; 0: none, and no model viewed)"
        say(f"{held_out.items} {those}, too few to measure on in {params.folds} parts, so there is no model {left_out}")
        return None
    choice = choose(held_out, setting, mix if source.viewed else None)
    report = choice.report
    say(f"chosen on {choice.items} held-out items of the source: {report['head']}; views: {report['views']}")
    return choice


def _mix(source: Source, params: AdaptParams) -> Mix | None:
    """The mix that `params` asks for: all views that are drawn of the source, unless they say how many."""
    numbers = {} if source.views is None else dict(source.views.numbers)
    counts = numbers if params.views.counts is None else params.views.counts
    if numbers:
        params.views.check(numbers)
    return Mix(counts, params.views.share) if counts else None


def _control(source: Source, setting: HeadSetting) -> Head:
    try:
        return source.fit(setting)
    except NothingToWhiten as error:
        raise UserError(f"adapt.shrinkage: {error}, so nothing can be whitened; set it to null") from error
