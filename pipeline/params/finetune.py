"""Section `finetune`: the embedding model and its training, whatever the recipe."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from pipeline.base.params import AsTuple, Section
from pipeline.params.optim import OptimizerParams

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Range = Annotated[tuple[float, float], AsTuple]
Channels = Annotated[tuple[float, float, float], AsTuple]


class ModelParams(Section):
    """Backbone, pooling and head of the embedding model. A null stands for what the trunk was published with.

    `weights`: null (random), default, a tag of the library, a file or a folder, or package:<name>. `embedding_dim`
    null: the width of pooled features. Those of a model that was built have a value in place of every other null.
    """

    backbone: str
    weights: str | None = None
    pooling: Literal["gem", "avg", "max", "avg_max", "token", "map", "native"]
    gem_p: Positive
    norm_features: bool
    embedding_dim: Annotated[int, Field(ge=1)] | None
    image_size: Annotated[int, Field(ge=16)] | None
    mean: Channels | None = None
    std: Annotated[tuple[Positive, Positive, Positive], AsTuple] | None = None
    interpolation: Literal["bilinear", "bicubic"] | None = None
    crop_from: Literal["whole"] | int | None = None
    output: Literal["none", "l2", "layernorm", "l2_layernorm"] = "none"
    frozen: bool = False
    frozen_bn: bool = False

    @field_validator("crop_from", mode="before")
    @classmethod
    def _holds_the_crop(cls, shorter: Any, info: ValidationInfo) -> Any:
        if shorter is None or shorter == "whole":
            return shorter
        size = info.data.get("image_size") or 1
        if not isinstance(shorter, int) or isinstance(shorter, bool) or shorter < size:
            raise ValueError(f"should be null, whole, or pixels of at least image_size ({size})")
        return shorter


class AugmentParams(Section):
    """Random changes of a training picture. `scale` null: shorter side to `resize`, then a `crop`.

    `views` is of a frozen backbone: so many random views of each picture are computed once; 0: none, no random changes.
    """

    views: Annotated[int, Field(ge=0)] = 0
    policy: Literal["none", "autoaugment"] = "none"
    rotation: Annotated[float, Field(ge=0, le=180)]
    resize: Annotated[int, Field(ge=16)]
    scale: Range | None
    crop: Literal["random", "centre"] = "random"
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
