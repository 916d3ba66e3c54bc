"""FINCH against a slow, obvious version and on cases worked by hand."""

import numpy as np
import pytest
import torch

from pipeline.arrays import blocks
from pipeline.base.errors import UserError
from pipeline.clustering import stars as links
from pipeline.clustering.distances import Points
from pipeline.clustering.finch import FinchResult, choose_partition, finch
from pipeline.clustering.means import cluster_means
from pipeline.clustering.neighbours import first_neighbours


def reference_level(distances: np.ndarray, threshold: float | None) -> tuple[np.ndarray, float]:
    """One step with the full matrices: labels by first appearance, and the largest weight x distance."""
    n = len(distances)
    hidden = distances + np.diag(np.full(n, np.inf))
    links_to = np.eye(n)[hidden.argmin(axis=1)]
    weights = (np.eye(n) + links_to) @ (np.eye(n) + links_to).T
    np.fill_diagonal(weights, 0)
    lengths = weights * distances
    linked = weights > 0 if threshold is None else (weights > 0) & (lengths <= threshold)
    labels = np.full(n, -1)
    for start in range(n):
        if labels[start] < 0:
            labels[start], waiting = labels.max() + 1, [start]
            while waiting:
                for other in np.flatnonzero(linked[waiting.pop()] & (labels < 0)):
                    labels[other] = labels[start]
                    waiting.append(other)
    return labels, lengths.max()


def reference_finch(x: np.ndarray, distance, prune: bool) -> list[np.ndarray]:
    labels, threshold = reference_level(distance(x), None)
    partitions = [labels]
    while True:
        count = labels.max() + 1
        means = np.stack([x[labels == label].mean(axis=0) for label in range(count)])
        merged, _ = reference_level(distance(means), threshold if prune else None)
        labels = merged[labels]
        if labels.max() == 0 or labels.max() + 1 >= count:
            return partitions
        partitions.append(labels)
        if count - labels.max() - 1 == 1:
            return partitions


def cosine(x):
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return 1 - unit @ unit.T


def euclidean(x):
    return np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1))


def cityblock(x):
    return np.abs(x[:, None] - x[None]).sum(axis=-1)


DISTANCES = {"cosine": cosine, "euclidean": euclidean, "cityblock": cityblock}


