"""Params of the recipe, beside those of its network."""

from typing import Annotated

from pydantic import Field

from pipeline.base.params import Section
from pipeline.models.attributes.settings import AttributeModelParams

SECTION = "recipes.rpf"
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class WeightParams(Section):
    """Of the triplet losses of both branches, and of the loss between them."""

    region: NotNegative
    patch: NotNegative
    between: NotNegative


class Params(Section):
    """Batches, losses and phases. In the first `region_epochs` the first branch learns alone, then both.

    `init_from`: the folder of a model of the first branch that the network starts from, in place of the weights of
    `finetune.model`; null: of none. `joined`: one
    pass of all pictures of a batch, whose batch norms see them together; false: one a role. `temperature` and `alpha`
    are of family rpf.
    """

    region_epochs: Annotated[int, Field(ge=0)]
    init_from: str | None
    triplets: Annotated[int, Field(ge=1)]
    batch_triplets: Annotated[int, Field(ge=1)]
    strict_negatives: bool
    joined: bool
    margin: NotNegative
    temperature: Positive
    alpha: NotNegative
    weights: WeightParams
    region_lr_factor: Positive
    patch_lr_factor: Positive
    network: AttributeModelParams
