"""Params of the recipe, and which losses there are."""

from difflib import get_close_matches
from math import pi, radians
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from pipeline.base.params import Section

LOSSES = (
    "adacos",
    "adaface",
    "arcface",
    "clam",
    "cosface",
    "curricularface",
    "liarcface",
    "normalized_softmax",
    "sphereface",
)
ON_ANGLES = ("adaface", "arcface", "curricularface", "liarcface")
Positive = Annotated[float, Field(gt=0)]


class ClamParams(Section):
    """Margins, in radians, of the class with the most pictures and of that with the fewest."""

    margin_min: Annotated[float, Field(ge=0)]
    margin_max: Annotated[float, Field(ge=0)]

    @field_validator("margin_min", "margin_max")
    @classmethod
    def _in_radians(cls, margin: float) -> float:
        return in_radians(margin)

    @field_validator("margin_max")
    @classmethod
    def _ordered(cls, margin: float, info: ValidationInfo) -> float:
        if margin < (low := info.data.get("margin_min", 0.0)):
            raise ValueError(f"should be at least margin_min ({low})")
        return margin


class AdaCosParams(Section):
    """`dynamic`: the scale follows the batches."""

    dynamic: bool


class AdaFaceParams(Section):
    """How fast the margin changes with the length of an embedding; weight of a batch in the statistics of lengths."""

    h: Positive
    momentum: Annotated[float, Field(gt=0, le=1)]


class Params(Section):
    """Batches, loss and rates. `sampled` null: a softmax over all classes; `sam_rho` null: no sharpness-aware steps.

    `margin`: in radians, but for cosface (of the cosine) and sphereface (factor of the angle).
    """

    batch_size: Annotated[int, Field(ge=2)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    loss: str
    centres: Annotated[int, Field(ge=1)]
    scale: Positive
    margin: Annotated[float, Field(ge=0)]
    clam: ClamParams
    adacos: AdaCosParams
    adaface: AdaFaceParams
    sampled: Annotated[int, Field(ge=2)] | None
    warmup: Literal["linear", "exponential"]
    schedule_step: Literal["batch", "epoch"]
    final_share: Annotated[float, Field(ge=0, le=1)]
    backbone_lr_factor: Positive
    centres_lr_factor: Positive
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None
    sam_rho: Positive | None

    @field_validator("loss")
    @classmethod
    def _known(cls, loss: str) -> str:
        if loss not in LOSSES:
            close = get_close_matches(loss, LOSSES, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise ValueError(f"should be one of {', '.join(LOSSES)}{hint}")
        return loss

    @field_validator("margin")
    @classmethod
    def _widens(cls, margin: float, info: ValidationInfo) -> float:
        if info.data.get("loss") == "sphereface" and margin < 1:
            raise ValueError("should be at least 1 with sphereface, whose margin multiplies the angle")
        return in_radians(margin) if info.data.get("loss") in ON_ANGLES else margin


def in_radians(margin: float) -> float:
    """A margin on the angle as it is. Raises ValueError for one that can only be meant in degrees."""
    if margin > pi / 2:
        raise ValueError(
            f"is in radians, of which a right angle has 1.57; {margin:g} degrees are {radians(margin):.3g}"
        )
    return margin
