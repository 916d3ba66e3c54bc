"""Normalising the output of the head (B, D), before the final L2 of an embedding."""

import torch.nn.functional as F
from torch import Tensor, nn

LAYER_NORM_EPS = 1e-5


class UnitLength(nn.Module):
    """Rows of length 1."""

    def forward(self, rows: Tensor) -> Tensor:
        return F.normalize(rows, dim=1)


def build_output(name: str, dim: int) -> nn.Module:
    """The normalisation `name`, without weights: none, l2, layernorm, or l2_layernorm (l2 first)."""
    layer_norm = nn.LayerNorm(dim, LAYER_NORM_EPS, elementwise_affine=False)
    return {
        "none": nn.Identity(),
        "l2": UnitLength(),
        "layernorm": layer_norm,
        "l2_layernorm": nn.Sequential(UnitLength(), layer_norm),
    }[name]
