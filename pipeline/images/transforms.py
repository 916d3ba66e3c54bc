"""Pictures to tensors: random changes for training, plain resizing for inference."""

from collections.abc import Callable, Sequence

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from pipeline.params.finetune import AugmentParams, ModelParams

Transform = Callable[[Image.Image], Tensor]


def training_transform(params: AugmentParams, size: int, mean: Sequence[float], std: Sequence[float]) -> Transform:
    """PIL RGB -> (3, size, size) float32. Draws from torch's global generator: seed it for each picture."""
    steps: list = [v2.AutoAugment()] if params.policy == "autoaugment" else []
    if params.rotation:
        steps.append(v2.RandomRotation(params.rotation, interpolation=v2.InterpolationMode.BILINEAR))
    if params.scale is None:
        steps += [v2.Resize(max(params.resize, size), antialias=True), v2.RandomCrop(size)]
    else:
        steps.append(v2.RandomResizedCrop(size, scale=params.scale, antialias=True))
    if params.flip:
        steps.append(v2.RandomHorizontalFlip(params.flip))
    if params.jitter:
        steps.append(v2.ColorJitter(params.jitter, params.jitter, params.jitter, hue=params.jitter / 10))
    return v2.Compose([*steps, *_to_tensor(mean, std)])


def inference_transform(params: ModelParams, mean: Sequence[float], std: Sequence[float]) -> Transform:
    """PIL RGB -> (3, size, size) float32 of `image_size`.

    The whole picture resized to exactly that, aspect not kept; or with `crop_from` the shorter side resized to so many
    pixels, and the centre.
    """
    size = params.image_size
    if params.crop_from is None:
        steps = [v2.Resize((size, size), antialias=True)]
    else:
        steps = [v2.Resize(params.crop_from, antialias=True), v2.CenterCrop(size)]
    return v2.Compose([*steps, *_to_tensor(mean, std)])


def _to_tensor(mean: Sequence[float], std: Sequence[float]) -> list:
    return [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(mean), list(std))]
