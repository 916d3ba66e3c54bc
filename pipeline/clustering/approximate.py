"""Approximate first neighbours of very many points, through faiss, and how many of them are right."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.base.errors import UserError
from pipeline.base.progress import progress
from pipeline.clustering.distances import Metric, Points

if TYPE_CHECKING:
    import faiss

# An inverted file with 4 sqrt(N) cells, of which every search visits so many; cells are k-means of so many points each.
PROBES = 32
TRAINING_POINTS = 64
# Points whose neighbour is searched exactly, to measure the recall.
SAMPLE = 1000


def approximate_neighbours(points: Points) -> tuple[Tensor, Tensor, float]:
    """Neighbours (N,) int64 and distances (N,) as of `first_neighbours`, and their recall, N >= 2.

    An inverted file (faiss.IndexIVFFlat) finds the candidates; the distances to them are exact. A point whose cells
    hold no other point is compared with all. The recall is the share of `SAMPLE` points, evenly spread, for which no
    point is nearer than the one found. The same points give the same neighbours.
    Raises UserError for the cityblock metric and where faiss is not installed.
    """
    rows = np.ascontiguousarray(points.rows.cpu().numpy(), dtype=np.float32)
    index = _inverted_file(rows, points.metric)
    neighbours = np.empty(len(rows), dtype=np.int64)
    for block in progress(slices(len(rows), rows_per_block(1024)), what="approximate neighbours", unit="block"):
        _, found = index.search(rows[block], 2)
        own = found[:, 0] == np.arange(block.start, block.stop)
        neighbours[block] = np.where(own, found[:, 1], found[:, 0])
    made = torch.from_numpy(neighbours).to(points.rows.device)
    alone = (made < 0).nonzero().flatten()
    made[alone] = _exact(points, alone)[0]
    nearest = points.paired(torch.arange(len(made), device=made.device), made)
    sample = torch.linspace(0, len(made) - 1, min(SAMPLE, len(made)), dtype=torch.float64).long().to(made.device)
    right = nearest[sample] <= points.paired(sample, _exact(points, sample)[0])
    return made, nearest, right.double().mean().item()


def _inverted_file(rows: np.ndarray, metric: Metric) -> "faiss.IndexIVFFlat":
    if metric == "cityblock":
        raise UserError("cluster.metric: cityblock has no approximate search; raise cluster.exact_rows")
    try:
        import faiss
    except ImportError as error:
        raise UserError("faiss is not installed; `pip install faiss-cpu`, or raise cluster.exact_rows") from error
    measure = faiss.METRIC_INNER_PRODUCT if metric == "cosine" else faiss.METRIC_L2
    n_cells = max(1, min(int(4 * len(rows) ** 0.5), len(rows) // TRAINING_POINTS))
    quantizer = faiss.IndexFlat(rows.shape[1], measure)
    index = faiss.IndexIVFFlat(quantizer, rows.shape[1], n_cells, measure)
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, TRAINING_POINTS
    index.cp.seed = 0
    index.nprobe = PROBES
    index.train(rows)
    index.add(rows)
    return index


def _exact(points: Points, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Nearest other point of the `chosen` (k,): indices and distances (k,)."""
    neighbours = torch.empty_like(chosen)
    nearest = torch.empty(len(chosen), dtype=points.rows.dtype, device=chosen.device)
    for part in slices(len(chosen), rows_per_block(len(points))):
        distances = points.distances(chosen[part], slice(None))
        distances.scatter_(1, chosen[part, None], torch.inf)
        nearest[part], neighbours[part] = distances.min(dim=1)
    return neighbours, nearest
