"""Links between target pictures and source products."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

# The label of a link that no cluster made.
NO_CLUSTER = -1


@dataclass(frozen=True)
class Links:
    """Target pictures linked to source products, one row a link.

    target (n,) int64: position among the target rows; product (n,) int64: code of the source product;
    similarity (n,) float32: cosine; cluster (n,) int64: label of the shared cluster within its group, or NO_CLUSTER.
    """

    target: np.ndarray
    product: np.ndarray
    similarity: np.ndarray
    cluster: np.ndarray

    def __len__(self) -> int:
        return len(self.target)


def concatenate(parts: Iterable[Links]) -> Links:
    """The links of all parts, sorted by target position; those of one position keep their order."""
    index = np.empty(0, dtype=np.int64)
    parts = [Links(index, index, np.empty(0, dtype=np.float32), index), *parts]
    joined = [np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Links)]
    order = np.argsort(joined[0], kind="stable")
    return Links(*(column[order] for column in joined))
