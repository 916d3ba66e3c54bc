"""Pooling a feature map (B, C, H, W) to one vector (B, C)."""

import torch
from torch import Tensor, nn

GEM_FLOOR = 1e-6


def gem(features: Tensor, p: Tensor | float) -> Tensor:
    """Generalised mean over H and W: (mean of max(x, 1e-6)^p)^(1/p); (B, C, H, W) -> (B, C).

    Radenovic, Tolias, Chum, "Fine-tuning CNN Image Retrieval with No Human Annotation", TPAMI 2019, eq. 3.
    """
    return features.clamp(min=GEM_FLOOR).pow(p).mean(dim=(-2, -1)).pow(1.0 / p)


class GeM(nn.Module):
    """`gem` with one trainable exponent shared by all channels."""

    def __init__(self, p: float = 3.0) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), p))

    def forward(self, features: Tensor) -> Tensor:
        # Powers in half precision under- and overflow, so this runs in float32 also under autocast.
        with torch.autocast(features.device.type, enabled=False):
            return gem(features.float(), self.p)

    def __repr__(self) -> str:
        return f"GeM(p={self.p.item():.3f})"


class GlobalAverage(nn.Module):
    """Mean over H and W."""

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(dim=(-2, -1))


class GlobalMax(nn.Module):
    """Maximum over H and W."""

    def forward(self, features: Tensor) -> Tensor:
        return features.amax(dim=(-2, -1))


class GlobalAverageMax(nn.Module):
    """Mean plus maximum over H and W."""

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(dim=(-2, -1)) + features.amax(dim=(-2, -1))


def build_pooling(name: str, gem_p: float) -> nn.Module:
    """The pooling `name`: gem, avg, max or avg_max; nothing for token, map and native, which are the backbone's own."""
    return {
        "gem": lambda: GeM(gem_p),
        "avg": GlobalAverage,
        "max": GlobalMax,
        "avg_max": GlobalAverageMax,
        "token": nn.Identity,
        "map": nn.Identity,
        "native": nn.Identity,
    }[name]()
