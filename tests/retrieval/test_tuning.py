"""The lists that are looked into are the fewest that find enough, and the figure told is of other queries."""

import numpy as np
import pytest

from pipeline.arrays.rows import unit_rows
from pipeline.retrieval.engines.ivf import IvfEngine
from pipeline.retrieval.engines.measure import exact_nearest, recall, sample_of
from pipeline.retrieval.engines.tune import lists_for, tune_probes
from pipeline.retrieval.engines.vectors import Vectors
from pipeline.retrieval.fusion import Fusion

DRAW = np.random.default_rng(1)
ROWS = unit_rows(DRAW.standard_normal((3000, 8)).astype(np.float32))
ASKED = unit_rows(DRAW.standard_normal((100, 8)).astype(np.float32))
NOBODY = np.full(len(ASKED), -1)


def test_lists_grow_with_the_rows():
    assert [lists_for(rows) for rows in (1, 38, 39, 1000, 139_709, 10**6)] == [1, 1, 1, 25, 1492, 4000]


def test_exact_answers():
    vectors = Vectors(np.arange(10, 3010), ROWS)
    order = np.argsort(-(ASKED.astype(np.float64) @ ROWS.T), axis=1, kind="stable")[:, :10] + 10
    np.testing.assert_array_equal(exact_nearest(vectors, ASKED, NOBODY, 10), order)
    itself = exact_nearest(vectors, ROWS[:5], np.arange(10, 15), 10)
    assert not (itself == np.arange(10, 15)[:, None]).any()
    few = exact_nearest(Vectors(np.arange(3), ROWS[:3]), ROWS[:1], np.array([0]), 10)
    assert (few[0] >= 0).sum() == 2


@pytest.mark.parametrize("least", [0.5, 0.9, 1.0])
def test_fewest_probes(least):
    vectors = Vectors(np.arange(3000), ROWS)
    engine = IvfEngine.build(vectors, lists=50)
    chosen, told = sample_of(vectors, ASKED, NOBODY).halves()
    probes = tune_probes(engine, chosen, least, 20)
    assert engine.probes == probes
    assert recall(engine, chosen, Fusion(), 20) >= least or probes == 50
    if probes > 1:
        engine.probes = probes - 1
        assert recall(engine, chosen, Fusion(), 20) < least
    assert not np.isin(told.queries, chosen.queries).all(axis=1).any()
