"""How a catalogue picture is embedded by way of its views: a share of their mean embedding beside its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.arrays.rows import unit_rows


@dataclass(frozen=True)
class Mix:
    """`counts`: views of each kind, the first ones that are drawn; `share` 0..1: of their mean embedding."""

    counts: Mapping[str, int]
    share: float

    @property
    def settings(self) -> dict[str, Any]:
        """As plain values."""
        return {"counts": dict(self.counts), "share": self.share}

    @property
    def name(self) -> str:
        """In words."""
        return f"{' + '.join(f'{count} {kind}' for kind, count in self.counts.items())}, share {self.share:g}"

    def blend(self, own: np.ndarray, views: np.ndarray) -> np.ndarray:
        """Embeddings (N, D) of pictures, and the means (N, D) of those of their views -> (N, D) of unit length.

        Pooling an index over transformations of its pictures: Morere et al., "Nested invariance pooling and RBM hashing
        for image instance retrieval", ICMR 2017.
        """
        return unit_rows((1 - self.share) * own + self.share * views)
