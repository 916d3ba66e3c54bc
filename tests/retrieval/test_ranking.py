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
