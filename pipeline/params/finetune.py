"""Section `finetune`: the embedding model and its training, whatever the recipe."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from pipeline.params.base import AsTuple, Section
from pipeline.params.optim import OptimizerParams

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Range = Annotated[tuple[float, float], AsTuple]


class ModelParams(Section):
    """Backbone, pooling and head of the embedding model. What has a default is absent from older models."""

    backbone: str
    pretrained: bool
    pooling: Literal["gem", "avg", "max", "avg_max"]
    gem_p: Positive
    norm_features: bool
    embedding_dim: Annotated[int, Field(ge=1)]
    image_size: Annotated[int, Field(ge=16)]
    crop_from: int | None = None
    output: Literal["none", "l2", "layernorm", "l2_layernorm"] = "none"
    frozen: bool = False
    frozen_bn: bool = False

    @property
    def decoded_side(self) -> int:
        """Pixels of the shorter side that a picture outside training must be decoded with."""
        return self.crop_from or self.image_size

    @field_validator("crop_from")
    @classmethod
    def _holds_the_crop(cls, shorter: int | None, info: ValidationInfo) -> int | None:
        size = info.data.get("image_size")
        if shorter is not None and size is not None and shorter < size:
            raise ValueError(f"should be null or at least image_size ({size})")
        return shorter


class AugmentParams(Section):
    """Random changes of a training picture. `scale` null: shorter side to `resize`, random crop.

    `views` is of a frozen backbone: so many random views of each picture are computed once; 0: none, no random changes.
    """

    views: Annotated[int, Field(ge=0)] = 0
    policy: Literal["none", "autoaugment"] = "none"
    rotation: Annotated[float, Field(ge=0, le=180)]
    resize: Annotated[int, Field(ge=16)]
    scale: Range | None
    flip: Share
    jitter: Share

    @field_validator("scale")
    @classmethod
    def _ordered(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale is not None and not 0 < scale[0] <= scale[1] <= 1:
            raise ValueError("should be [low, high] with 0 < low <= high <= 1")
        return scale


class OptimParams(OptimizerParams):
    """Optimiser and learning-rate schedule, in epochs; see `pipeline.training.schedule`."""

    schedule: Literal["step", "multistep", "linear", "cosine"]
    step_epochs: Annotated[int, Field(ge=1)]
    milestones: Annotated[tuple[Annotated[int, Field(ge=0)], ...], AsTuple] = ()
    gamma: Annotated[float, Field(gt=0, le=1)]
    warmup_epochs: Annotated[float, Field(ge=0)]


class FinetuneParams(Section):
    """`val_share`: part of the source items held out for validation where the dataset has no val split."""

    recipe: str
    epochs: Annotated[int, Field(ge=1)]
    keep: Literal["best", "last"]
    val_share: Annotated[float, Field(ge=0, lt=1)]
    precision: Literal["auto", "32-true", "bf16-mixed"]
    model: ModelParams
    augment: AugmentParams
    optim: OptimParams
