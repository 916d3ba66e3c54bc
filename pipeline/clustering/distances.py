"""Distances between points, as many at a time as fit a block."""

from typing import Literal, get_args

import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.arrays.rows import unit_rows
from pipeline.base.errors import UserError

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
            self.rows = unit_rows(rows)
        else:
            self.rows = rows.double()
            self.squares = self.rows.square().sum(dim=1)

    def __len__(self) -> int:
        return len(self.rows)

    def paired(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Distances of point rows[i] to point columns[i] -> (len(rows),)."""
        parts = slices(len(rows), rows_per_block(self.rows.shape[1]))
        return torch.cat([self._paired(self.rows[rows[part]], self.rows[columns[part]]) for part in parts])

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

    def _paired(self, a: Tensor, b: Tensor) -> Tensor:
        if self.metric == "cosine":
            return (a * b).sum(dim=1).neg_().add_(1).clamp_(0, 2)
        return torch.linalg.vector_norm(a - b, ord=1 if self.metric == "cityblock" else 2, dim=1)
