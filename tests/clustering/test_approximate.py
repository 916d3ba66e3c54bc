"""Approximate first neighbours: what is found, and what is said about it."""

import builtins

import numpy as np
import pytest
import torch

from pipeline.base.errors import UserError
from pipeline.clustering import approximate
from pipeline.clustering.approximate import approximate_neighbours
from pipeline.clustering.distances import Points
from pipeline.clustering.finch import finch
from pipeline.clustering.neighbours import first_neighbours


@pytest.fixture
def pairs() -> torch.Tensor:
    """1,500 pairs of rows that are each other's nearest by far."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(1500, 24, generator=generator)
    return torch.cat([centres, centres + 0.01 * torch.randn(1500, 24, generator=generator)])


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_near_pairs_are_found(pairs, metric):
    points = Points(pairs, metric)
    neighbours, nearest, recall = approximate_neighbours(points)
    expected, distances = first_neighbours(points)
    assert (neighbours == expected).float().mean() > 0.95
    torch.testing.assert_close(nearest[neighbours == expected], distances[neighbours == expected], atol=1e-6, rtol=1e-5)
    assert recall > 0.95


def test_recall_is_that_of_the_neighbours(monkeypatch):
    """One cell of many is searched in data without structure, so many are missed; the sample is every point."""
    monkeypatch.setattr(approximate, "PROBES", 1)
    points = Points(torch.randn(900, 32, generator=torch.Generator().manual_seed(1)), "cosine")
    neighbours, nearest, recall = approximate_neighbours(points)
    exact, distances = first_neighbours(points)
    assert 0.05 < recall < 0.95
    assert recall == pytest.approx((neighbours == exact).double().mean().item(), abs=1e-9)
    assert (nearest >= distances - 1e-6).all()
    assert (neighbours != torch.arange(900)).all()


def test_a_point_alone_in_its_cell_is_compared_with_all(monkeypatch):
    class Lonely:
        """An index that finds nothing but the point itself."""

        def search(self, rows, k):
            return np.zeros((len(rows), k)), np.stack([np.arange(len(rows)), np.full(len(rows), -1)], axis=1)

    monkeypatch.setattr(approximate, "_inverted_file", lambda rows, metric: Lonely())
    points = Points(torch.randn(200, 4, generator=torch.Generator().manual_seed(2)), "euclidean")
    neighbours, nearest, recall = approximate_neighbours(points)
    expected, distances = first_neighbours(points)
    assert neighbours.equal(expected)
    torch.testing.assert_close(nearest, distances)
    assert recall == 1


def test_same_points_same_neighbours(pairs):
    first, second = (approximate_neighbours(Points(pairs, "cosine")) for _ in range(2))
    assert first[0].equal(second[0])
    assert first[1].equal(second[1])


def test_finch_says_whether_it_searched_approximately(pairs):
    exact, approximately = finch(pairs, exact_rows=3000), finch(pairs, exact_rows=2999)
    assert exact.recall is None
    assert exact.threshold > 0
    assert approximately.threshold is None, "a threshold takes exact neighbours"
    assert 0.95 < approximately.recall <= 1
    assert approximately.counts[0] == pytest.approx(exact.counts[0], rel=0.1)
    together = approximately.labels[:1500, 0] == approximately.labels[1500:, 0]
    assert np.mean(together) > 0.95


def test_cityblock_has_no_approximate_search(pairs):
    with pytest.raises(UserError, match=r"cityblock has no approximate search; raise cluster\.exact_rows"):
        finch(pairs, "cityblock", exact_rows=10)


def test_faiss_is_missed_only_when_it_is_needed(pairs, monkeypatch):
    real = builtins.__import__

    def without_faiss(name, *args, **kwargs):
        if name == "faiss":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_faiss)
    finch(pairs[:50], exact_rows=50)
    with pytest.raises(UserError, match="faiss is not installed"):
        finch(pairs[:50], exact_rows=49)
