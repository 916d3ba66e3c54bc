"""ASEN++: spatial attention by an attribute, then a gate of channels.

Dong et al., "Fine-Grained Fashion Similarity Prediction by Attribute-Specific Embedding Learning", TIP 2021.
"""

import torch
from torch import Tensor, nn

from pipeline.models.attributes.attention import Attended, SpatialAttention, pooled, positions


class ChannelGate(nn.Module):
    """How much of each channel an attribute leaves: sigmoid(W2 relu(W1 [s; relu(W0 e)]))."""

    def __init__(self, channels: int, table_dim: int, *, reduction: int) -> None:
        super().__init__()
        middle = max(1, channels // reduction)
        self.attribute = nn.Linear(table_dim, table_dim)
        self.squeeze, self.excite = nn.Linear(channels + table_dim, middle), nn.Linear(middle, channels)

    def forward(self, feature: Tensor, attribute: Tensor) -> Tensor:
        """Pooled features (B, C), attributes (B, E) -> gates (B, C) between 0 and 1."""
        told = torch.cat([feature, self.attribute(attribute).relu()], dim=1)
        return self.excite(self.squeeze(told).relu()).sigmoid()


class AsenAttention(nn.Module):
    """One branch's attention: positions pooled by spatial attention, gated, and put through a linear layer."""

    def __init__(self, channels: int, table_dim: int, common_dim: int, *, reduction: int, embedding_dim: int) -> None:
        super().__init__()
        self.attention = SpatialAttention(channels, table_dim, common_dim)
        self.gate = ChannelGate(channels, table_dim, reduction=reduction)
        self.out = nn.Linear(channels, embedding_dim)

    def forward(self, features: Tensor, attribute: Tensor) -> Attended:
        """Maps (B, C, h, w), attributes (B, E) -> embeddings (B, F), no background, and maps (B, h, w)."""
        tokens = positions(features)
        weights = self.attention(tokens, attribute)
        feature = pooled(weights, tokens)
        embedding = self.out(feature * self.gate(feature, attribute))
        return Attended(embedding, None, weights.unflatten(1, features.shape[2:]))
