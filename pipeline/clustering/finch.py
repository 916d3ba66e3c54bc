"""FINCH: parameter-free clustering by first neighbours.

Sarfraz, Sharma, Stiefelhagen, "Efficient Parameter-free Clustering Using First Neighbor Relations", CVPR 2019, with
the distance threshold that the authors' code has since adopted and that UDMA uses (Sharma, Murray, Larlus, Sarfraz,
Stiefelhagen, Csurka, "Unsupervised Meta-Domain Adaptation for Fashion Retrieval", WACV 2021).
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.rows import check_finite
from pipeline.base.errors import UserError
from pipeline.clustering.approximate import approximate_neighbours
from pipeline.clustering.distances import Metric, Points
from pipeline.clustering.means import cluster_sums
from pipeline.clustering.neighbours import first_neighbours
from pipeline.clustering.stars import components, connect, largest_link


@dataclass(frozen=True)
class FinchResult:
    """A hierarchy of P partitions of N rows, the finest first.

    labels (N, P) int64, clusters numbered by first appearance in row order; counts: clusters of each partition;
    threshold: the largest link of the rows, None where nothing is pruned; requested (N,) int64: the labels of
    `n_clusters` clusters if these were asked for; recall: share of the neighbours that are right, on a sample, the
    least over the searches; None where all were exact.
    """

    labels: np.ndarray
    counts: tuple[int, ...]
    threshold: float | None
    requested: np.ndarray | None
    recall: float | None = None


def finch(
    x: Tensor,
    metric: Metric = "cosine",
    *,
    prune: bool = True,
    initial_neighbours: Tensor | None = None,
    n_clusters: int | None = None,
    exact_rows: int | None = None,
    block_rows: int | None = None,
) -> FinchResult:
    """Cluster the rows of x (N, D), on the device of x.

    The first partition joins every row with its first neighbour; each further one does the same with the means of
    the clusters before. With `prune`, a link between means longer than any link between rows is not made.
    Two options of the published algorithm that the chain leaves alone: `initial_neighbours` (N,) int64, where first
    neighbours are known already, replaces the search on the rows (there is no threshold then), and `n_clusters`
    asks for a partition into so many clusters besides.
    More than `exact_rows` points are searched approximately (by `approximate_neighbours`), any number exactly if None.
    Then there is no threshold either, as in the published code: one wrong neighbour could raise it for all.
    Rows are taken as float32 (cosine distances between them too); means and their distances are float64.
    `block_rows` bounds memory and changes nothing but the order of exact ties in rounding.
    Raises UserError for no rows, NaN or infinite values, an unknown metric, for more clusters than the first
    partition has, and as `approximate_neighbours` does.
    """
    if len(x) == 0:
        raise UserError("FINCH: no rows to cluster")
    check_finite(x, "FINCH input")
    rows, search = x.float(), _Search(metric, exact_rows, block_rows)
    labels, threshold = _first_partition(rows, search, prune, initial_neighbours)
    levels = [_Clusters.of(rows, labels)]
    while len(levels[-1]) > 1:
        clusters = levels[-1].merge(_joined_means(levels[-1], search, threshold))
        if len(clusters) == 1 or len(clusters) >= len(levels[-1]):
            break
        levels.append(clusters)
        if len(levels[-2]) - len(clusters) == 1:
            break
    return FinchResult(
        labels=torch.stack([level.labels for level in levels], dim=1).cpu().numpy(),
        counts=tuple(map(len, levels)),
        threshold=threshold,
        requested=None if n_clusters is None else _exactly(levels, n_clusters, search).labels.cpu().numpy(),
        recall=min(search.recalls, default=None),
    )


def choose_partition(result: FinchResult, index: int) -> tuple[np.ndarray, int]:
    """Labels (N,) of partition `index`, or of the last one where there are fewer, and the index really used."""
    used = min(index, len(result.counts) - 1)
    return result.labels[:, used], used


@dataclass(frozen=True)
class _Search:
    """How first neighbours are found, and the recall of every approximate search so far."""

    metric: Metric
    exact_rows: int | None
    block_rows: int | None
    recalls: list[float] = field(default_factory=list)

    def __call__(self, rows: Tensor) -> tuple[Points, Tensor, Tensor]:
        """The rows as points, with the first neighbour of each and its distance."""
        points = Points(rows, self.metric)
        if self.exact_rows is None or len(points) <= self.exact_rows:
            return points, *first_neighbours(points, self.block_rows)
        neighbours, nearest, recall = approximate_neighbours(points)
        self.recalls.append(recall)
        return points, neighbours, nearest


@dataclass(frozen=True)
class _Clusters:
    """Labels (N,) int64 of the rows, and sums (C, D) float64 and sizes (C,) int64 of the clusters."""

    labels: Tensor
    sums: Tensor
    sizes: Tensor

    @classmethod
    def of(cls, rows: Tensor, labels: Tensor) -> "_Clusters":
        n_clusters = _count(labels)
        return cls(labels, cluster_sums(rows, labels, n_clusters), torch.bincount(labels, minlength=n_clusters))

    def __len__(self) -> int:
        return len(self.sizes)

    def merge(self, into: Tensor) -> "_Clusters":
        """The clusters joined as into (C,) int64 says. Sums of sums: the rows are not read again."""
        sizes = torch.zeros(_count(into), dtype=torch.int64, device=into.device).index_add_(0, into, self.sizes)
        return _Clusters(into[self.labels], cluster_sums(self.sums, into, len(sizes)), sizes)

    @property
    def means(self) -> Tensor:
        """(C, D) float64 plain means."""
        return self.sums / self.sizes[:, None]


def _count(labels: Tensor) -> int:
    return int(labels.max()) + 1


def _joined(neighbours: Tensor) -> Tensor:
    """Labels (N,) after joining every point with its neighbour (N,)."""
    return components(len(neighbours), torch.arange(len(neighbours), device=neighbours.device), neighbours)


def _first_partition(
    rows: Tensor, search: _Search, prune: bool, initial_neighbours: Tensor | None
) -> tuple[Tensor, float | None]:
    """Labels (N,) of partition 0 and the threshold for the later ones."""
    if initial_neighbours is not None:
        n, given = len(rows), initial_neighbours.to(rows.device, torch.int64)
        if given.shape != (n,) or given.min() < 0 or given.max() >= n:
            raise ValueError(f"initial_neighbours: expected {n} row indices from 0 to {n - 1}")
        return _joined(given), None
    points, neighbours, nearest = search(rows)
    exact = not search.recalls
    return _joined(neighbours), largest_link(points, neighbours, nearest) if prune and exact else None


def _joined_means(clusters: _Clusters, search: _Search, threshold: float | None) -> Tensor:
    """Labels (C,) after joining the clusters whose means are first neighbours, or that share one."""
    points, neighbours, nearest = search(clusters.means)
    return _joined(neighbours) if threshold is None else connect(points, neighbours, nearest, threshold)


def _exactly(levels: list[_Clusters], wanted: int, search: _Search) -> _Clusters:
    """`wanted` clusters: the last partition with enough of them, its closest means merged one by one."""
    most = len(levels[0])
    if not 1 <= wanted <= most:
        raise UserError(f"n_clusters: {wanted} asked for, but only 1 to {most} can be made of this partition")
    clusters = [level for level in levels if len(level) >= wanted][-1]
    while len(clusters) > wanted:
        _, neighbours, nearest = search(clusters.means)
        closest = nearest.argmin(keepdim=True)
        clusters = clusters.merge(components(len(clusters), closest, neighbours[closest]))
    return clusters
