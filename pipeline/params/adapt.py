"""Section `adapt`: retraining the head on pooled features."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.params import Section
from pipeline.params.optim import OptimizerParams


class AdaptParams(Section):
    """Steps of the sampler, optimiser and loss; lr falls by `gamma` every `lr_steps` steps.

    sgd has a momentum of 0.9, Nesterov's, and a weight decay of 0.0005.
    """

    steps: Annotated[int, Field(ge=1)]
    categories: Annotated[int, Field(ge=1)]
    items: Annotated[int, Field(ge=2)]
    margin: Annotated[float, Field(ge=0)]
    optimizer: Literal["adam", "sgd"]
    lr: Annotated[float, Field(gt=0)]
    lr_steps: Annotated[int, Field(ge=1)]
    gamma: Annotated[float, Field(gt=0, le=1)]

    @property
    def optim(self) -> OptimizerParams:
        """Of the head's optimiser."""
        return OptimizerParams(name=self.optimizer, lr=self.lr, weight_decay=5e-4 if self.optimizer == "sgd" else 0.0)
