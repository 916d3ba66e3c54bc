"""One query against a large index: the published ways, exact search, and ours, in one run on one thread."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from pipeline.arrays.blocks import slices
from pipeline.arrays.rows import unit_rows
from pipeline.base.errors import UserError
from pipeline.base.names import COLOUR
from pipeline.features.store import open_features
from pipeline.reporting.markdown import markdown_table
from pipeline.retrieval.engines.choice import PUBLISHED_LISTS
from pipeline.retrieval.engines.face import Engine
from pipeline.retrieval.engines.flat import FlatEngine
from pipeline.retrieval.engines.ivf import PLAIN, IvfEngine
from pipeline.retrieval.engines.measure import K, one_thread, sample_of
from pipeline.retrieval.engines.tune import lists_for, tune_probes
from pipeline.retrieval.engines.vectors import BLOCK_ROWS, Vectors, create_vectors
from pipeline.retrieval.finding import Query, find
from pipeline.retrieval.fusion import Fusion, best, fused_scores

FUSED = Fusion("euclidean", "euclidean", 0.1)  # published
SHORTLIST = 20
SPREAD = 0.48  # tan of the angle whose cosine is 0.9
CELLS = 10  # of drawn colour features
A_POINT = 16  # rows drawn around a point; fewer than are asked for would make the last ones random
HEADER = ["way", "recall@10", "ms median", "ms p99", "bytes a vector", "MB", "build s"]


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
        shape = (rows // A_POINT, dim), (rows // A_POINT, 3 * CELLS)
        points, colours = (draw.standard_normal(each, dtype=np.float32) for each in shape)
        points = unit_rows(points)
    else:
        points, colours = real
    folder.mkdir(parents=True, exist_ok=True)
    file, coloured, ids = create_vectors(folder, rows, points.shape[1]), [], np.arange(rows)

    def near(origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        deep, colour = points[origin], colours[origin]
        deep = deep + draw.standard_normal(deep.shape, dtype=np.float32) * np.float32(SPREAD / np.sqrt(deep.shape[1]))
        colour = colour + draw.standard_normal(colour.shape, dtype=np.float32) * np.float32(0.2 * colours.std())
        return unit_rows(deep), colour

    for part in slices(rows, BLOCK_ROWS):
        file[part], colour = near(ids[part] % len(points))
        coloured.append(colour)
    asked = zip(*near(draw.integers(0, len(points), queries)), strict=True)
    return World(Vectors(ids, file), Vectors(ids, np.concatenate(coloured)), [Query(*each) for each in asked])


def read_real(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (n, D) and colour features (n, C) of a feature file. Raises UserError without colours."""
    features = open_features(path)
    if features.colour is None:
        raise UserError(f"{path}: no colour features; set extract.colour and run `dvc repro extract`")
    return features.embedding, np.concatenate([block for (block,) in features.blocks(COLOUR)])


def search_ways(world: World, recall: float) -> list[Way]:
    """The ways that are compared, built."""
    sample = sample_of(world.deep, np.stack([query.deep for query in world.queries]), np.full(len(world.queries), -1))
    flat, flat_seconds = _built(lambda: FlatEngine.build(world.deep))
    kmeans, kmeans_seconds = _built(lambda: IvfEngine.build(world.deep, lists=PUBLISHED_LISTS, storage=PLAIN))
    ours, ours_seconds = _built(lambda: IvfEngine.build(world.deep, lists=lists_for(len(world.deep))))
    with one_thread():
        tune_probes(ours, sample.halves()[0], recall, SHORTLIST)
    plain, fused, name = Fusion(), FUSED, f"IVF{ours.lists},SQ8, {ours.probes} probed"
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
    """A row of figures a way: the share of the exact answer, deep or fused, that it finds, and its time."""

    def exact(fusion: Fusion) -> list[set[int]]:
        return [set(_scan(world, query, fusion).tolist()) for query in world.queries]

    answers = {False: exact(Fusion()), True: exact(FUSED)}
    rows = []
    with one_thread():
        for way in ways:
            spent, shares = [], []
            for query, wanted in zip(world.queries, answers[way.fused], strict=True):
                start = perf_counter()
                found = way.answer(query)
                spent.append(1000 * (perf_counter() - start))
                shares.append(len(wanted & set(found.tolist())) / len(wanted))
            times = (float(np.percentile(spent, rank)) for rank in (50, 99))
            size = way.bytes_per_vector * len(world.deep) / 1e6
            figures = (way.name, float(np.mean(shares)), *times, way.bytes_per_vector, size, way.build_seconds)
            rows.append(dict(zip(HEADER, figures, strict=True)))
    return rows


def search_table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a row a way."""
    formats = ("{}", "{:.3f}", "{:.2f}", "{:.2f}", "{:.0f}", "{:.0f}", "{:.1f}")
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
