"""Section `adapt`: retraining the head on pooled features."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.base import Section


class AdaptParams(Section):
    """Steps of the sampler, optimiser and loss; lr falls by `gamma` every `lr_steps` steps."""

    steps: Annotated[int, Field(ge=1)]
    categories: Annotated[int, Field(ge=1)]
    items: Annotated[int, Field(ge=2)]
    margin: Annotated[float, Field(ge=0)]
    optimizer: Literal["adam", "sgd"]
    lr: Annotated[float, Field(gt=0)]
    lr_steps: Annotated[int, Field(ge=1)]
    gamma: Annotated[float, Field(gt=0, le=1)]
