"""Catalogue and training structure."""

import numpy as np
import pytest

from pipeline.adaptation.products import build_products
from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.table.products import build_catalogue
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.target_clusters import TargetClusters, find_target_clusters

# category, item, domain of eight source rows; item "a" exists in two categories
ROWS = np.array(
    [
        ("tee", "b", "shop"),
        ("tee", "a", "consumer"),
        ("gown", "a", "shop"),
        ("tee", "a", "shop"),
        ("gown", "a", "consumer"),
        ("tee", "c", "shop"),  # no consumer picture
        ("tee", "a", "shop"),
        ("gown", "d", "consumer"),  # no shop picture
        ("tee", "b", "consumer"),
    ]
)
LINKS = Links(np.array([0, 3, 5]), np.array([3, 0, 3]), np.ones(3, dtype=np.float32), np.zeros(3, dtype=np.int64))


NO_CLUSTERS = find_target_clusters([])
CLUSTERS = TargetClusters(
    np.array([1, 2, 4, 6, 8]), np.array(["hat", "bag", "hat", "bag", "hat"]), np.array([9, 2, 10, 2, 9])
)


def rows(ragged: Ragged) -> list[list[int]]:
    return [ragged[index].tolist() for index in range(len(ragged))]


def test_catalogue_tells_products_of_one_item_id_apart():
    catalogue = build_catalogue(*ROWS.T)
    assert [*zip(catalogue.categories, catalogue.items, strict=True)] == [
        ("gown", "a"),
        ("gown", "d"),
        ("tee", "a"),
        ("tee", "b"),
        ("tee", "c"),
    ]
    assert catalogue.codes.tolist() == [3, 2, 0, 2, 0, 4, 2, 1, 3]
    assert catalogue.n_shop.tolist() == [1, 0, 2, 1, 1]
    assert catalogue.n_consumer.tolist() == [1, 1, 1, 1, 0]


def test_products_have_a_consumer_and_a_shop_picture():
    products = build_products(build_catalogue(*ROWS.T), LINKS, NO_CLUSTERS)
    assert products.categories == ("gown", "tee")
    assert products.bounds.tolist() == [0, 1, 3]
    assert products.codes.tolist() == [0, 2, 3]
    assert rows(products.consumer) == [[4], [1], [8]]
    assert rows(products.shop) == [[2], [3, 6], [0]]
    assert rows(products.target) == [[3], [], [0, 5]]
    assert products.count() == {"items": 3, "supported": 2, "target_only": 0}


def test_clusters_are_products_in_categories_of_their_own():
    products = build_products(build_catalogue(*ROWS.T), LINKS, CLUSTERS)
    assert products.categories == ("gown", "tee", "bag", "hat")
    assert products.bounds.tolist() == [0, 1, 3, 4, 6]
    assert products.of_source.tolist() == [True] * 3 + [False] * 3
    assert rows(products.consumer) == [[4], [1], [8], [], [], []]
    assert rows(products.shop) == [[2], [3, 6], [0], [], [], []]
    assert rows(products.target) == [[3], [], [0, 5], [2, 6], [1, 8], [4]], "cluster 9 comes before 10"
    assert products.count() == {"items": 3, "supported": 2, "target_only": 3}


def test_a_target_category_may_be_called_like_one_of_the_source():
    products = build_products(
        build_catalogue(*ROWS.T), LINKS, TargetClusters(np.arange(2), np.array(["tee"] * 2), np.array([7, 7]))
    )
    assert products.categories == ("gown", "tee", "tee")
    assert rows(products.target)[3:] == [[0, 1]]


def test_without_targets_all_else_stays():
    products = build_products(build_catalogue(*ROWS.T), LINKS, CLUSTERS)
    control = products.without_targets()
    assert rows(control.target) == [[]] * 6
    assert control.bounds.tolist() == products.bounds.tolist()
    assert rows(control.shop) == rows(products.shop)
    assert control.count() == {"items": 3, "supported": 0, "target_only": 0}


def test_nothing_to_train_on():
    with pytest.raises(UserError, match="no item has both a consumer and a shop picture"):
        build_products(build_catalogue(*ROWS[ROWS[:, 2] == "shop"].T), concatenate([]), CLUSTERS)


def test_ragged_rows():
    ragged = Ragged.group(np.array([2, 0, 2, 3]), np.array([5, 6, 7, 8]), 5)
    assert rows(ragged) == [[6], [], [5, 7], [8], []]
    assert ragged.lengths.tolist() == [1, 0, 2, 1, 0]
    assert ragged.owners.tolist() == [0, 2, 2, 3]
    assert ragged.places.tolist() == [0, 0, 1, 0]
    assert rows(ragged.take(np.array([3, 1, 2, 2]))) == [[8], [], [5, 7], [5, 7]]
    assert rows(Ragged.stack([ragged, ragged.take(np.array([2]))])) == [[6], [], [5, 7], [8], [], [5, 7]]
    assert rows(Ragged.stack([ragged, Ragged.empty(2)]))[5:] == [[], []]
