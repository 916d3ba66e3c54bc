"""The square of a picture that an attention map points at, and that square as a picture: batched, on the device.

Squares and boxes are whole numbers (int64), the same ones on every device.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 255  # of the map, which is compared as one of bytes


def lit(maps: Tensor, size: int, threshold: float) -> Tensor:
    """Maps (B, h, w) -> where they are bright when resized to `size` pixels (B, size, size) bool.

    Bright: above `threshold` of the way from the least to the most, in whole steps of 1/255. A map that is the same
    everywhere, or not finite, is bright everywhere.
    """
    grown = F.interpolate(maps.detach().float().unsqueeze(1), (size, size), mode="bilinear", align_corners=False)
    low, high = grown.amin(dim=(2, 3), keepdim=True), grown.amax(dim=(2, 3), keepdim=True)
    spread = high - low
    level = (grown - low) / spread * LEVELS
    useless = (spread == 0) | ~spread.isfinite()
    return ((level >= math.floor(LEVELS * threshold) + 1) | useless).squeeze(1)


def rectangles(on: Tensor) -> Tensor:
    """Masks (B, h, w) bool none of them empty -> the tight rectangles (B, 4): left, top, width, height."""
    first_x, last_x = _extent(on.any(dim=1))
    first_y, last_y = _extent(on.any(dim=2))
    return torch.stack([first_x, first_y, last_x - first_x + 1, last_y - first_y + 1], dim=1)


def squares(found: Tensor, size: int) -> Tensor:
    """Rectangles (B, 4) in a view of `size` pixels -> squares about their centres (B, 3): left, top, side.

    They are moved into the view; one of an odd side may still end one pixel beyond it, as published.
    """
    corner, extent = found[:, :2], found[:, 2:]
    side = extent.amax(dim=1, keepdim=True)
    centre, half = corner + extent // 2, side // 2
    start = torch.where(centre + half > size, size - side, (centre - half).clamp(min=0))
    return torch.cat([start, side], dim=1)


def boxes(found: Tensor, size: int, pictures: Tensor) -> Tensor:
    """Squares (B, 3) in a view of `size` pixels -> boxes (B, 4) in pixels of pictures: left, top, right, bottom.

    pictures (B, 2) or (2,) int64: their widths and heights; the view is of the square in a picture's centre.
    """
    pictures = pictures.to(found.device).expand(len(found), 2)
    shorter = pictures.amin(dim=1, keepdim=True)
    # In double precision and in this order: the last bit may decide what is truncated.
    left, top, side = ((found.double() / size) * shorter).trunc().long().unbind(dim=1)
    start = torch.stack([left, top], dim=1) + (pictures - shorter) // 2
    return torch.cat([start, start + side.unsqueeze(1)], dim=1)


def attention_boxes(maps: Tensor, size: int, threshold: float, canvas: int) -> Tensor:
    """Maps (B, h, w) over a view of `size` pixels -> the boxes (B, 4) that they point at in `canvas` pixels.

    See `lit`, `squares` and `boxes`.
    """
    pictures = torch.full((2,), canvas, device=maps.device)
    return boxes(squares(rectangles(lit(maps, size, threshold)), size), size, pictures)


def resize(images: Tensor, size: int) -> Tensor:
    """Square images (B, C, S, S) -> the same of `size` pixels, antialiased; no gradient is made."""
    if images.shape[-1] == size:
        return images
    with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
        return F.interpolate(images, (size, size), mode="bilinear", antialias=True)


def crop_resize(images: Tensor, boxes: Tensor, size: int, black: Tensor) -> Tensor:
    """Boxes (B, 4) of images (B, C, H, W) -> pictures (B, C, size, size) of them, resized as Pillow does, antialiased.

    What is outside an image is `black` (C,). No box is longer than the longer side of the images. Pillow rounds to
    bytes twice on the way; this does not, so that the two may differ by about 1/255. No gradient is made. On a CPU it
    is done picture by picture, which is faster there: most weights of the filters are zero.
    """
    with torch.no_grad(), torch.autocast(images.device.type, enabled=False):
        height, width = images.shape[2:]
        black = black.to(images).view(1, -1, 1, 1)
        if images.device.type == "cpu":
            return torch.cat([_crop_resize(*one, size, black[0]) for one in zip(images, boxes.tolist(), strict=True)])
        side = boxes[:, 2:] - boxes[:, :2]
        across = filters(boxes[:, 0], side[:, 0], width, size, max(height, width)).to(images)
        down = filters(boxes[:, 1], side[:, 1], height, size, max(height, width)).to(images)
        return down.unsqueeze(1) @ (images.contiguous() - black) @ across.unsqueeze(1).transpose(2, 3) + black


def _crop_resize(image: Tensor, box: list[int], size: int, black: Tensor) -> Tensor:
    """A box of an image (C, H, W) as (1, C, size, size); `black` (C, 1, 1)."""
    (height, width), (left, top, right, bottom) = image.shape[1:], box
    part = image[:, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)].contiguous()
    beyond = (max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0))
    if any(beyond):
        part = F.pad(part - black, beyond) + black
    return F.interpolate(part[None], (size, size), mode="bilinear", antialias=True)


def filters(start: Tensor, side: Tensor, length: int, size: int, longest: int) -> Tensor:
    """Weights (B, size, length) of `length` pixels in `size` of the part of `side` (B,) pixels from `start` (B,) on.

    They are those of Pillow's bilinear filter: triangles, as wide as a pixel of the larger of the two scales, cut at
    the ends of the part, whose sum is 1 where no pixel of the part is missing. No part is longer than `longest`.
    """
    scale = (side.float() / size).view(-1, 1, 1)
    centre = (torch.arange(size, device=side.device) + 0.5).view(1, -1, 1) * scale

    def triangle(pixel: Tensor) -> Tensor:
        inside = (pixel >= 0) & (pixel < side.view(-1, 1, 1))
        return (1 - ((pixel + 0.5 - centre) / scale.clamp(min=1)).abs()).clamp(min=0) * inside

    whole = triangle(torch.arange(longest, device=side.device).view(1, 1, -1)).sum(dim=2, keepdim=True)
    return triangle(torch.arange(length, device=side.device).view(1, 1, -1) - start.view(-1, 1, 1)) / whole


def _extent(on: Tensor) -> tuple[Tensor, Tensor]:
    """Masks (B, n) bool -> places (B,) of the first and the last that is set."""
    place = torch.arange(on.shape[1], device=on.device)
    return torch.where(on, place, on.shape[1]).amin(dim=1), torch.where(on, place, -1).amax(dim=1)
