"""UDMA's fine-tuning: pairs of pictures of one item, and a metric loss with a miner.

Sharma, Murray, Larlus, Sarfraz, Stiefelhagen, Csurka, "Unsupervised Meta-Domain Adaptation for Fashion Retrieval",
WACV 2021. The published pair is a triplet margin loss (0.3) on batch-hard triplets; any loss and miner of
pytorch-metric-learning can take their place.
"""

import inspect
from collections.abc import Iterator
from difflib import get_close_matches
from types import ModuleType
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.params.base import Section
from pipeline.recipes.triplet.pairs import ItemPairs, PairLoader, PairMode
from pipeline.training.optim import build_optimizer, scale_lr
from pipeline.training.recipe import TrainingContext
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


class TripletRecipe:
    """One network, one optimiser; the loss is taken over the 2B pictures of a batch of B items."""

    def __init__(self, context: TrainingContext, params: Params) -> None:
        self.context = context
        embedder, pictures = context.build_model()
        items = ItemPairs(pictures, context.table, mode=params.pairs, seed=context.seed)
        self.loader = PairLoader(items, params.batch_items, context.workers)
        sizes = {"num_classes": len(items), "embedding_size": context.params.model.embedding_dim}
        self.loss = build_component("losses", params.loss, sizes)
        self.miner = build_component("miners", params.miner, sizes) if params.miner else None
        self.loss.to(context.fabric.device)
        trained = nn.ModuleList([embedder, self.loss])
        optimizer = build_optimizer(trained.parameters(), context.params.optim)
        self.network, self.optimizer = context.fabric.setup(embedder, optimizer)
        self.embedder = embedder

    def n_batches(self, epoch: int) -> int:  # noqa: ARG002  the face allows epochs of different lengths
        """Batches an epoch."""
        return len(self.loader)

    def batches(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of (images, labels)."""
        return self.loader.batches(epoch, first)

    def step(self, batch: tuple[Tensor, Tensor], epoch: float) -> dict[str, float]:
        """One optimiser step; reports the loss before it."""
        images, labels = self.context.fabric.to_device(batch)
        params = self.context.params
        scale_lr(self.optimizer, lr_factor(params.optim, epoch, params.epochs))
        self.network.train()
        embeddings = self.network(images.contiguous(memory_format=torch.channels_last))
        mined = self.miner(embeddings, labels) if self.miner else None
        loss = self.loss(embeddings, labels, mined)
        self.optimizer.zero_grad()
        self.context.fabric.backward(loss)
        self.optimizer.step()
        return {"loss": loss.item()}

    def state(self) -> dict[str, Any]:
        """Weights of network and loss, and the optimiser's state."""
        return {
            "embedder": self.embedder.state_dict(),
            "loss": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.embedder.load_state_dict(state["embedder"])
        self.loss.load_state_dict(state["loss"])
        self.optimizer.load_state_dict(state["optimizer"])


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
