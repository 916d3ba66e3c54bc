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
    Raises UserError for no rows, NaN or infinite values, an unknown metric, more clusters than the first partition has.
    """
    if len(x) == 0:
        raise UserError("FINCH: no rows to cluster")
    check_finite(x, "FINCH input")
    x = x.float()
    labels, threshold = _first_partition(x, metric, prune, initial_neighbours, block_rows)
    partitions, counts = [labels], [_count(labels)]
    while counts[-1] > 1:
        labels = _merge_means(x, partitions[-1], counts[-1], metric, threshold, block_rows)
        count = _count(labels)
        if count == 1 or count >= counts[-1]:
            break
        partitions.append(labels)
        counts.append(count)
        if counts[-2] - count == 1:
            break
    requested = None if n_clusters is None else _exactly(x, partitions, counts, n_clusters, metric, block_rows)
    return FinchResult(
        labels=torch.stack(partitions, dim=1).cpu().numpy(),
        counts=tuple(counts),
        threshold=threshold,
        requested=None if requested is None else requested.cpu().numpy(),
    )


def _count(labels: Tensor) -> int:
    return int(labels.max()) + 1


def _first_partition(
    x: Tensor, metric: Metric, prune: bool, initial_neighbours: Tensor | None, block_rows: int | None
) -> tuple[Tensor, float | None]:
    """Labels (N,) of partition 0 and the threshold for the later ones."""
    index = torch.arange(len(x), device=x.device)
    points = Points(x, metric)
    if initial_neighbours is not None:
        neighbours = initial_neighbours.to(index)
        if neighbours.shape != index.shape or neighbours.min() < 0 or neighbours.max() >= len(x):
            raise ValueError(f"initial_neighbours: expected {len(x)} row indices from 0 to {len(x) - 1}")
        return components(len(x), index, neighbours), None
    neighbours, nearest = first_neighbours(points, block_rows)
    threshold = largest_link(points, neighbours, nearest) if prune else None
    return components(len(x), index, neighbours), threshold


def _merge_means(
    x: Tensor, labels: Tensor, count: int, metric: Metric, threshold: float | None, block_rows: int | None
) -> Tensor:
    """Labels (N,) after joining the clusters' means with their first neighbours."""
    points = Points(cluster_means(x, labels, count), metric)
    neighbours, nearest = first_neighbours(points, block_rows)
    if threshold is None:
        return components(count, torch.arange(count, device=x.device), neighbours)[labels]
    return connect(points, neighbours, nearest, threshold)[labels]


def _exactly(
    x: Tensor, partitions: list[Tensor], counts: list[int], wanted: int, metric: Metric, block_rows: int | None
) -> Tensor:
    """Labels (N,) of `wanted` clusters: the last partition with enough of them, its closest means merged one by one."""
    if not 1 <= wanted <= counts[0]:
        raise UserError(f"n_clusters: {wanted} asked for, but only 1 to {counts[0]} can be made of this partition")
    start = max(level for level, count in enumerate(counts) if count >= wanted)
    labels = partitions[start]
    for count in range(counts[start], wanted, -1):
        neighbours, nearest = first_neighbours(Points(cluster_means(x, labels, count), metric), block_rows)
        closest = nearest.argmin(keepdim=True)
        labels = components(count, closest, neighbours[closest])[labels]
    return labels
