"""Order of the gallery, block by block."""

import numpy as np
import pytest
import torch

from pipeline.arrays import blocks
from pipeline.retrieval import ranking
from pipeline.retrieval.ranking import rankings, ranks_of, relevant_ranks, top_k


def ranked(queries, gallery, **settings) -> list[list[int]]:
    return torch.cat([order for _, order in rankings(queries, gallery, **settings)]).tolist()


def features(seed: int, rows: int, dim: int = 5) -> torch.Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))


def test_cosine_descending_whatever_the_lengths_are():
    queries = torch.tensor([[2.0, 0.0], [0.0, 0.1]])
    gallery = torch.tensor([[0.0, 9.0], [0.1, 0.1], [5.0, 0.0], [-1.0, -1.0]])
    assert ranked(queries, gallery) == [[2, 1, 0, 3], [0, 1, 2, 3]]


def test_lower_gallery_row_wins_ties():
    gallery = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [0.0, 3.0]]).repeat(50, 1)
    (order,) = ranked(torch.tensor([[1.0, 0.0]]), gallery)
    assert order == sorted(order, key=lambda row: (row % 4 not in (1, 2), row))


def test_zero_row_is_similar_to_nothing():
    assert ranked(torch.zeros(1, 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]])) == [[0, 1]]
    gallery = torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert ranked(torch.tensor([[1.0, 0.0]]), gallery) == [[2, 1, 0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blocks_do_not_matter(dtype, monkeypatch):
    queries, gallery = features(0, 23), features(1, 40)
    whole = ranked(queries, gallery, dtype=dtype)
    assert ranked(queries, gallery, dtype=dtype, block_queries=4) == whole
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 90)
    parts = [order for _, order in rankings(queries, gallery, dtype=dtype)]
    assert max(part.numel() for part in parts) <= 90
    assert torch.cat(parts).tolist() == whole


def test_top_k_is_the_head_of_the_ranking():
    queries, gallery = features(2, 7), features(3, 9)
    whole = np.array(ranked(queries, gallery))
    np.testing.assert_array_equal(top_k(queries, gallery, 4), whole[:, :4])
    np.testing.assert_array_equal(top_k(queries, gallery, 50), whole)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
@pytest.mark.parametrize(("k", "block_gallery"), [(1, 500), (7, 500), (7, 40), (7, 5), (60, 40), (499, 64), (800, 90)])
def test_selecting_is_sorting_in_ties_too(dtype, measure, k, block_gallery):
    rng = np.random.default_rng(k)
    # Rows along the axes, of few lengths, of which some queries are: every similarity is exact and occurs often.
    gallery = torch.eye(3, dtype=dtype)[rng.integers(3, size=500)] * torch.from_numpy(rng.integers(-2, 3, (500, 1)))
    own = np.where(np.arange(40) % 3, rng.choice(500, 40, replace=False), -1)
    queries = torch.where(torch.from_numpy(own >= 0)[:, None], gallery[own], torch.ones(40, 3, dtype=dtype))
    whole = np.array(ranked(queries, gallery, own=own, measure=measure, dtype=dtype))
    expected = np.where(whole == own[:, None], -1, whole)[:, :k]
    settings = {"own": own, "measure": measure, "dtype": dtype, "block_gallery": block_gallery}
    np.testing.assert_array_equal(top_k(queries, gallery, k, **settings), expected)
    np.testing.assert_array_equal(top_k(queries, gallery, k, block_queries=3, **settings), expected)


def test_all_equal_and_nothing_at_all():
    gallery = torch.ones(70, 2)
    assert top_k(gallery[:2], gallery, 5, block_gallery=8).tolist() == [[0, 1, 2, 3, 4]] * 2
    assert top_k(gallery[:0], gallery, 5).shape == (0, 5)
    assert top_k(gallery, gallery[:0], 5).shape == (70, 0)


def test_selection_holds_a_block_at_a_time(monkeypatch):
    held = []
    selected = ranking._select
    monkeypatch.setattr(ranking, "_select", lambda similar, k: held.append(similar.numel()) or selected(similar, k))
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 600)
    queries, gallery = features(6, 30), features(7, 500)
    got = top_k(queries, gallery, 4, block_gallery=60)
    assert max(held) <= 600
    np.testing.assert_array_equal(got, np.array(ranked(queries, gallery))[:, :4])


def test_relevant_ranks_against_plain_sorting():
    queries, gallery = features(4, 30), features(5, 21)
    rng = np.random.default_rng(0)
    query_items, gallery_items = rng.choice(["a", "b", "c", "zz"], 30), rng.choice(["a", "b", "c"], 21)
    ranks = relevant_ranks(queries, gallery, query_items, gallery_items, block_queries=4)
    for row, (query, item) in enumerate(zip(queries, query_items, strict=True)):
        order = np.argsort(-torch.cosine_similarity(query[None], gallery).numpy(), kind="stable")
        assert ranks[row].tolist() == (np.flatnonzero(gallery_items[order] == item) + 1).tolist()


def test_sorting_and_counting_agree(monkeypatch):
    rng = np.random.default_rng(1)
    gallery = torch.from_numpy(rng.integers(-1, 2, (60, 3))).float()  # many equal similarities
    items, own = rng.integers(4, size=60), np.arange(60)
    settings = {"own": own, "block_queries": 7}
    counted = relevant_ranks(gallery, gallery, items, items, **settings)
    monkeypatch.setattr(ranking, "SORTED_FROM", 0)
    by_sorting = relevant_ranks(gallery, gallery, items, items, **settings)
    assert by_sorting.values.tolist() == counted.values.tolist()


def test_ignored_places_do_not_count():
    relevant = torch.tensor([[False, True, False, True], [True, False, False, False]])
    ignored = torch.tensor([[True, False, True, False], [True, False, False, False]])
    ranks = ranks_of(relevant, ignored)
    assert ranks[0].tolist() == [1, 2]
    assert ranks[1].tolist() == []  # its only relevant place is ignored
    assert ranks_of(relevant)[0].tolist() == [2, 4]
