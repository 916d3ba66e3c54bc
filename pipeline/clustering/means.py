"""Sums and means of clusters."""

import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices


def cluster_sums(x: Tensor, labels: Tensor, n_clusters: int) -> Tensor:
    """Sums of the rows of x (N, D) in each cluster; labels (N,) int64 in 0..C-1 -> (C, D) float64.

    Every cluster has at least one row. The rows of a cluster are summed in row order, on any device, so the
    result is reproducible (a scatter-add on a GPU is not).
    """
    order = torch.argsort(labels, stable=True)
    lengths = torch.bincount(labels, minlength=n_clusters)
    # Column by column, so that the float64 copy of the rows stays within a block.
    columns = slices(x.shape[1], rows_per_block(len(x)))
    parts = [torch.segment_reduce(x[order, part].double(), "sum", lengths=lengths) for part in columns]
    return torch.cat(parts, dim=1)


def cluster_means(x: Tensor, labels: Tensor, n_clusters: int) -> Tensor:
    """Plain means of the rows of x (N, D) in each cluster: (C, D) float64, as `cluster_sums`."""
    return cluster_sums(x, labels, n_clusters) / torch.bincount(labels, minlength=n_clusters)[:, None]
