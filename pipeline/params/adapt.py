"""Section `adapt`: the models that are made of the fine-tuned one, and how."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.errors import UserError
from pipeline.base.names import AdaptedName
from pipeline.base.params import AsTuple, Section
from pipeline.params.optim import OptimizerParams
from pipeline.params.views import Kind


class ViewsUse(Section):
    """`counts`: views of each kind (null: all that are drawn) that a catalogue picture is mixed with, by a `share`."""

    counts: Annotated[dict[Kind, Annotated[int, Field(ge=1)]], Field(min_length=1)] | None
    share: Annotated[float, Field(gt=0, le=1)]

    def check(self, drawn: Mapping[str, int]) -> None:
        """Raise UserError for more views than are drawn of a kind."""
        for kind, count in (self.counts or {}).items():
            if count > drawn.get(kind, 0):
                raise UserError(
                    f"adapt.views.counts: {count} views of kind {kind!r}, of which {drawn.get(kind, 0)} are drawn; "
                    "raise views.number, or add the kind to views.kinds"
                )


class AdaptParams(Section):
    """Which models are made; the control's closed form; and steps of the sampler, optimiser and loss of UDMA's.

    choose auto: `root`, `shrinkage` and `views` are what others must clearly beat on held-out items of the source,
    measured in `folds`; fixed: they are taken. shrinkage null: not whitened. lr falls by `gamma` every `lr_steps`
    steps; sgd has a momentum of 0.9, Nesterov's, and a weight decay of 0.0005.
    """

    models: Annotated[tuple[AdaptedName, ...], AsTuple]
    choose: Literal["auto", "fixed"]
    folds: Annotated[int, Field(ge=2)]
    width: Annotated[int, Field(ge=1)]
    root: bool
    shrinkage: Annotated[float, Field(gt=0, le=1)] | None
    views: ViewsUse
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
