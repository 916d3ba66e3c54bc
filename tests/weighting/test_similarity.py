"""The similarity list, worked by hand and against plain loops."""

import numpy as np
import pytest
import torch

from pipeline.arrays import blocks
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.members import ClusteredRows
from pipeline.weighting.similarity import similarity_list


def plain_list(source, products, target, positions, n_shop, has_consumer):
    """The definition, a cluster at a time."""
    rows = []
    for cluster in np.unique(source.clusters):
        inside = np.flatnonzero(source.clusters == cluster)
        present = np.unique(products[inside])
        if not has_consumer[present].any():
            continue
        shares = [np.sum(products[inside] == product) / n_shop[product] for product in present]
        chosen = present[np.array(shares) == max(shares)]
        means = [
            source.embeddings.double().numpy()[inside[products[inside] == product]].mean(axis=0) for product in chosen
        ]
        for t in np.flatnonzero(target.clusters == cluster):
            x = target.embeddings[t].double().numpy()
            cosines = [x @ mean / np.linalg.norm(x) / np.linalg.norm(mean) for mean in means]
            rows.append((positions[t], chosen[np.argmax(cosines)], max(cosines), cluster))
    return sorted(rows)


@pytest.mark.parametrize("block_pairs", [2**24, 9])
@pytest.mark.parametrize("seed", range(5))
def test_equals_the_definition(seed, block_pairs, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", block_pairs)
    rng = np.random.default_rng(seed)
    products = rng.integers(20, size=60)
    n_shop = np.maximum(np.bincount(products, minlength=23), 1)
    has_consumer = rng.random(23) < 0.4
    source = ClusteredRows(torch.from_numpy(rng.normal(size=(60, 5))).float(), rng.integers(25, size=60))
    target = ClusteredRows(torch.from_numpy(rng.normal(size=(40, 5))).float(), rng.integers(30, size=40))
    positions = np.sort(rng.choice(99, size=40, replace=False))
    links = similarity_list(source, products, target, positions, n_shop=n_shop, has_consumer=has_consumer)
    expected = plain_list(source, products, target, positions, n_shop, has_consumer)
    assert 0 < len(expected) < 40
    got = zip(links.target, links.product, links.similarity, links.cluster, strict=True)
    for row, wanted in zip(got, expected, strict=True):
        assert row == pytest.approx(wanted, abs=1e-6)


def one_cluster(
    products: list[int], embeddings: list[list[float]], n_shop: list[int], has_consumer: list[bool]
) -> Links:
    """Source rows and a target picture at (1, 0), all in cluster 0."""
    return similarity_list(
        ClusteredRows(torch.tensor(embeddings), np.zeros(len(products), dtype=np.int64)),
        np.array(products),
        ClusteredRows(torch.tensor([[1.0, 0.0]]), np.zeros(1, dtype=np.int64)),
        np.array([7]),
        n_shop=np.array(n_shop),
        has_consumer=np.array(has_consumer),
    )


def test_share_of_own_pictures_decides_who_is_a_candidate():
    # Product 0 is nearer and has two pictures here, but a third elsewhere; product 1 is here with its only one.
    links = one_cluster([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]], [3, 1], [True, True])
    assert (links.target.tolist(), links.product.tolist()) == ([7], [1])
    assert links.similarity.tolist() == pytest.approx([0.6])


def test_the_mean_is_normalised():
    links = one_cluster([0, 0], [[1.0, 0.0], [0.0, 1.0]], [2], [True])
    assert links.similarity.tolist() == pytest.approx([np.sqrt(0.5)])


def test_lowest_code_wins_a_tie():
    assert one_cluster([1, 0], [[0.6, 0.8], [0.6, -0.8]], [1, 1], [True, True]).product.tolist() == [0]


def test_product_without_consumer_competes_but_opens_no_cluster():
    nearer_without = one_cluster([0, 1], [[0.0, 1.0], [1.0, 0.0]], [1, 1], [True, False])
    assert nearer_without.product.tolist() == [1]
    assert len(one_cluster([0, 1], [[0.0, 1.0], [1.0, 0.0]], [1, 1], [False, False])) == 0


def test_thirds_tie_exactly():
    # 1/3 of product 0 and 2/6 of product 1: equal shares, so both are candidates.
    links = one_cluster([0, 1, 1], [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], [3, 6], [True, True])
    assert links.product.tolist() == [1]


def test_group_without_source_rows_has_no_links():
    links = similarity_list(
        ClusteredRows(torch.empty(0, 2), np.empty(0, dtype=np.int64)),
        np.empty(0, dtype=np.int64),
        ClusteredRows(torch.ones(2, 2), np.zeros(2, dtype=np.int64)),
        np.arange(2),
        n_shop=np.array([1]),
        has_consumer=np.array([True]),
    )
    assert len(links) == 0


def test_concatenation_sorts_by_target():
    def links(targets):
        index = np.array(targets)
        return Links(index, index + 10, (index / 10).astype(np.float32), index * 0)

    joined = concatenate([links([4, 9]), links([]), links([2, 5])])
    assert joined.target.tolist() == [2, 4, 5, 9]
    assert joined.product.tolist() == [12, 14, 15, 19]
    assert len(concatenate([])) == 0
