"""The colour feature of deep-fashion-retrieval: the colours of those cells of a picture that the network looks at most.

The response of a cell is the mean of the feature map there, its colour the mean of the network's input there, in
normalised units. Of N cells the feature holds the N reds, then the greens, then the blues, (3 N,) float32.
"""

from math import isqrt
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.images.loading import Inputs
from pipeline.models.network import Network, with_map

Variant = Literal["ranked", "sorted"]
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, ITU-R BT.601


class Colours:
    """Colour features beside the pooled ones, from one pass of the network.

    `cells`: at most so many. Variant ranked, as published: cells by falling response, ties by the lower cell; what
    changes two responses a little may change their order. sorted: the same cells by falling brightness of their colour,
    whatever the order of their responses.
    """

    def __init__(self, network: Network, variant: Variant, cells: int) -> None:
        self.network, self.variant, self.cells = network, variant, cells

    @classmethod
    def of(cls, network: Network, variant: Variant, cells: int) -> "Colours | None":
        """For `network`; None where its pooled features are not made from a feature map."""
        return cls(network, variant, cells) if with_map(network) else None

    @property
    def facts(self) -> dict[str, str | int]:
        """What it is made again from, beside the network."""
        return {"variant": self.variant, "cells": self.cells}

    def pool(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Pooled features (B, P) and colour features (B, 3 N) float32 of images (B, 3, S, S)."""
        pooled, maps = self.network.pool_with_map(inputs)
        return pooled, colour_features(getattr(inputs, "images", inputs), maps, self.cells, self.variant)


def colour_features(images: Tensor, maps: Tensor, cells: int, variant: Variant = "ranked") -> Tensor:
    """Colour features (B, 3 N) float32 of images (B, 3, S, S) with feature maps (B, C, h, w), N = min(cells, h w).

    A map of tokens (B, C, h^2, 1) is read as a square one.
    """
    side = isqrt(maps.shape[2])
    if maps.shape[3] == 1 and side > 1 and side * side == maps.shape[2]:
        maps = maps.unflatten(2, (side, side)).squeeze(-1)
    response = maps.float().mean(dim=1).flatten(1)
    colours = F.adaptive_avg_pool2d(images.float(), maps.shape[-2:]).flatten(2)
    chosen = response.sort(dim=1, descending=True, stable=True).indices[:, :cells]
    colours = colours.gather(2, chosen[:, None].expand(-1, 3, -1))
    if variant == "sorted":
        brightness = torch.einsum("c,bcn->bn", colours.new_tensor(LUMA), colours)
        order = brightness.sort(dim=1, descending=True, stable=True).indices
        colours = colours.gather(2, order[:, None].expand(-1, 3, -1))
    return colours.flatten(1)
