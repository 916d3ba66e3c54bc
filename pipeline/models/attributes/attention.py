"""Where a map shows an attribute: the region attention of RPF.

The region branch of RPF (attribute-aware fashion retrieval, region to patch) as published, with layer norms of its own.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

LAYER_NORM_EPS = 1e-6


class Attended(NamedTuple):
    """`embedding` (B, F) of what the attention finds, `background` (B, F) of the rest or None, `map` (B, h, w)."""

    embedding: Tensor
    background: Tensor | None
    map: Tensor


class SpatialAttention(nn.Module):
    """Weights of the positions of a map for an attribute: softmax of <query(e), key(x)> / sqrt(K), both under tanh."""

    def __init__(self, channels: int, table_dim: int, common_dim: int) -> None:
        super().__init__()
        self.key, self.query = nn.Linear(channels, common_dim), nn.Linear(table_dim, common_dim)

    def forward(self, tokens: Tensor, attribute: Tensor) -> Tensor:
        """Positions (B, n, C), attributes (B, E) -> weights (B, n), which add up to 1."""
        key, query = self.key(tokens).tanh(), self.query(attribute).tanh()
        score = (key @ query.unsqueeze(-1)).squeeze(-1)
        return (score / math.sqrt(query.shape[-1])).softmax(dim=-1)


class RegionAttention(nn.Module):
    """Foreground and background of a map by an attribute.

    Foreground f = sum of alpha x, background g = sum of beta x, with beta = (1 - alpha) / (n - 1), of normalised
    positions x. f alone goes through a linear layer; both through h <- norm(mlp(norm(h)) + h) of the same weights.
    """

    def __init__(self, channels: int, table_dim: int, common_dim: int, *, reduction: int, dropout: float) -> None:
        super().__init__()
        self.norm_map = nn.LayerNorm(channels, LAYER_NORM_EPS)
        self.norm_attribute = nn.LayerNorm(table_dim, LAYER_NORM_EPS)
        self.attention = SpatialAttention(channels, table_dim, common_dim)
        self.foreground = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels, LAYER_NORM_EPS)
        self.mlp = perceptron(channels, reduction, nn.ReLU(), dropout)

    def forward(self, features: Tensor, attribute: Tensor) -> Attended:
        """Maps (B, C, h, w) of at least two positions, attributes (B, E) -> embeddings (B, C), and maps (B, h, w)."""
        tokens = self.norm_map(positions(features))
        weights = self.attention(tokens, self.norm_attribute(attribute))
        foreground, background = pooled(weights, tokens), pooled(complement(weights), tokens)
        embedding, rest = self._embed(torch.stack([self.foreground(foreground), background])).unbind()
        return Attended(embedding, rest, weights.unflatten(1, features.shape[2:]))

    def _embed(self, rows: Tensor) -> Tensor:
        return self.norm(self.mlp(self.norm(rows)) + rows)


def perceptron(width: int, reduction: int, activation: nn.Module, dropout: float) -> nn.Sequential:
    """Two layers with a narrower middle, rows (..., width) -> (..., width); dropout behind both."""
    middle = max(1, width // reduction)
    return nn.Sequential(
        nn.Linear(width, middle), activation, nn.Dropout(dropout), nn.Linear(middle, width), nn.Dropout(dropout)
    )


def positions(features: Tensor) -> Tensor:
    """Maps (B, C, h, w) -> their positions (B, h w, C), row by row."""
    return features.flatten(2).transpose(1, 2)


def pooled(weights: Tensor, tokens: Tensor) -> Tensor:
    """Weights (B, n), positions (B, n, C) -> their weighted sums (B, C)."""
    return (weights.unsqueeze(1) @ tokens).squeeze(1)


def complement(weights: Tensor) -> Tensor:
    """Weights (B, n) that add up to 1 -> those of the background, which do too."""
    return (1 - weights) / (weights.shape[1] - 1)
