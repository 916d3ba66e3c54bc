"""What every network that embeds pictures has, whatever its kind."""

from typing import Any, Protocol

import numpy as np
import pandas as pd
from torch import Tensor

from pipeline.images.loading import Inputs
from pipeline.images.transforms import PictureInput
from pipeline.models.head import Head


class Network(Protocol):
    """A module from pictures to embeddings: `pool`, then the head.

    `kind` names the function of `pipeline.models.kinds` that builds it again from `settings`, plain values that
    `model.json` holds. `head` may be replaced by another one for pooled features of its width.
    """

    kind: str
    head: Head

    @property
    def settings(self) -> dict[str, Any]:
        """What it is built again from."""

    @property
    def input(self) -> PictureInput:
        """The pictures that it takes."""

    def conditions(self, table: pd.DataFrame) -> np.ndarray | None:
        """What it is told beside the pictures of the rows of `table`: integers (N,) int64; None: nothing."""

    def pool(self, inputs: Inputs) -> Tensor:
        """Pictures (B, 3, S, S), with conditions where it asks for them -> pooled features (B, P) float32."""

    def project(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> embeddings before the final L2 (B, D) float32."""

    def embed(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> embeddings (B, D) float32 of unit length."""

    def forward(self, inputs: Inputs) -> Tensor:
        """`embed` of what `pool` gives."""


def with_map(network: Network) -> bool:
    """Whether it has `pool_with_map(inputs)`: what `pool` gives, and the feature map (B, C, h, w) that it is made of.

    Such a network says so by `has_map`.
    """
    return getattr(network, "has_map", False)


def attributes_of(network: Network) -> tuple[str, ...]:
    """Names of the attributes that it embeds a picture for, in the order of its conditions; none for most networks."""
    return tuple(getattr(network, "attributes", ()))


def branches_of(network: Network) -> dict[str, int]:
    """Names and widths of the parts that its pooled features are made of, in order; none for most networks."""
    return dict(getattr(network, "branches", {}))
