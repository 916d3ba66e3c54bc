"""How much of the exact answer an engine finds, and how fast."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import NamedTuple

import faiss
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from pipeline.retrieval.engines.face import Engine
from pipeline.retrieval.engines.vectors import Vectors
from pipeline.retrieval.finding import Query, find
from pipeline.retrieval.fusion import Fusion
from pipeline.retrieval.ranking import top_k

K = 10  # of recall@10
SAMPLED = 400  # queries at most; every second one is for choosing, the others for the figure that is told


class Sample(NamedTuple):
    """Queries (Q, D), the row (Q,) int64 that each one is itself or -1, and the exact answer (Q, k), -1 beyond it."""

    queries: np.ndarray
    own: np.ndarray
    exact: np.ndarray

    def halves(self) -> tuple["Sample", "Sample"]:
        """Every second query, and the others."""
        return Sample(*(values[::2] for values in self)), Sample(*(values[1::2] for values in self))


def sample_of(vectors: Vectors, queries: np.ndarray, own: np.ndarray) -> Sample:
    """Queries (Q, D), of which some may be rows themselves, with their exact answers among the rows of `vectors`."""
    chosen = np.unique(np.linspace(0, len(queries) - 1, min(SAMPLED, len(queries))).astype(np.int64))
    queries, own = queries[chosen], own[chosen]
    return Sample(queries, own, exact_nearest(vectors, queries, own, K))


def exact_nearest(vectors: Vectors, queries: np.ndarray, own: np.ndarray, k: int) -> np.ndarray:
    """Numbers (Q, k) of the rows nearest by cosine, but for the row (Q,) that a query is itself; -1 beyond the last."""
    asked = torch.from_numpy(queries)
    found, similar = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0))
    for ids, rows in vectors.blocks():
        places = top_k(asked, torch.from_numpy(rows), k + 1)
        near = np.einsum("qd,qkd->qk", queries, rows[places], dtype=np.float64)
        found, similar = np.hstack([found, ids[places]]), np.hstack([similar, near])
    similar[found == own[:, None]] = -np.inf
    order = np.lexsort((found, -similar))[:, :k]
    found, similar = np.take_along_axis(found, order, 1), np.take_along_axis(similar, order, 1)
    found[np.isneginf(similar)] = -1
    return np.pad(found, ((0, 0), (0, k - found.shape[1])), constant_values=-1)


def recall(engine: Engine, sample: Sample, fusion: Fusion, shortlist: int) -> float:
    """Mean share of the exact answers that are among as many found ones; NaN without any."""
    shares = []
    for query, own, exact in zip(*sample, strict=True):
        wanted = exact[exact >= 0]
        if len(wanted):
            found, _ = find(engine, Query(query), len(wanted), fusion=fusion, shortlist=shortlist, own=own)
            shares.append(np.isin(wanted, found).mean())
    return float(np.mean(shares)) if shares else float("nan")


def milliseconds(engine: Engine, sample: Sample, fusion: Fusion, shortlist: int) -> float:
    """Median time of one query, on one thread; NaN without any."""
    spent = []
    with one_thread():
        for query in sample.queries:
            start = perf_counter()
            find(engine, Query(query), K, fusion=fusion, shortlist=shortlist)
            spent.append(1000 * (perf_counter() - start))
    return float(np.median(spent)) if spent else float("nan")


@contextmanager
def one_thread() -> Iterator[None]:
    """Context in which faiss and matrix products use one thread."""
    before = faiss.omp_get_max_threads()
    with threadpool_limits(1):
        faiss.omp_set_num_threads(1)
        try:
            yield
        finally:
            faiss.omp_set_num_threads(before)
