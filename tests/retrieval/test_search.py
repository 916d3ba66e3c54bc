"""Searches in groups, and those in which pictures are queries and gallery at once, worked by hand."""

from dataclasses import replace

import numpy as np
import torch

from pipeline.arrays import blocks
from pipeline.retrieval.ranking import relevant_rows, top_k
from pipeline.retrieval.search import Side, nearest, one_group, search


def circle(rows: list[tuple[float, str]], known: list[int] | None = None) -> Side:
    """Rows (angle in degrees, item) of one group, known by their positions."""
    angles, items = zip(*rows, strict=True)
    radians = torch.tensor(angles).deg2rad()
    embeddings = torch.stack([radians.cos(), radians.sin()], dim=1)
    return Side(embeddings, np.array(items), one_group(len(rows)), np.array(known or range(len(rows))))


def test_no_picture_finds_itself():
    # the second a is nearer to the b than to the first a; the c is alone and drops out
    rows = circle([(0, "a"), (30, "a"), (40, "b"), (65, "b"), (120, "c")])
    found = search(rows, rows)
    assert found.query.tolist() == [0, 1, 2, 3]
    assert found.dropped.tolist() == [1]
    assert found.ranks.values.tolist() == [1, 2, 2, 1]
    assert nearest(rows, rows, 2).tolist() == [[1, 2], [2, 0], [1, 3], [2, 1], [3, 2]]
    # of the groups, here one an item, only the own one is searched
    rows = replace(rows, groups=rows.labels)
    assert search(rows, rows).ranks.values.tolist() == [1, 1, 1, 1]
    assert nearest(rows, rows, 2).tolist() == [[1, -1], [0, -1], [3, -1], [2, -1], [-1, -1]]


def test_an_exact_repeat_is_found():
    rows = circle([(0, "a"), (0, "a"), (0, "b"), (0, "a")])
    assert search(rows, rows).ranks[0].tolist() == [1, 3]
    assert search(rows, rows).ranks[2].tolist() == [1, 2]  # the b has no other picture


def test_a_gallery_may_hold_some_of_the_queries():
    queries = circle([(0, "a"), (90, "b")], known=[4, 9])
    gallery = circle([(95, "b"), (80, "a"), (0, "a")], known=[1, 2, 4])
    found = search(queries, gallery)
    assert found.ranks.values.tolist() == [1, 1]  # for the first the 95 degrees are farther, itself does not count
    assert nearest(queries, gallery, 3).tolist() == [[1, 0, -1], [0, 1, 2]]


def test_blocks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    items = rng.integers(8, size=50).astype(str)
    rows = Side(torch.from_numpy(rng.normal(size=(50, 3))), items, one_group(50), np.arange(50))
    whole = search(rows, rows, dtype=torch.float64)
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 200)
    parts = search(rows, rows, dtype=torch.float64)
    assert parts.ranks.values.tolist() == whole.ranks.values.tolist()


def test_euclidean_distance_heeds_lengths():
    gallery = torch.tensor([[9.0, 0.0], [0.6, 0.6], [0.0, 2.0]])
    query = torch.tensor([[1.0, 0.0]])
    assert top_k(query, gallery, 3, measure="euclidean").tolist() == [[1, 2, 0]]
    assert top_k(query, gallery, 3).tolist() == [[0, 1, 2]]


def test_relevant_rows_without_the_own_one():
    items = np.array(["a", "b", "a", "a"])
    assert [relevant_rows(items, items, np.arange(4))[row].tolist() for row in range(4)] == [[2, 3], [], [0, 3], [0, 2]]


def test_groups_and_labels_may_be_numbers_and_may_be_empty():
    queries = Side(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([7, 7, 8]), np.array([2, 0, 5]))
    gallery = Side(torch.tensor([[0.0, 1.0], [1.0, 0.1], [1.0, 0.0]]), np.array([7, 7, 9]), np.array([2, 2, 2]))
    found = search(queries, gallery)
    assert found.groups == (0, 2, 5)
    assert found.dropped.tolist() == [1, 0, 1]
    assert (found.query.tolist(), found.ranks[0].tolist()) == ([0], [2, 3])
    nobody = search(queries.take(np.array([1, 2])), gallery)
    assert (len(nobody.query), len(nobody.ranks), nobody.dropped.tolist()) == (0, 0, [1, 0, 1])


def test_a_search_measures_as_it_is_told():
    queries = Side(torch.tensor([[1.0, 0.0]]), np.array(["a"]), one_group(1))
    gallery = Side(torch.tensor([[9.0, 0.0], [0.6, 0.6]]), np.array(["b", "a"]), one_group(2))
    assert search(queries, gallery).ranks.values.tolist() == [2]
    assert search(queries, gallery, measure="euclidean").ranks.values.tolist() == [1]
    assert nearest(queries, gallery, 2, measure="euclidean").tolist() == [[1, 0]]
