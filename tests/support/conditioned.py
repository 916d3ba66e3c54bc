"""Toy networks of kinds of their own: what category, or attribute, it is about is told beside the picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.base.names import ATTRIBUTE
from pipeline.base.params import Section
from pipeline.images.loading import Conditioned
from pipeline.images.transforms import PictureInput
from pipeline.models.head import Head
from pipeline.models.headed import Headed
from pipeline.params.finetune import ModelParams
from pipeline.training.context import TrainingContext
from pipeline.training.pairs import ItemPairs
from pipeline.training.sampled import SampledRecipe

WIDTH = 8


class ConditionedNetwork(Headed):
    """The mean colour of a picture, and a learned vector for what the column `column` says."""

    kind = "conditioned"

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = dict(settings)
        self.colours = nn.Linear(3, WIDTH)
        self.known = nn.Embedding(len(settings["values"]) + 1, WIDTH)
        self.head = Head(WIDTH, settings["embedding_dim"], norm_features=settings["norm_features"])

    @property
    def input(self) -> PictureInput:
        return PictureInput(self.settings["image_size"], (0.5,) * 3, (0.5,) * 3)

    def conditions(self, table: pd.DataFrame) -> np.ndarray:
        """The place of each row's value in `values`, from 1; what is not there is 0."""
        return pd.Index(self.settings["values"]).get_indexer(table[self.settings["column"]]).astype(np.int64) + 1

    def pool(self, inputs: Conditioned) -> Tensor:
        return self.colours(inputs.images.mean(dim=(2, 3))) + self.known(inputs.condition)


class Params(Section):
    """None of its own."""


class ConditionedRecipe(SampledRecipe):
    """Pictures of an item are drawn together."""

    def __init__(self, context: TrainingContext) -> None:
        values = sorted(set(context.table["category"]))

        def build(params: ModelParams) -> ConditionedNetwork:
            shared = {"embedding_dim": params.embedding_dim, "norm_features": params.norm_features}
            return ConditionedNetwork(
                {"column": "category", "values": values, "image_size": params.image_size, **shared}
            )

        sampler = ItemPairs(context.table, mode="all", batch_items=8, seed=context.seed, recipe="conditioned")
        super().__init__(context, sampler, build)
        self.optimize()

    def step(self, batch: tuple[Conditioned, Tensor], epoch: float) -> dict[str, float]:
        inputs, labels = self.to_device(batch)
        assert isinstance(inputs, Conditioned)
        assert inputs.condition.shape == labels.shape
        embeddings = F.normalize(self.project(inputs, len(labels)), dim=1)
        loss = -(embeddings @ embeddings.T)[labels[:, None] == labels].mean()
        return self.learn({"loss": loss})


def build(context: TrainingContext, params: Params) -> ConditionedRecipe:
    """The recipe on `context`."""
    torch.manual_seed(context.seed)
    return ConditionedRecipe(context)


class AttributeNetwork(ConditionedNetwork):
    """The mean colour of a picture, and a learned vector for each attribute: it embeds a picture for an attribute."""

    kind = "toy_attributes"

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(self.settings["values"])

    @property
    def branches(self) -> dict[str, int]:
        return dict(self.settings["branches"])

    def conditions(self, table: pd.DataFrame) -> np.ndarray:
        """The place of each row's attribute."""
        return pd.Index(self.attributes).get_indexer(table[ATTRIBUTE]).astype(np.int64)

    def pool(self, inputs: Conditioned) -> Tensor:
        """Another mixture of the colours for each attribute."""
        return self.colours(inputs.images.mean(dim=(2, 3))) * self.known(inputs.condition)


def attribute_network(attributes: Sequence[str], branches: Mapping[str, int] | None = None) -> AttributeNetwork:
    """One for pictures of 32 pixels; its embeddings are the pooled features, which are of these branches."""
    shared = {"image_size": 32, "embedding_dim": WIDTH, "norm_features": False}
    settings = {"column": ATTRIBUTE, "values": list(attributes), "branches": dict(branches or {"region": WIDTH})}
    torch.manual_seed(0)
    network = AttributeNetwork(settings | shared)
    network.head = Head.identity(WIDTH, norm_features=False)
    return network.eval()