def clumps(seed: int, n: int = 160, dim: int = 6) -> np.ndarray:
    """Points of very uneven density, so that the threshold bites, with a crowd around the origin (large stars)."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(12, dim)) * 4
    spread = rng.uniform(0.05, 2, size=(12, 1))
    member = rng.integers(12, size=n)
    crowd = np.concatenate([np.eye(dim), -np.eye(dim), np.full((1, dim), 0.01)]) + 3
    return np.concatenate([centres[member] + rng.normal(size=(n, dim)) * spread[member], crowd]).astype(np.float32)


@pytest.mark.parametrize("prune", [True, False])
@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 8, 39])  # 8 and 39 stop because a level merged one cluster only
def test_equals_the_definition_in_any_block_size(metric, prune, seed, monkeypatch):
    x = clumps(seed)
    expected = reference_finch(x.astype(np.float64), DISTANCES[metric], prune)
    for block_rows, star_rows in ((None, 128), (50, 7)):
        monkeypatch.setattr(links, "STAR_ROWS", star_rows)
        result = finch(torch.from_numpy(x), metric, prune=prune, block_rows=block_rows)
        assert result.counts == tuple(labels.max() + 1 for labels in expected)
        np.testing.assert_array_equal(result.labels, np.stack(expected, axis=1))


def test_threshold_bites_in_these_cases():
    # Guards the test above: pruned and unpruned partitions differ, or it would prove nothing.
    differing = [
        finch(torch.from_numpy(clumps(seed)), "euclidean").counts
        != finch(torch.from_numpy(clumps(seed)), "euclidean", prune=False).counts
        for seed in range(4)
    ]
    assert all(differing)


def test_star_pair_survives_where_its_links_do_not():
    # 0, 1 and 3 have 2 as first neighbour. The links 0 - 2 and 1 - 2 are long, but 0 and 1 are only 0.1 apart.
    x = torch.tensor([[0.0, 0.9], [0.0, 0.8], [0.0, 0.0], [0.0, -0.05]])
    neighbours = torch.tensor([2, 2, 3, 2])
    nearest = torch.tensor([0.9, 0.8, 0.05, 0.05], dtype=torch.float64)
    points = Points(x, "euclidean")
    assert links.connect(points, neighbours, nearest, 0.15).tolist() == [0, 0, 1, 1]
    assert links.connect(points, neighbours, nearest, 0.095).tolist() == [0, 1, 2, 3]  # mutual pairs count twice
    assert links.connect(points, neighbours, nearest, 0.82).tolist() == [0, 0, 0, 0]  # 0 - 1, 1 - 2


def test_link_as_long_as_the_threshold_survives():
    points = Points(torch.tensor([[0.0], [1.0], [4.0]]), "euclidean")
    neighbours, nearest = first_neighbours(points)
    assert links.connect(points, neighbours, nearest, 3.0).tolist() == [0, 0, 0]
    assert links.connect(points, neighbours, nearest, 2.9).tolist() == [0, 0, 1]
    assert links.connect(points, neighbours, nearest, 2.0).tolist() == [0, 0, 1]
    assert links.connect(points, neighbours, nearest, 1.9).tolist() == [0, 1, 2]


def test_threshold_by_hand():
    # Two mutual pairs on a line, 1 and 3 apart: mutual distances count twice.
    pairs = torch.tensor([[0.0], [1.0], [10.0], [13.0]])
    assert finch(pairs, "euclidean").threshold == 6
    # 1 and 3 both have 2 as first neighbour: that pair, 2.5 apart, beats twice the mutual distance of 1.
    star = torch.tensor([[0.0], [1.5], [2.5]])
    assert finch(star, "euclidean").threshold == pytest.approx(2.5)


def test_smallest_index_wins_ties_and_nobody_is_its_own_neighbour():
    line = torch.tensor([[0.0], [1.0], [2.0], [1e7]])
    neighbours, nearest = first_neighbours(Points(line, "euclidean"))
    assert neighbours.tolist() == [1, 0, 1, 2]
    assert nearest.tolist() == [1, 1, 1, 1e7 - 2]


@pytest.mark.parametrize("metric", DISTANCES)
def test_equal_rows_are_one_cluster(metric):
    # Not representable in few bits, many columns: rounding must not tear equal rows apart.
    row = torch.linspace(0.1, 3.7, 301)
    assert finch(row.repeat(50, 1), metric).counts == (1,)


def test_euclidean_distances_do_not_suffer_from_an_offset():
    x = clumps(1)
    moved = finch(torch.from_numpy(x).double() + 512, "euclidean")
    np.testing.assert_array_equal(moved.labels[:, 0], finch(torch.from_numpy(x), "euclidean").labels[:, 0])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_rows_are_one_cluster(n):
    result = finch(torch.eye(3)[:n], "cosine")
    assert result.labels.tolist() == [[0]] * n
    assert result.labels.dtype == np.int64
    assert result.counts == (1,)


def test_permuted_rows_give_the_same_partitions():
    x = torch.from_numpy(clumps(0))
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    before, after = finch(x, "euclidean"), finch(x[order], "euclidean")
    assert before.counts == after.counts
    for level in range(len(before.counts)):
        pairs = {*zip(before.labels[order.numpy(), level], after.labels[:, level], strict=True)}
        assert len(pairs) == before.counts[level]


def test_labels_number_clusters_by_first_appearance():
    labels = finch(torch.from_numpy(clumps(2)), "cosine").labels
    for column in labels.T:
        _, first = np.unique(column, return_index=True)
        assert (np.diff(first) > 0).all()


def test_memory_is_bounded_by_the_block(monkeypatch):
    # A star of all points is the worst case: every row shares the neighbour in the middle.
    angles = torch.arange(400) * 2 * torch.pi / 400
    x = torch.cat([torch.stack([angles.cos(), angles.sin()], dim=1), torch.zeros(1, 2)])
    largest = 0
    compute = Points.distances

    def spy(self, rows, columns):
        nonlocal largest
        result = compute(self, rows, columns)
        largest = max(largest, result.numel())
        return result

    monkeypatch.setattr(Points, "distances", spy)
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 2000)
    points = Points(x, "euclidean")
    centre = torch.full((401,), 400)
    first_neighbours(points)
    diameter = links.largest_link(points, centre, compute(points, slice(None), centre[:1])[:, 0])
    assert diameter == pytest.approx(2)
    assert largest <= 2000


def test_means_are_of_rows():
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 0.0]])
    means = cluster_means(x, torch.tensor([1, 0, 1]), 2)
    assert means.dtype == torch.float64
    assert means.tolist() == [[3.0, 6.0], [3.0, 1.0]]


def test_means_column_by_column(monkeypatch):
    x, labels = torch.from_numpy(clumps(3)), torch.arange(173) % 7
    whole = cluster_means(x, labels, 7)
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 400)
    assert torch.equal(cluster_means(x, labels, 7), whole)


def test_nan_row_is_named():
    x = torch.ones(5, 3)
    x[3, 1] = torch.nan
    with pytest.raises(UserError, match=r"NaN or infinite values in 1 of 5 rows, the first is row 3"):
        finch(x)


def test_refuses_no_rows_and_unknown_metric():
    with pytest.raises(UserError, match="no rows"):
        finch(torch.empty(0, 4))
    with pytest.raises(UserError, match="unknown metric 'dot'; known: cosine, euclidean, cityblock"):
        finch(torch.ones(4, 2), "dot")


def test_choose_partition_takes_the_last_when_there_are_fewer():
    result = FinchResult(np.array([[0, 0], [1, 0], [2, 1]]), (3, 2), None, None)
    labels, used = choose_partition(result, 0)
    assert (labels.tolist(), used) == ([0, 1, 2], 0)
    labels, used = choose_partition(result, 5)
    assert (labels.tolist(), used) == ([0, 0, 1], 1)
