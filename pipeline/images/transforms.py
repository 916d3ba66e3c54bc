"""Pictures to tensors: random changes for training, plain resizing for inference."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from pipeline.params.finetune import AugmentParams

Transform = Callable[[Image.Image], Tensor]


class PictureInput(NamedTuple):
    """What a network takes: pictures of `size` x `size` pixels, less `mean` and by `std` a channel.

    `crop_from`: pixels that the shorter side has before the centre is cropped, outside training; None: the whole
    picture is resized, aspect not kept.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bilinear"
    crop_from: int | None = None

    @property
    def decoded_side(self) -> int:
        """Pixels of the shorter side that a picture outside training must be decoded with."""
        return self.crop_from or self.size


def training_transform(params: AugmentParams, wanted: PictureInput) -> Transform:
    """PIL RGB -> (3, size, size) float32. Draws from torch's global generator: seed it for each picture."""
    size, how = wanted.size, v2.InterpolationMode(wanted.interpolation)
    steps: list = [v2.AutoAugment()] if params.policy == "autoaugment" else []
    if params.rotation:
        steps.append(v2.RandomRotation(params.rotation, interpolation=how))
    if params.scale is None:
        crop = v2.RandomCrop(size) if params.crop == "random" else v2.CenterCrop(size)
        steps += [v2.Resize(max(params.resize, size), how, antialias=True), crop]
    else:
        steps.append(v2.RandomResizedCrop(size, scale=params.scale, interpolation=how, antialias=True))
    if params.flip:
        steps.append(v2.RandomHorizontalFlip(params.flip))
    if params.jitter:
        steps.append(v2.ColorJitter(params.jitter, params.jitter, params.jitter, hue=params.jitter / 10))
    return v2.Compose([*steps, *_to_tensor(wanted)])


def inference_transform(wanted: PictureInput) -> Transform:
    """PIL RGB -> (3, size, size) float32: resized and cropped as `wanted` says."""
    return v2.Compose([*_framing(wanted), *_to_tensor(wanted)])


def framed(wanted: PictureInput) -> Callable[[Image.Image], np.ndarray]:
    """What makes (size, size, 3) uint8 of an RGB picture: the pixels that `inference_transform` scales."""
    return v2.Compose([*_framing(wanted), np.asarray])


def normalize(pixels: Tensor, wanted: PictureInput) -> Tensor:
    """Pixels (..., size, size, 3) uint8 as `inference_transform` scales them: (..., 3, size, size) float32."""
    return v2.Compose(_scaling(wanted))(pixels.movedim(-1, -3))


def _framing(wanted: PictureInput) -> list:
    size, how = wanted.size, v2.InterpolationMode(wanted.interpolation)
    if wanted.crop_from is None:
        return [v2.Resize((size, size), how, antialias=True)]
    return [v2.Resize(wanted.crop_from, how, antialias=True), v2.CenterCrop(size)]


def _to_tensor(wanted: PictureInput) -> list:
    return [v2.PILToTensor(), *_scaling(wanted)]


def _scaling(wanted: PictureInput) -> list:
    return [v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(wanted.mean), list(wanted.std))]
