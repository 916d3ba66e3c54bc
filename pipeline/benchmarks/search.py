"""One query against a large index: the published ways, exact search, and ours, in one run on one thread."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from pipeline.arrays.rows import unit_rows
from pipeline.reporting.markdown import markdown_table
from pipeline.retrieval.engines.face import Engine
from pipeline.retrieval.engines.flat import FlatEngine
from pipeline.retrieval.engines.ivf import PLAIN, IvfEngine
from pipeline.retrieval.engines.vectors import Vectors, create_vectors
from pipeline.retrieval.finding import Query, find
from pipeline.retrieval.fusion import Fusion, best, fused_scores
from pipeline.retrieval.index.measure import K, one_thread, sample_of
from pipeline.retrieval.index.tune import lists_for, tune_probes

FUSED = Fusion("euclidean", "euclidean", 0.1)  # published
PUBLISHED_LISTS = 50
SHORTLIST = 20
A_POINT = 16  # rows drawn around a point; fewer than are asked for would make the last ones random
HEADER = ["way", "recall@10", "ms median", "ms p99", "bytes a vector", "build s"]


class World(NamedTuple):
    """Rows to search, with colour features, and queries (Q,) that are none of them."""

    deep: Vectors
    colour: Vectors
    queries: list[Query]


class Way(NamedTuple):
    """How a query is answered: `answer(query)` gives the numbers of 10 rows."""

    name: str
    answer: Callable[[Query], np.ndarray]
    bytes_per_vector: float
    build_seconds: float
    fused: bool


def make_world(real: tuple[np.ndarray, np.ndarray] | None, rows: int, dim: int, queries: int, folder: Path) -> World:
    """So many rows, and queries like them.

    `real`: embeddings (n, D) and colour features (n, C) that are repeated with noise, a similarity of about 0.9 to the
    one repeated; None: they are drawn, around so many points that 16 rows share one. The rows lie in `folder`.
    """
    draw = np.random.default_rng(0)
    if real is None:
        real = (
            unit_rows(draw.standard_normal((rows // A_POINT, dim), dtype=np.float32)),
            draw.standard_normal((rows // A_POINT, 30), dtype=np.float32),
        )
    points, colours = real
    spread = 0.48 / np.sqrt(points.shape[1])  # tan of the angle whose cosine is 0.9
    origin = np.concatenate([np.arange(rows) % len(points), draw.integers(0, len(points), queries)])
    folder.mkdir(parents=True, exist_ok=True)
    deep = create_vectors(folder, rows, points.shape[1])
    made = []
    for start in range(0, len(origin), 65_536):
        part = origin[start : start + 65_536]
        noisy = points[part] + spread * draw.standard_normal((len(part), points.shape[1]), dtype=np.float32)
        made.append(unit_rows(noisy.astype(np.float32)))
        end = min(start + len(part), rows)
        deep[start:end] = made[-1][: max(0, end - start)]
        made[-1] = made[-1][max(0, end - start) :]
    near = np.concatenate(made)
    scale = 0.2 * colours.std()
    coloured = colours[origin] + scale * draw.standard_normal((len(origin), colours.shape[1]), dtype=np.float32)
    ids = np.arange(rows)
    return World(
        Vectors(ids, deep),
        Vectors(ids, coloured[:rows].astype(np.float32)),
        [Query(vector, colour) for vector, colour in zip(near, coloured[rows:].astype(np.float32), strict=True)],
    )


def search_ways(world: World, recall: float) -> list[Way]:
    """The ways that are compared, built."""
    sample = sample_of(world.deep, np.stack([query.deep for query in world.queries]), np.full(len(world.queries), -1))
    flat, flat_seconds = _built(lambda: FlatEngine.build(world.deep))
    kmeans, kmeans_seconds = _built(lambda: IvfEngine.build(world.deep, lists=PUBLISHED_LISTS, storage=PLAIN))
    ours, ours_seconds = _built(lambda: IvfEngine.build(world.deep, lists=lists_for(len(world.deep))))
    with one_thread():
        tune_probes(ours, sample.halves()[0], recall, SHORTLIST)
    name = f"IVF{ours.lists},SQ8, {ours.probes} probed"
    plain, fused = Fusion(), FUSED
    return [
        Way("scipy, fused scan (published)", lambda query: _scan(world, query, fused), 4.0 * world.deep.dim, 0.0, True),
        Way(
            "50 lists of k-means, one probed, fused (published)",
            _found(kmeans, world, fused, 0),
            kmeans.facts["bytes_per_vector"],
            kmeans_seconds,
            True,
        ),
        Way("faiss flat, deep", _found(flat, world, plain), flat.facts["bytes_per_vector"], flat_seconds, False),
        Way(f"{name}, deep", _found(ours, world, plain), ours.facts["bytes_per_vector"], ours_seconds, False),
        Way(f"{name}, fused", _found(ours, world, fused), ours.facts["bytes_per_vector"], ours_seconds, True),
    ]


def time_ways(world: World, ways: list[Way]) -> list[dict[str, Any]]:
    """A row of figures a way: the share of the exact answer, deep or fused, that it finds, and its time on one thread."""

    def exact(fusion: Fusion) -> list[set[int]]:
        return [set(_scan(world, query, fusion).tolist()) for query in world.queries]

    answers = {False: exact(Fusion()), True: exact(FUSED)}
    rows = []
    with threadpool_limits(1), one_thread():
        for way in ways:
            spent, shares = [], []
            for query, wanted in zip(world.queries, answers[way.fused], strict=True):
                start = perf_counter()
                found = way.answer(query)
                spent.append(1000 * (perf_counter() - start))
                shares.append(len(wanted & set(found.tolist())) / len(wanted))
            figures = (float(np.mean(shares)), *(float(np.percentile(spent, rank)) for rank in (50, 99)))
            rows.append(dict(zip(HEADER, (way.name, *figures, way.bytes_per_vector, way.build_seconds), strict=True)))
    return rows


def search_table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a row a way."""
    formats = ("{}", "{:.3f}", "{:.2f}", "{:.2f}", "{:.0f}", "{:.1f}")
    return markdown_table(
        [HEADER, *([shown.format(row[name]) for shown, name in zip(formats, HEADER, strict=True)] for row in rows)]
    )


def _found(engine: Engine, world: World, fusion: Fusion, shortlist: int = SHORTLIST) -> Callable[[Query], np.ndarray]:
    return lambda query: find(engine, query, K, fusion=fusion, shortlist=shortlist, colour=world.colour)[0]


def _scan(world: World, query: Query, fusion: Fusion) -> np.ndarray:
    colour = (query.colour, world.colour.pieces[0])
    scored = fused_scores((query.deep, world.deep.pieces[0]), colour, fusion)
    return best(scored.score, world.deep.ids, K)


def _built(build: Callable[[], Any]) -> tuple[Any, float]:
    start = perf_counter()
    return build(), perf_counter() - start
