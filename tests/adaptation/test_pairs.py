"""The pairs of an adaptation step."""

from itertools import chain

import numpy as np
import pytest
from support.products import CONSUMER, N_SOURCE, SHOP, TARGET, products, with_clusters

from pipeline.adaptation.pairs import PairSampler


def draws(steps=200, categories=2, items=10, made=None):
    sampler = PairSampler(made or products(), N_SOURCE, categories=categories, items=items, seed=7)
    return [sampler.draw(step) for step in range(steps)]


def kinds(pairs):
    """(product, kind) of every pair; kind by where the two rows come from."""
    where = (
        dict.fromkeys(range(10), "c") | dict.fromkeys(range(10, 20), "s") | {N_SOURCE + row: "t" for row in range(4)}
    )
    return [(p, where[a] + where[b]) for p, a, b in zip(pairs.product, pairs.first, pairs.second, strict=True)]


def test_each_product_gives_the_published_pairs():
    expected = {
        0: ["cs", "cc", "ct", "tt"],  # 3 consumer, 1 shop, 3 target
        1: ["cs", "ss"],
        2: ["cs", "cc", "ss", "ct"],  # one target picture: no pair of two
        3: ["cs"],
        4: ["cs", "cc"],
    }
    for pairs in draws():
        found = {product: [] for product in expected}
        for product, kind in kinds(pairs):
            found[product].append(kind)
        assert {product: sorted(kinds_) for product, kinds_ in found.items()} == {
            p: sorted(k) for p, k in expected.items()
        }


def test_pairs_stay_within_the_product_are_distinct_and_reach_every_picture():
    seen = set()
    for pairs in draws():
        for product, first, second in zip(pairs.product, pairs.first, pairs.second, strict=True):
            own = {*CONSUMER[product], *SHOP[product], *(N_SOURCE + row for row in TARGET[product])}
            assert {first, second} <= own
            assert first != second
            seen |= {first, second}
    assert seen == {*chain(*CONSUMER), *chain(*SHOP), *(N_SOURCE + row for row in chain(*TARGET))}


def test_target_pair_reuses_the_consumer_picture_of_the_shop_pair():
    for pairs in draws(50):
        of_kind = {(product, kind): first for (product, kind), first in zip(kinds(pairs), pairs.first, strict=True)}
        for product in (0, 2):
            assert of_kind[product, "cs"] == of_kind[product, "ct"]


def test_two_of_a_list_are_uniform_over_ordered_pairs():
    counts = np.zeros((3, 3))
    for pairs in draws(3000):
        for (product, kind), first, second in zip(kinds(pairs), pairs.first, pairs.second, strict=True):
            if (product, kind) == (0, "cc"):
                counts[first, second] += 1
    assert (np.diag(counts) == 0).all()
    np.testing.assert_allclose(counts[~np.eye(3, dtype=bool)] / 3000, 1 / 6, atol=0.03)


def test_control_trains_on_the_same_source_pairs():
    without = draws(20, made=products([[], [], [], [], []]))
    for pairs, control in zip(draws(20), without, strict=True):
        source = (pairs.first < N_SOURCE) & (pairs.second < N_SOURCE)
        np.testing.assert_array_equal(pairs.first[source], control.first)
        np.testing.assert_array_equal(pairs.second[source], control.second)


def test_a_cluster_gives_one_pair_of_two_distinct_target_pictures():
    seen = set()
    for pairs in draws(100, categories=4, made=with_clusters()):
        alone = pairs.product >= 5
        assert sorted(pairs.product[alone]) == [5, 6, 7]
        assert sorted(pairs.category[alone]) == [2, 2, 3]
        assert (pairs.first[alone] != pairs.second[alone]).all()
        for product, first, second in zip(pairs.product[alone], pairs.first[alone], pairs.second[alone], strict=True):
            own = {N_SOURCE + row for row in with_clusters().target[product]}
            assert {first, second} <= own
            seen |= {first, second}
    assert seen == {N_SOURCE + row for row in range(4, 11)}


@pytest.mark.parametrize(("categories", "items"), [(4, 10), (2, 10), (1, 1), (3, 2)])
def test_control_draws_the_same_source_pairs_beside_clusters(categories, items):
    made = with_clusters()
    sizes = {"steps": 60, "categories": categories, "items": items}
    empty = 0
    for pairs, control in zip(draws(**sizes, made=made), draws(**sizes, made=made.without_targets()), strict=True):
        source = (pairs.first < N_SOURCE) & (pairs.second < N_SOURCE)
        for name in ("first", "second", "product", "category"):
            np.testing.assert_array_equal(getattr(pairs, name)[source], getattr(control, name))
        assert set(control.category) <= {0, 1}
        assert len(pairs.first) > 0
        empty += len(control.first) == 0
    assert (empty > 0) == (categories < 3), "two categories are target-only, so fewer may be nothing but those"


def test_categories_and_items_are_drawn_without_replacement():
    for pairs in draws(50, categories=1, items=2):
        assert len(set(pairs.category)) == 1
        assert len(set(pairs.product)) == 2
        assert set(pairs.product) <= (set(range(3)) if pairs.category[0] == 0 else {3, 4})


@pytest.mark.parametrize("step", [0, 5])
def test_draws_depend_on_the_step_only(step):
    sampler = PairSampler(products(), N_SOURCE, categories=2, items=2, seed=7)
    alone = sampler.draw(step)
    for other in range(9):
        sampler.draw(other)
    again = sampler.draw(step)
    np.testing.assert_array_equal(alone.first, again.first)
    np.testing.assert_array_equal(alone.second, again.second)
