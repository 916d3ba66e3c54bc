"""Catalogue, strategies and the training structure."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.plugins import plugin_names
from pipeline.ragged import Ragged
from pipeline.weighting import strategy
from pipeline.weighting.catalogue import build_catalogue
from pipeline.weighting.links import Links
from pipeline.weighting.products import build_products

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
    products = build_products(build_catalogue(*ROWS.T), LINKS)
    assert products.categories == ("gown", "tee")
    assert products.bounds.tolist() == [0, 1, 3]
    assert products.codes.tolist() == [0, 2, 3]
    assert rows(products.consumer) == [[4], [1], [8]]
    assert rows(products.shop) == [[2], [3, 6], [0]]
    assert rows(products.target) == [[3], [], [0, 5]]


def test_level_l1_has_no_target_rows():
    products = build_products(build_catalogue(*ROWS.T), None)
    assert rows(products.target) == [[], [], []]


def test_nothing_to_train_on():
    with pytest.raises(UserError, match="no item has both a consumer and a shop picture"):
        build_products(build_catalogue(*ROWS[ROWS[:, 2] == "shop"].T), None)


@pytest.mark.parametrize("name", plugin_names(strategy.STRATEGIES))
def test_strategies_are_subsets_of_what_they_see(name):
    links = strategy.choose_links(name, LINKS, lambda: np.array(["p"] * 6))
    assert (np.diff(links.target) >= 0).all()
    assert set(links.product) <= set(LINKS.product)


def test_ws5_never_reads_target_items():
    links = strategy.choose_links("ws5", LINKS, read_target_items=lambda: pytest.fail("read"))
    assert links is LINKS


def test_a_strategy_that_declares_it_sees_target_items(monkeypatch):
    seen = SimpleNamespace(USES_TARGET_ITEMS=True, links=lambda evidence: evidence.target_items)
    monkeypatch.setattr(strategy, "load_plugin", lambda *_: seen)
    assert strategy.choose_links("ws9", LINKS, lambda: "items") == "items"


def test_unknown_strategy_lists_the_known_ones():
    with pytest.raises(UserError, match="weight.strategy: unknown name 'ws55'; known: .*ws5"):
        strategy.choose_links("ws55", LINKS, lambda: None)


def test_ragged_rows():
    ragged = Ragged.group(np.array([2, 0, 2, 3]), np.array([5, 6, 7, 8]), 5)
    assert rows(ragged) == [[6], [], [5, 7], [8], []]
    assert ragged.lengths.tolist() == [1, 0, 2, 1, 0]
    assert ragged.owners.tolist() == [0, 2, 2, 3]
    assert ragged.places.tolist() == [0, 0, 1, 0]
    assert rows(ragged.take(np.array([3, 1, 2, 2]))) == [[8], [], [5, 7], [5, 7]]
    assert rows(Ragged.stack([ragged, ragged.take(np.array([2]))])) == [[6], [], [5, 7], [8], [], [5, 7]]
