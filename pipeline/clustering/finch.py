"""FINCH: parameter-free clustering by first neighbours.

Sarfraz, Sharma, Stiefelhagen, "Efficient Parameter-free Clustering Using First Neighbor Relations", CVPR 2019, with
the distance threshold that the authors' code has since adopted and that UDMA uses (Sharma, Murray, Larlus, Sarfraz,
Stiefelhagen, Csurka, "Unsupervised Meta-Domain Adaptation for Fashion Retrieval", WACV 2021).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.clustering.links import components, connect, largest_link
from pipeline.clustering.means import cluster_means
from pipeline.clustering.neighbours import Metric, Points, first_neighbours
from pipeline.errors import UserError
from pipeline.finite import check_finite


@dataclass(frozen=True)
class FinchResult:
    """A hierarchy of P partitions of N rows, the finest first.

    labels (N, P) int64, clusters numbered by first appearance in row order; counts: clusters of each partition;
    threshold: the largest link of the rows, None without pruning; requested (N,) int64: the labels of `n_clusters`
    clusters if these were asked for.
    """

    labels: np.ndarray
    counts: tuple[int, ...]
    threshold: float | None
    requested: np.ndarray | None


def finch(
    x: Tensor,
    metric: Metric = "cosine",
    *,
    prune: bool = True,
    initial_neighbours: Tensor | None = None,
    n_clusters: int | None = None,
    block_rows: int | None = None,
) -> FinchResult:
    """Cluster the rows of x (N, D), on the device of x.

    The first partition joins every row with its first neighbour; each further one does the same with the means of
    the clusters before. With `prune`, a link between means longer than any link between rows is not made.
    `initial_neighbours` (N,) int64 replaces the search on the rows; there is no threshold then.
    `n_clusters` additionally asks for a partition into so many clusters.
    Rows are taken as float32 (cosine distances between them too); means and their distances are float64.
    `block_rows` bounds memory and changes nothing but the order of exact ties in rounding.
    Raises UserError for no rows, NaN or infinite values, an unknown metric, and for more clusters than the first
    partition has.
    """
    if len(x) == 0:
        raise UserError("FINCH: no rows to cluster")
    check_finite(x, "FINCH input")
    rows = _Rows(x.float(), metric, block_rows)
    labels, threshold = _first_partition(rows, prune, initial_neighbours)
    partitions, counts = [labels], [_count(labels)]
    while counts[-1] > 1:
        labels = _merge_means(rows, partitions[-1], threshold)
        count = _count(labels)
        if count == 1 or count >= counts[-1]:
            break
        partitions.append(labels)
        counts.append(count)
        if counts[-2] - count == 1:
            break
    requested = None if n_clusters is None else _exactly(rows, partitions, counts, n_clusters).cpu().numpy()
    return FinchResult(torch.stack(partitions, dim=1).cpu().numpy(), tuple(counts), threshold, requested)


def choose_partition(result: FinchResult, index: int) -> tuple[np.ndarray, int]:
    """Labels (N,) of partition `index`, or of the last one where there are fewer, and the index really used."""
    used = min(index, len(result.counts) - 1)
    return result.labels[:, used], used


@dataclass(frozen=True)
class _Rows:
    """The rows (N, D) float32 and how they are compared."""

    x: Tensor
    metric: Metric
    block_rows: int | None

    def search(self, labels: Tensor | None = None) -> tuple[Points, Tensor, Tensor]:
        """The rows, or the means of their clusters, with the first neighbour of each and its distance."""
        points = Points(self.x if labels is None else cluster_means(self.x, labels, _count(labels)), self.metric)
        return points, *first_neighbours(points, self.block_rows)


def _count(labels: Tensor) -> int:
    return int(labels.max()) + 1


def _join(labels: Tensor, neighbours: Tensor) -> Tensor:
    """Labels (N,) after joining every cluster with its neighbour (C,)."""
    index = torch.arange(len(neighbours), device=labels.device)
    return components(len(index), index, neighbours)[labels]


def _first_partition(rows: _Rows, prune: bool, initial_neighbours: Tensor | None) -> tuple[Tensor, float | None]:
    """Labels (N,) of partition 0 and the threshold for the later ones."""
    n = len(rows.x)
    every_row = torch.arange(n, device=rows.x.device)
    if initial_neighbours is not None:
        neighbours = initial_neighbours.to(every_row)
        if neighbours.shape != every_row.shape or neighbours.min() < 0 or neighbours.max() >= n:
            raise ValueError(f"initial_neighbours: expected {n} row indices from 0 to {n - 1}")
        return _join(every_row, neighbours), None
    points, neighbours, nearest = rows.search()
    return _join(every_row, neighbours), largest_link(points, neighbours, nearest) if prune else None


def _merge_means(rows: _Rows, labels: Tensor, threshold: float | None) -> Tensor:
    """Labels (N,) after joining the clusters' means with their first neighbours."""
    points, neighbours, nearest = rows.search(labels)
    if threshold is None:
        return _join(labels, neighbours)
    return connect(points, neighbours, nearest, threshold)[labels]


def _exactly(rows: _Rows, partitions: list[Tensor], counts: list[int], wanted: int) -> Tensor:
    """Labels (N,) of `wanted` clusters: the last partition with enough of them, its closest means merged one by one."""
    if not 1 <= wanted <= counts[0]:
        raise UserError(f"n_clusters: {wanted} asked for, but only 1 to {counts[0]} can be made of this partition")
    start = max(level for level, count in enumerate(counts) if count >= wanted)
    labels = partitions[start]
    for count in range(counts[start], wanted, -1):
        _, neighbours, nearest = rows.search(labels)
        closest = nearest.argmin(keepdim=True)
        labels = components(count, closest, neighbours[closest])[labels]
    return labels
