"""UDMA's fine-tuning: pairs of pictures of one item, and a metric loss with a miner.

Sharma, Murray, Larlus, Sarfraz, Stiefelhagen, Csurka, "Unsupervised Meta-Domain Adaptation for Fashion Retrieval",
WACV 2021. The published pair is a triplet margin loss (0.3) on batch-hard triplets; any loss and miner of
pytorch-metric-learning can take their place.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from types import ModuleType
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.base.params import Section
from pipeline.models.embedder import plan_embedder
from pipeline.params.finetune import FinetuneParams
from pipeline.training.context import TrainingContext
from pipeline.training.pairs import ItemPairs, PairMode
from pipeline.training.sampled import SampledRecipe
from pipeline.training.schedule import lr_factor

TRIED_ITEMS = 16  # of a batch on which a loss and a miner are tried, at most
PARAMS = {"losses": "recipes.triplet.loss", "miners": "recipes.triplet.miner"}


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


def check(common: FinetuneParams, params: Params) -> None:
    """Raise UserError for a model that cannot be had, and for a loss or a miner that fails on a batch of any values."""
    n_items, width = min(params.batch_items, TRIED_ITEMS), plan_embedder(common.model).head.shape[0]
    sizes = {"num_classes": n_items, "embedding_size": width}
    embeddings = F.normalize(torch.randn(2 * n_items, width, generator=torch.Generator().manual_seed(0)), dim=1)
    labels = torch.arange(n_items).repeat(2)
    mined = None
    if params.miner:
        miner = build_component("miners", params.miner, sizes)
        with _told(f"{PARAMS['miners']}: {params.miner.name} with {params.miner.args} fails on a batch"):
            mined = miner(embeddings, labels)
    loss = build_component("losses", params.loss, sizes)
    by = f"miner {params.miner.name}" if params.miner else "no miner"
    with _told(f"{PARAMS['losses']}: {params.loss.name} with {params.loss.args} and {by} fails on a batch"):
        loss(embeddings, labels, mined)


def build_component(kind: str, component: Component, sizes: dict[str, int]) -> nn.Module:
    """`losses.<name>` or `miners.<name>` of pytorch-metric-learning; `sizes` are passed where they are asked for."""
    import pytorch_metric_learning.losses
    import pytorch_metric_learning.miners

    library: ModuleType = getattr(pytorch_metric_learning, kind)
    known = sorted(name for name in vars(library) if isinstance(getattr(library, name), type))
    if component.name not in known:
        close = get_close_matches(component.name, known, n=3)
        hint = f"did you mean {', '.join(close)}?" if close else f"known: {', '.join(known)}"
        raise UserError(f"{PARAMS[kind]}.name: pytorch-metric-learning has no {kind} {component.name!r}; {hint}")
    made = getattr(library, component.name)
    # A class may leave it to the ones it is derived from what it asks for.
    wanted = {name for base in made.__mro__ for name in inspect.signature(base.__init__).parameters}
    arguments = {name: value for name, value in sizes.items() if name in wanted} | component.args
    with _told(f"{PARAMS[kind]}.args: {component.name} does not take {component.args}"):
        built = made(**arguments)
    for name, value in list(vars(built).items()):  # what some keep from batch to batch as a tensor that is no buffer
        if isinstance(value, Tensor):
            delattr(built, name)
            built.register_buffer(name, value)
    return built


@contextmanager
def _told(problem: str) -> Iterator[None]:
    """Whatever is raised, as one line."""
    try:
        yield
    except Exception as error:  # each class refuses arguments in its own way, or fails when it uses them
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{problem} ({reason})") from error
