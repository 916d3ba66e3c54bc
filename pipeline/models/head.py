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
    normalisation, see `build_output`. `root`: z is replaced by its signed root of unit length, see `signed_root`. A
    bias (2, D) is one a domain, in the order of `pipeline.base.names.Domain`, which has to be told of each row then.
    """

    kind = "head"
    root = False

    def __init__(self, pooled_dim: int, embedding_dim: int, *, norm_features: bool, output: str = "none") -> None:
        super().__init__()
        layer = nn.Linear(pooled_dim, embedding_dim)
        self.weight, self.bias = layer.weight, layer.bias
        self.norm_features, self.output_name = norm_features, output
        self.output = build_output(output, embedding_dim)

    @classmethod
    def of(
        cls, weight: Tensor, bias: Tensor, *, norm_features: bool, output: str = "none", root: bool = False
    ) -> "Head":
        """A head with copies of weight (D, P) and bias (D,) or (2, D), as float32."""
        made = cls.__new__(cls)
        nn.Module.__init__(made)
        made.weight, made.bias = (nn.Parameter(values.detach().float().clone()) for values in (weight, bias))
        made.norm_features, made.output_name, made.root = norm_features, output, root
        made.output = build_output(output, len(weight))
        return made

    @classmethod
    def identity(cls, width: int, *, norm_features: bool, output: str = "none", root: bool = False) -> "Head":
        """A head that gives pooled features of `width` values as they are, but for what is normalised."""
        return cls.of(torch.eye(width), torch.zeros(width), norm_features=norm_features, output=output, root=root)

    @classmethod
    def pooling(cls, width: int, embedding_dim: int, *, norm_features: bool, output: str = "none") -> "Head":
        """A head that gives means of neighbouring pooled features, as adaptive average pooling of `width` values does.

        Value i is the mean of the places floor(i P / D), ... ceil((i + 1) P / D) - 1, of P = `width` and D =
        `embedding_dim` values; with D = P it is the identity.
        """
        weight = F.adaptive_avg_pool1d(torch.eye(width), embedding_dim).T
        return cls.of(weight, torch.zeros(embedding_dim), norm_features=norm_features, output=output)

    @property
    def shape(self) -> tuple[int, int]:
        """(D, P): widths of embeddings and of pooled features."""
        return tuple(self.weight.shape)

    @property
    def settings(self) -> dict[str, Any]:
        """What `model.json` holds beside the weights."""
        plain = {"embedding_dim": self.shape[0], "norm_features": self.norm_features, "output": self.output_name}
        return plain | ({"root": True} if self.root else {})

    @property
    def tells_domains(self) -> bool:
        """Whether it has a bias a domain."""
        return self.bias.ndim == 2

    def project(self, pooled: Tensor, domain: Tensor | None = None) -> Tensor:
        """Pooled features (B, P) -> normalised output of the layer (B, D) float32: embeddings before the final L2.

        domain (B,) int64: codes of `pipeline.table.domains`. Raises ValueError where they are missing.
        """
        if self.root:
            pooled = signed_root(pooled)
        if self.norm_features:
            pooled = F.normalize(pooled, dim=1)
        if not self.tells_domains:
            return self.output(F.linear(pooled, self.weight, self.bias).float())
        if domain is None:
            raise ValueError("a head with a bias a domain, and no domains")
        return self.output((F.linear(pooled, self.weight) + self.bias.index_select(0, domain)).float())

    def forward(self, pooled: Tensor, domain: Tensor | None = None) -> Tensor:
        """Pooled features (B, P) of these domains -> embeddings (B, D) float32 of unit length; see `project`."""
        return F.normalize(self.project(pooled, domain), dim=1)

    @torch.inference_mode()
    def embed(self, pooled: np.ndarray, domain: np.ndarray, block_rows: int) -> np.ndarray:
        """Pooled features (N, P) of these domains (N,) -> embeddings (N, D) float32, in blocks, on its device."""
        blocks = zip(
            torch.from_numpy(pooled).split(block_rows), torch.from_numpy(domain).split(block_rows), strict=True
        )
        device = self.weight.device
        return torch.cat([self(rows.to(device), codes.to(device)).cpu() for rows, codes in blocks]).numpy()

    def folded(self) -> "Head":
        """A head without a layer norm, and with the same embeddings.

        A layer norm behind the layer subtracts the mean of its output and scales it. The one is done by the weights of
        the head that is returned, the other the final L2 undoes.
        """
        weight, bias = self.weight.detach(), self.bias.detach()
        if self.output_name.endswith("layernorm"):
            weight, bias = weight - weight.mean(dim=0), bias - bias.mean(dim=-1, keepdim=True)
        return Head.of(weight, bias, norm_features=self.norm_features, root=self.root)


def signed_root(rows: Tensor) -> Tensor:
    """l2(sign(z) sqrt|z|) of rows z (B, P): large values count less.

    Arandjelovic, Zisserman, "Three things everyone should know to improve object retrieval", CVPR 2012.
    """
    return F.normalize(rows.sign() * rows.abs().sqrt(), dim=1)


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
