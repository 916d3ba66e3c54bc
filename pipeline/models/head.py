"""The head: the linear layer between pooled features and embeddings, the only one of its kind in the project."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYER_NORM_EPS = 1e-5


class Head(nn.Module):
    """Embeddings l2(output(W z + b)) of pooled features z; `norm_features`: z is L2-normalised first.

    Weight (D, P) and bias (D,) start as those of `nn.Linear`, drawn from torch's global generator; `output` names a
    normalisation, see `build_output`.
    """

    kind = "head"

    def __init__(self, pooled_dim: int, embedding_dim: int, *, norm_features: bool, output: str = "none") -> None:
        super().__init__()
        layer = nn.Linear(pooled_dim, embedding_dim)
        self.weight, self.bias = layer.weight, layer.bias
        self.norm_features, self.output_name = norm_features, output
        self.output = build_output(output, embedding_dim)

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor, *, norm_features: bool, output: str = "none") -> "Head":
        """A head with copies of weight (D, P) and bias (D,), as float32."""
        made = cls.__new__(cls)
        nn.Module.__init__(made)
        made.weight, made.bias = (nn.Parameter(values.detach().float().clone()) for values in (weight, bias))
        made.norm_features, made.output_name = norm_features, output
        made.output = build_output(output, len(bias))
        return made

    @classmethod
    def identity(cls, width: int, *, norm_features: bool, output: str = "none") -> "Head":
        """A head that gives pooled features of `width` values as they are, but for what is normalised."""
        return cls.of(torch.eye(width), torch.zeros(width), norm_features=norm_features, output=output)

    @property
    def shape(self) -> tuple[int, int]:
        """(D, P): widths of embeddings and of pooled features."""
        return tuple(self.weight.shape)

    @property
    def settings(self) -> dict[str, Any]:
        """What `model.json` holds beside the weights."""
        return {"embedding_dim": self.shape[0], "norm_features": self.norm_features, "output": self.output_name}

    def project(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> normalised output of the layer (B, D) float32: embeddings before the final L2."""
        if self.norm_features:
            pooled = F.normalize(pooled, dim=1)
        return self.output(F.linear(pooled, self.weight, self.bias).float())

    def forward(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> embeddings (B, D) float32 of unit length."""
        return F.normalize(self.project(pooled), dim=1)

    @torch.inference_mode()
    def embed(self, pooled: np.ndarray, block_rows: int) -> np.ndarray:
        """Pooled features (N, P) -> embeddings (N, D) float32, in blocks, on the device of the head."""
        blocks = torch.from_numpy(pooled).split(block_rows)
        return torch.cat([self(block.to(self.weight.device)).cpu() for block in blocks]).numpy()

    def folded(self) -> "Head":
        """A head without a layer norm, and with the same embeddings.

        A layer norm behind the layer subtracts the mean of its output and scales it. The one is done by the weights of
        the head that is returned, the other the final L2 undoes.
        """
        weight, bias = self.weight.detach(), self.bias.detach()
        if self.output_name.endswith("layernorm"):
            weight, bias = weight - weight.mean(dim=0), bias - bias.mean()
        return Head.of(weight, bias, norm_features=self.norm_features)


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
