"""The pictures that a trunk was published with: size, mean, deviation, interpolation and crop."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import nn

from pipeline.base.errors import UserError
from pipeline.images.transforms import PictureInput
from pipeline.params.finetune import ModelParams

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class OwnInput(NamedTuple):
    """`centre`: share of the shorter side that the crop of the centre has; None: the whole picture is resized."""

    size: int = 224
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bilinear"
    centre: float | None = 224 / 256

    def crop_from(self, size: int) -> int | None:
        """Pixels of the shorter side before a crop of `size`, in the published proportion."""
        # 224 / (224 / 232) is a little less than 232.
        return None if self.centre is None else math.floor(size / self.centre + 1e-6)


def own_input_timm(model: nn.Module) -> OwnInput:
    """By timm's configuration of `model`. What it squashes or pads counts as resized whole."""
    from timm.data import resolve_model_data_config

    config = resolve_model_data_config(model)
    centre = min(config["crop_pct"], 1.0) if config["crop_mode"] == "center" else None
    mean, std = tuple(config["mean"]), tuple(config["std"])
    return OwnInput(config["input_size"][-1], mean, std, config["interpolation"], centre)


def own_input_torchvision(name: str, tag: str) -> OwnInput:
    """By the transform of torchvision's weights `tag` of the model `name`."""
    import torchvision

    preset = torchvision.models.get_model_weights(name)[tag].transforms()
    (size,), (resized,) = preset.crop_size, preset.resize_size
    return OwnInput(size, tuple(preset.mean), tuple(preset.std), preset.interpolation.value, size / resized)


def own_input_of(settings: Mapping[str, Any]) -> OwnInput:
    """That of a model of this project, by the settings in its folder."""
    params = ModelParams.model_validate(settings)
    centre = None if params.crop_from == "whole" else params.image_size / params.crop_from
    return OwnInput(params.image_size, params.mean, params.std, params.interpolation, centre)


def with_own_input(params: ModelParams, own: OwnInput) -> ModelParams:
    """`params` with that of `own` in place of nulls. Raises UserError when the crop is larger than its picture."""
    size = params.image_size or own.size
    crop_from = own.crop_from(size) or "whole" if params.crop_from is None else params.crop_from
    if crop_from != "whole" and crop_from < size:
        raise UserError(
            f"finetune.model.crop_from: {crop_from} is less than image_size ({size}, the trunk's); raise it"
        )
    return params.model_copy(
        update={
            "image_size": size,
            "mean": params.mean or own.mean,
            "std": params.std or own.std,
            "interpolation": params.interpolation or own.interpolation,
            "crop_from": crop_from,
        }
    )


def picture_input(params: ModelParams) -> PictureInput:
    """What a network of such `params`, without nulls, takes."""
    crop_from = None if params.crop_from == "whole" else params.crop_from
    return PictureInput(params.image_size, params.mean, params.std, params.interpolation, crop_from)
