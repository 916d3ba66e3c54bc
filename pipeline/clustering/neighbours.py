"""Distances and exact first neighbours, in blocks."""

from typing import Literal, get_args

import torch
from torch import Tensor

from pipeline.blocks import rows_per_block, slices
from pipeline.errors import UserError
from pipeline.progress import progress

Metric = Literal["cosine", "euclidean", "cityblock"]

# Squared distances below this share of the squared norms are rounding: two equal rows are at distance 0.
SQUARED_ROUNDING = 1e-14


class Points:
    """Rows (N, D) prepared for computing distances between any of them. Metrics are those of scikit-learn.

    cosine: 1 - cos, within [0, 2], in the precision of the rows; an all-zero row is at distance 1 from every row.
    euclidean, cityblock: in float64.
    """

    def __init__(self, rows: Tensor, metric: Metric) -> None:
        """Raises UserError for an unknown metric."""
        if metric not in get_args(Metric):
            raise UserError(f"cluster.metric: unknown metric {metric!r}; known: {', '.join(get_args(Metric))}")
        self.metric = metric
        if metric == "cosine":
            norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
            self.rows = rows / norms.masked_fill(norms == 0, 1)
        else:
            self.rows = rows.double()
            self.squares = self.rows.square().sum(dim=1)

    def __len__(self) -> int:
        return len(self.rows)

    def distances(self, rows: Tensor | slice, columns: Tensor | slice) -> Tensor:
        """Distances between two choices of points -> (len(rows), len(columns))."""
        a, b = self.rows[rows], self.rows[columns]
        if self.metric == "cosine":
            return (a @ b.T).neg_().add_(1).clamp_(0, 2)
        if self.metric == "cityblock":
            return torch.cdist(a, b, p=1)
        squares = self.squares[rows, None] + self.squares[None, columns]
        squared = torch.addmm(squares, a, b.T, alpha=-2)
        return squared.masked_fill_(squared <= SQUARED_ROUNDING * squares, 0).sqrt_()


def first_neighbours(points: Points, block_rows: int | None = None) -> tuple[Tensor, Tensor]:
    """The nearest other point of every point: indices (N,) int64 and distances (N,). Smallest index wins ties.

    A point is never its own neighbour however far the others are (the published FINCH repository excludes it the
    same way; UDMA's copy gives up at a distance of 1000). Only a single point has itself, at distance 0.
    `block_rows` rows are compared with all rows at a time; by default as many as fit a block.
    """
    n = len(points)
    neighbours = torch.empty(n, dtype=torch.int64, device=points.rows.device)
    nearest = torch.empty(n, dtype=points.rows.dtype, device=points.rows.device)
    if n == 1:
        return neighbours.zero_(), nearest.zero_()
    for rows in progress(slices(n, block_rows or rows_per_block(n)), what="first neighbours", unit="block"):
        distances = points.distances(rows, slice(None))
        distances.diagonal(rows.start).fill_(torch.inf)
        nearest[rows], neighbours[rows] = distances.min(dim=1)
    return neighbours, nearest
