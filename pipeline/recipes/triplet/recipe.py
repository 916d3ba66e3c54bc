"""UDMA's fine-tuning: pairs of pictures of one item, and a metric loss with a miner.

Sharma, Murray, Larlus, Sarfraz, Stiefelhagen, Csurka, "Unsupervised Meta-Domain Adaptation for Fashion Retrieval",
WACV 2021. The published pair is a triplet margin loss (0.3) on batch-hard triplets; any loss and miner of
pytorch-metric-learning can take their place.
"""

import inspect
from difflib import get_close_matches
from types import ModuleType
from typing import Annotated, Any

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.base.params import Section
from pipeline.training.context import TrainingContext
from pipeline.training.pairs import ItemPairs, PairMode
from pipeline.training.sampled import SampledRecipe
from pipeline.training.schedule import lr_factor


class Component(Section):
    """A class of pytorch-metric-learning by name, with its arguments."""

    name: str
    args: dict[str, Any]


class Params(Section):
    """`pairs` all: C2S 1/2, C2C 1/4, S2S 1/4; c2s: always consumer with shop. `miner` null: every triplet."""

    pairs: PairMode
    batch_items: Annotated[int, Field(ge=2)]
    loss: Component
    miner: Component | None


class TripletRecipe(SampledRecipe):
    """One network, one optimiser; the loss is taken over the 2B pictures of a batch of B items."""

    def __init__(self, context: TrainingContext, params: Params) -> None:
        wanted = {"mode": params.pairs, "batch_items": params.batch_items, "recipe": "triplet"}
        sampler = ItemPairs(context.table, seed=context.seed, **wanted)
        super().__init__(context, sampler)
        sizes = {"num_classes": len(sampler.names), "embedding_size": self.embedder.head.shape[0]}
        self.networks["loss"] = build_component("losses", params.loss, sizes)
        self.miner = build_component("miners", params.miner, sizes) if params.miner else None
        self.optimize()

    def step(self, batch: tuple[Tensor, Tensor], epoch: float) -> dict[str, float]:
        """One optimiser step; reports the loss before it."""
        images, labels = self.to_device(batch)
        params = self.context.params
        self.embedder.train()
        embeddings = F.normalize(self.project(images, len(labels)), dim=1)
        mined = self.miner(embeddings, labels) if self.miner else None
        loss = self.networks["loss"](embeddings, labels, mined)
        return self.learn({"loss": loss}, lr_factor(params.optim, epoch, params.epochs))


def build(context: TrainingContext, params: Params) -> TripletRecipe:
    """The recipe on `context`. Raises UserError for an unknown loss or miner, or arguments that do not fit."""
    return TripletRecipe(context, params)


def build_component(kind: str, component: Component, sizes: dict[str, int]) -> nn.Module:
    """`losses.<name>` or `miners.<name>` of pytorch-metric-learning; `sizes` are passed where they are asked for."""
    import pytorch_metric_learning.losses
    import pytorch_metric_learning.miners

    library: ModuleType = getattr(pytorch_metric_learning, kind)
    param = f"recipes.triplet.{kind.removesuffix('es') if kind == 'losses' else 'miner'}"
    known = sorted(name for name in vars(library) if isinstance(getattr(library, name), type))
    if component.name not in known:
        close = get_close_matches(component.name, known, n=3)
        hint = f"did you mean {', '.join(close)}?" if close else f"known: {', '.join(known)}"
        raise UserError(f"{param}.name: pytorch-metric-learning has no {kind} {component.name!r}; {hint}")
    made = getattr(library, component.name)
    wanted = inspect.signature(made).parameters
    arguments = {name: value for name, value in sizes.items() if name in wanted} | component.args
    try:
        return made(**arguments)
    except (TypeError, ValueError) as error:
        raise UserError(f"{param}.args: {component.name} does not take {component.args} ({error})") from error
