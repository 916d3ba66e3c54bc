"""Params of an optimiser, whatever it trains."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from pipeline.base.params import Section


class OptimizerParams(Section):
    """`momentum` and `nesterov` are of sgd."""

    name: Literal["adam", "adamw", "sgd"]
    lr: Annotated[float, Field(gt=0)]
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = Field(default=True, validate_default=True)
    weight_decay: Annotated[float, Field(ge=0)]

    @field_validator("nesterov")
    @classmethod
    def _has_momentum(cls, nesterov: bool, info: ValidationInfo) -> bool:
        if nesterov and info.data.get("name") == "sgd" and info.data.get("momentum") == 0:
            raise ValueError("should be false with momentum 0")
        return nesterov
