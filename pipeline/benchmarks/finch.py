"""FINCH against the plain search of all first neighbours, which computes each pair twice."""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from pipeline.arrays.blocks import block_side, slices
from pipeline.benchmarks.case import Case, Trial
from pipeline.clustering.finch import finch

LIMIT = "cosine of all pairs in blocks, then argmax"


def finch_case(n: int, dim: int, most_mb: float | None = None) -> Case:
    """All partitions of n rows of `dim` values, cosine, float32."""
    return Case("finch", f"FINCH {n:,} x {dim}", LIMIT, partial(_prepare, n, dim), 1.2, most_mb)


def _prepare(n: int, dim: int, device: torch.device, _: Path) -> Trial:
    # Eight rows a centre on average, so that there are stars and several partitions, as in a shop.
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(max(1, n // 8), dim, generator=generator)
    x = centres[torch.randint(len(centres), (n,), generator=generator)]
    x = x.add_(torch.randn(n, dim, generator=generator), alpha=0.5).to(device)
    return Trial(partial(finch, x), partial(_neighbours, x))


def _neighbours(x: Tensor) -> Tensor:
    rows = normalize(x, dim=1)
    found = []
    for block in slices(len(rows), block_side()):
        similarities = rows[block] @ rows.T
        similarities.diagonal(block.start).fill_(-torch.inf)
        found.append(similarities.argmax(dim=1))
    return torch.cat(found)
