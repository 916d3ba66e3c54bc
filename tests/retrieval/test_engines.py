"""Engines find the same rows, and go on doing so when rows come and go."""

import numpy as np
import pytest

from pipeline.arrays.rows import unit_rows
from pipeline.retrieval import finding
from pipeline.retrieval.engines.choice import read_engine
from pipeline.retrieval.engines.face import Among
from pipeline.retrieval.engines.flat import FlatEngine
from pipeline.retrieval.engines.ivf import IvfEngine
from pipeline.retrieval.engines.vectors import Vectors, create_vectors
from pipeline.retrieval.finding import Query, find
from pipeline.retrieval.fusion import Fusion

N, DIM = 600, 16
DRAW = np.random.default_rng(0)
ROWS = unit_rows(DRAW.standard_normal((N, DIM)).astype(np.float32))
IDS = np.arange(100, 100 + 2 * N, 2)  # numbers with holes
QUERIES = unit_rows(DRAW.standard_normal((20, DIM)).astype(np.float32))


def vectors(folder, n: int = N) -> Vectors:
    file = create_vectors(folder, n, DIM)
    file[:] = ROWS[:n]
    return Vectors(IDS[:n], file)


def flat(folder, n: int = N):
    return FlatEngine.build(vectors(folder, n))


def ivf(folder, n: int = N):
    """Looks into all of its lists, so that it finds what flat finds."""
    return IvfEngine.build(vectors(folder, n), lists=8, probes=8)


def answers(engine, among=None) -> np.ndarray:
    return np.stack(
        [find(engine, Query(query), 10, fusion=Fusion(), shortlist=20, among=among)[0] for query in QUERIES]
    )


def exact(ids: np.ndarray) -> np.ndarray:
    similar = QUERIES.astype(np.float64) @ ROWS[(ids - 100) // 2].T
    return ids[np.argsort(-similar, axis=1, kind="stable")[:, :10]]


@pytest.fixture(params=[flat, ivf])
def build(request):
    return request.param


def test_the_nearest_rows(build, tmp_path):
    np.testing.assert_array_equal(answers(build(tmp_path)), exact(IDS))


@pytest.mark.parametrize("scanned", [0, finding.SCAN_ROWS])
def test_the_nearest_among_some(build, tmp_path, monkeypatch, scanned):
    monkeypatch.setattr(finding, "SCAN_ROWS", scanned)
    among = Among("", np.sort(DRAW.choice(IDS, 120, replace=False)))
    np.testing.assert_array_equal(answers(build(tmp_path), among), exact(among.ids))


def test_fewer_lists_hold_enough_of_a_small_selection(tmp_path):
    engine = ivf(tmp_path)
    engine.probes = 1
    among = Among("", IDS[::50])
    assert (engine.search(QUERIES, len(among.ids), among, len(among.ids)) >= 0).all()


def test_more_lists_are_looked_into_until_enough_is_found(tmp_path):
    engine = ivf(tmp_path)
    engine.probes = 1
    for k in (10, 100, 300, N):
        found, _ = find(engine, Query(QUERIES[0]), k, fusion=Fusion(), shortlist=1)
        assert len(found) == k
    found, _ = find(engine, Query(ROWS[3]), N, fusion=Fusion(), shortlist=1, own=IDS[3])
    assert len(found) == N - 1
    published, _ = find(engine, Query(QUERIES[0]), N, fusion=Fusion(), shortlist=0)
    assert len(published) < N, "the published way looks into one list, whatever it holds"


def test_rows_come_and_go(build, tmp_path):
    engine = build(tmp_path, N - 100)
    engine.add(IDS[N - 100 :], ROWS[N - 100 :], np.full(100, ""))
    np.testing.assert_array_equal(answers(engine), exact(IDS))
    gone = np.concatenate([IDS[:50], IDS[-20:]])
    engine.remove(gone)
    left = np.setdiff1d(IDS, gone)
    np.testing.assert_array_equal(engine.ids, left)
    np.testing.assert_array_equal(answers(engine), exact(left))
    np.testing.assert_array_equal(engine.rows(left[::7]), ROWS[(left[::7] - 100) // 2])


def test_what_is_written_is_read(build, tmp_path):
    engine = build(tmp_path)
    engine.remove(IDS[:10])
    folder = tmp_path / "kept"
    folder.mkdir()
    engine.write(folder)
    again = read_engine(folder, engine.facts)
    np.testing.assert_array_equal(again.ids, IDS[10:])
    np.testing.assert_array_equal(answers(again), exact(IDS[10:]))
    assert again.facts == engine.facts


def test_all_that_is_looked_into(tmp_path):
    assert sorted(flat(tmp_path).search(QUERIES[:1], 0)[0].tolist()) == IDS.tolist()
    found = ivf(tmp_path).search(QUERIES[:1], 0)[0]
    assert sorted(found[found >= 0].tolist()) == IDS.tolist()


def test_a_query_does_not_find_itself(build, tmp_path):
    engine = build(tmp_path)
    found, scored = find(engine, Query(ROWS[3]), 10, fusion=Fusion(), shortlist=20, own=IDS[3])
    assert IDS[3] not in found
    assert len(found) == 10
    assert (np.diff(scored.score) <= 0).all()


def test_equal_rows_rank_by_number(build, tmp_path):
    engine = build(tmp_path)
    top = 100 + 2 * N
    engine.add(np.array([top, top + 7]), np.stack([ROWS[5], ROWS[5]]), np.full(2, ""))
    found, _ = find(engine, Query(ROWS[5]), 3, fusion=Fusion(), shortlist=20)
    assert found.tolist() == [IDS[5], top, top + 7]


def test_more_than_there_are(build, tmp_path):
    found, _ = find(build(tmp_path, 100), Query(QUERIES[0]), 1000, fusion=Fusion(), shortlist=20)
    assert sorted(found.tolist()) == IDS[:100].tolist()
