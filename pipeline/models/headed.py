"""What networks of all kinds do alike: a head behind what they pool, held batch norms, plans without values."""

import warnings
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from pipeline.images.loading import Inputs
from pipeline.models.head import Head

Made = TypeVar("Made", bound=nn.Module)


class Headed(nn.Module):
    """A network that has a `head` behind what its own `pool` makes; see `pipeline.models.network.Network`."""

    head: Head

    def pool(self, inputs: Inputs) -> Tensor:
        """Pictures (B, 3, S, S), with conditions where it asks for them -> pooled features (B, P) float32."""
        raise NotImplementedError

    def project(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> normalised output of the head (B, D) float32: embeddings before the final L2."""
        return self.head.project(pooled)

    def embed(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> embeddings (B, D) float32 of unit length."""
        return self.head(pooled)

    def forward(self, inputs: Inputs) -> Tensor:
        return self.embed(self.pool(inputs))


def hold_statistics(network: nn.Module) -> None:
    """Let all batch norms in `network` keep their statistics, until it is set to train again."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def planned(build: Callable[[], Made]) -> Made:
    """What `build` makes, without values: its shapes, and its errors, in an instant."""
    try:
        # torch warns of each value that is given to a weight without one.
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            return build()
    except Exception:  # it may be for want of values: let one with values tell
        return build()
