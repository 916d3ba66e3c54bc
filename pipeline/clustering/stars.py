"""The links of FINCH: who is connected to whom, and by how much.

With n(i) the first neighbour of i, the weight of the pair (i, j) is [n(i) = j] + [n(j) = i] + [n(i) = n(j)]: 2 for a
mutual pair, 1 for a one-way link or a shared first neighbour (eq. 1 of the FINCH paper, counted instead of binary).
Points that share a first neighbour form a *star*; its pairs are never all held at once.
"""

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from pipeline.arrays.blocks import matching_blocks, rows_per_block
from pipeline.clustering.distances import Points

# Most stars have a few points, and a block compares all its stars with each other: a small block wastes little.
STAR_ROWS = 128


def components(n: int, left: Tensor, right: Tensor) -> Tensor:
    """Connected components of `n` points linked left[e] - right[e]: labels (n,) int64 by first appearance."""
    ends = (left.cpu().numpy(), right.cpu().numpy())
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    _, first, labels = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return torch.from_numpy(rank[labels]).to(left.device)


def weighted_distances(neighbours: Tensor, nearest: Tensor) -> Tensor:
    """Distance of every point to its first neighbour times the weight of that pair: (N,) like `nearest`."""
    mutual = neighbours[neighbours] == torch.arange(len(neighbours), device=neighbours.device)
    return torch.where(mutual, 2 * nearest, nearest)


def largest_link(points: Points, neighbours: Tensor, nearest: Tensor) -> float:
    """The largest weight x distance over all linked pairs, those of stars included."""
    largest = weighted_distances(neighbours, nearest).max()
    for _, _, distances, pairs in _star_pairs(points, neighbours, torch.ones_like(neighbours, dtype=torch.bool)):
        largest = torch.maximum(largest, distances.masked_fill_(~pairs, 0).max())
    return largest.item()


def connect(points: Points, neighbours: Tensor, nearest: Tensor, threshold: float) -> Tensor:
    """Connected components of the links whose weight x distance is at most `threshold`: labels (N,) int64."""
    kept = weighted_distances(neighbours, nearest) <= threshold
    labels = components(len(points), kept.nonzero().flatten(), neighbours[kept])
    # Points still linked to the centre of their star are connected through it: only the others need its pairs.
    for rows, columns, distances, pairs in _star_pairs(points, neighbours, ~kept):
        row, column = (pairs & (distances <= threshold)).nonzero(as_tuple=True)
        merged = components(int(labels.max()) + 1, labels[rows[row]], labels[columns[column]])
        labels = merged[labels]
    return labels


def _star_pairs(points: Points, neighbours: Tensor, wanted: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Blocks of (rows, columns, distances, pairs): `pairs` marks a wanted row and another point of the same star."""
    sizes = torch.bincount(neighbours, minlength=len(points))
    wanted = wanted & (sizes[neighbours] > 1)
    members = torch.argsort(neighbours, stable=True)
    members = members[torch.isin(neighbours[members], neighbours[wanted])]
    chosen = members[wanted[members]]
    size = min(STAR_ROWS, rows_per_block(len(members)))
    for block, span, same_star in matching_blocks(neighbours[chosen], neighbours[members], size):
        rows, columns = chosen[block], members[span]
        yield rows, columns, points.distances(rows, columns), same_star & (rows[:, None] != columns[None, :])
