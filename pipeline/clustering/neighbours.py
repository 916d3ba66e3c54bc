"""Exact first neighbours, in blocks."""

import torch
from torch import Tensor

from pipeline.arrays.blocks import block_side, slices
from pipeline.base.progress import progress
from pipeline.clustering.distances import Points


def first_neighbours(points: Points, block_rows: int | None = None) -> tuple[Tensor, Tensor]:
    """The nearest other point of every point: indices (N,) int64 and distances (N,). Smallest index wins ties.

    A point is never its own neighbour however far the others are (the published FINCH repository excludes it the
    same way; UDMA's copy gives up at a distance of 1000). Only a single point has itself, at distance 0.
    Distances are symmetric: only the blocks on and above the diagonal are computed, `block_rows` points a side.
    """
    n = len(points)
    neighbours = torch.zeros(n, dtype=torch.int64, device=points.rows.device)
    nearest = torch.full((n,), 0 if n == 1 else torch.inf, dtype=points.rows.dtype, device=points.rows.device)
    if n == 1:
        return neighbours, nearest
    blocks = slices(n, block_rows or block_side())
    for index, rows in enumerate(progress(blocks, what="first neighbours", unit="block")):
        for columns in blocks[index:]:
            distances = points.distances(rows, columns)
            if rows == columns:
                distances.diagonal().fill_(torch.inf)
            else:
                _keep_nearer(neighbours[columns], nearest[columns], distances.T, rows.start)
            _keep_nearer(neighbours[rows], nearest[rows], distances, columns.start)
    return neighbours, nearest


def _keep_nearer(neighbours: Tensor, nearest: Tensor, distances: Tensor, start: int) -> None:
    """Update (b,) neighbours and their distances in place from distances (b, c) to the points start..start + c - 1.

    Blocks come in ascending order of `start`, so the smallest index wins ties. Indices are looked up only where the
    minimum is new: the minimum alone is much cheaper.
    """
    smallest = distances.amin(dim=1)
    nearer = (smallest < nearest).nonzero().flatten()
    nearest[nearer] = smallest[nearer]
    neighbours[nearer] = distances[nearer].argmin(dim=1) + start
