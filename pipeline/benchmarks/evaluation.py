"""The metrics of all queries against the matrix product alone."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.benchmarks.case import Case, Trial
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.retrieval.search import Side, one_group


def evaluation_case(queries: int, gallery: int, dim: int, relevant: int, most_mb: float | None = None) -> Case:
    """One search of the whole gallery, `relevant` gallery pictures an item, float32."""
    name = f"evaluation {queries:,} x {gallery:,} x {dim}, {relevant} relevant"
    prepare = partial(_prepare, queries, gallery, dim, relevant)
    return Case("evaluate", name, "matrix product in blocks", prepare, 2.5, most_mb)


def attributes_case(
    queries: int, gallery: int, dim: int, *, attributes: int, values: int, most_mb: float | None = None
) -> Case:
    """Each query searches the candidates of its attribute, of which one in `values` is relevant; float32."""
    name = f"evaluation {queries:,} x {gallery:,} x {dim}, {attributes} attributes of {values} values"
    prepare = partial(_prepare_attributes, (queries, gallery), dim, attributes, values)
    return Case("evaluate", name, "matrix product in blocks, attribute by attribute", prepare, 5, most_mb)


def _prepare(queries: int, gallery: int, dim: int, relevant: int, device: torch.device, _: Path) -> Trial:
    generator = torch.Generator().manual_seed(0)
    shown = np.arange(gallery) // relevant
    wanted = np.random.default_rng(0).choice(shown, queries)
    sides = [
        Side(torch.randn(len(items), dim, generator=generator).to(device), items.astype(str), one_group(len(items)))
        for items in (wanted, shown)
    ]
    return Trial(
        partial(PROTOCOLS["deepfashion"].score, *sides), partial(_product, *(side.embeddings for side in sides))
    )


def _prepare_attributes(
    sizes: tuple[int, int], dim: int, attributes: int, values: int, device: torch.device, _: Path
) -> Trial:
    generator, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)
    sides = []
    for n in sizes:
        rows = torch.randn(n, dim, generator=generator).to(device)
        sides.append(Side(rows, rng.integers(values, size=n), np.sort(np.arange(n) % attributes)))

    def products() -> None:
        for attribute in range(attributes):
            _product(*(side.embeddings[torch.from_numpy(side.groups == attribute)] for side in sides))

    return Trial(partial(PROTOCOLS["attributes"].score, *sides), products)


def _product(queries: Tensor, gallery: Tensor) -> None:
    for block in slices(len(queries), rows_per_block(len(gallery))):
        torch.mm(queries[block], gallery.T)
