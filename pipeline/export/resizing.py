"""Resizing inside a graph, where there is no PIL."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.export.options import Resize
from pipeline.images.transforms import PictureInput

WHITE = 255
NUDGE = 1e-4  # grey levels: what float32 may miss of a half


def resized(pixels: Tensor, wanted: PictureInput, how: Resize) -> Tensor:
    """Pixels (B, 3, H, W) float32, 0..255 -> (B, 3, size, size) float32, whole grey levels as of a picture.

    H and W may be symbols of a graph.
    """
    size = wanted.size
    if how == "none":
        return pixels
    if how == "squash":
        return scaled(pixels, size, size, "bicubic").round().clamp(0, WHITE)
    if wanted.crop_from is None:
        return scaled_as_pil(pixels, size, size, wanted.interpolation)
    height, width = pixels.shape[2:]
    shorter = torch.sym_min(height, width)
    high, wide = (wanted.crop_from * side // shorter for side in (height, width))
    top, left = (_half(side - size) for side in (high, wide))
    cropped = scaled_as_pil(pixels, high, wide, wanted.interpolation)
    return cropped[:, :, top : top + size, left : left + size]


def scaled_as_pil(pixels: Tensor, height: int, width: int, interpolation: str) -> Tensor:
    """Pixels (B, 3, H, W) float32 -> (B, 3, height, width), but for single grey levels the pixels that PIL makes.

    PIL goes along rows, then along columns, and keeps whole grey levels in between.
    """
    for sides in ((pixels.shape[2], width), (height, width)):
        # A half goes up.
        pixels = (scaled(pixels, *sides, interpolation) + (0.5 + NUDGE)).floor().clamp(0, WHITE)
    return pixels


def scaled(pixels: Tensor, height: int, width: int, interpolation: str) -> Tensor:
    """Pixels (B, 3, H, W) float32 -> (B, 3, height, width), antialiased; bicubic ones may leave 0..255 a little."""
    return F.interpolate(pixels, (height, width), mode=interpolation, antialias=True, align_corners=False)


def _half(length: int) -> int:
    """Half of it, rounded as `round` does (to even), which a graph does not have for integers."""
    return (length + length // 2 % 2) // 2
