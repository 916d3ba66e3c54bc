"""The strategies: what each links, what each may look at, and what they need."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.base.errors import UserError
from pipeline.base.plugins import plugin_names
from pipeline.clustering.groups import ClusteredGroup
from pipeline.table.products import build_catalogue
from pipeline.weighting.evidence import Evidence
from pipeline.weighting.links import NO_CLUSTER
from pipeline.weighting.strategy import STRATEGIES, choose_links, load_strategy
from pipeline.weighting.target_clusters import find_target_clusters
from pipeline.weighting.target_items import code_target_products

NAMES = plugin_names(STRATEGIES)
WITH_ITEMS = ["ws6", "ws7", "ws8"]


def angle(degrees: float) -> list[float]:
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]


# Source products 0 and 1 (shirts) and 2 (jeans, not aligned), each with a shop and a consumer picture.
CATALOGUE = build_catalogue(
    np.repeat(["shirt", "shirt", "trousers"], 2), np.repeat(["a", "b", "c"], 2), np.array(["shop", "consumer"] * 3)
)
SOURCE = torch.tensor([angle(d) for d in (0, 5, 40, 45, 90, 95)], dtype=torch.float32)
# Target item p: pictures 0, 1 and 4; q: 2; r: 5. Picture 3 is of a category that is not aligned.
TARGET = torch.tensor([angle(d) for d in (2, 12, 8, 90, 80, 89)], dtype=torch.float32)
ITEMS = np.array(["p", "p", "q", "x", "p", "r"])
TOPS = ClusteredGroup(
    "tops", True, np.array([0, 2]), np.array([0, 1, 2, 4, 5]), np.array([[0], [0], [0], [0], [0], [1], [2]]), 0
)


def evidence(groups=(TOPS,), say=pytest.fail, **changes) -> Evidence:
    fields = {"catalogue": CATALOGUE, "source": SOURCE, "target": TARGET, "groups": groups}
    return Evidence(**fields | changes, say=say)


def made(name, shown=None, items=ITEMS, rows=None):
    shown = shown or evidence()
    rows = np.arange(len(items)) if rows is None else rows
    return choose_links(load_strategy(name), shown, lambda: code_target_products(items, rows, shown.groups, name))


def pairs(links):
    return [*zip(links.target.tolist(), links.product.tolist(), strict=True)]


def test_base_links_all_that_share_a_cluster():
    links = made("base")
    assert pairs(links) == [(target, product) for target in (0, 1, 2) for product in (0, 1)]
    assert links.similarity.tolist() == pytest.approx(np.cos(np.radians([2, 38, 12, 28, 8, 32])))
    assert links.cluster.tolist() == [0] * 6


def test_ws5_takes_the_most_similar():
    assert pairs(made("ws5")) == [(0, 0), (1, 0), (2, 0)]


def test_ws6_is_one_to_one_and_attaches_all_pictures():
    links = made("ws6")  # p (2 degrees off) beats q (8); its picture 4 is in another cluster
    assert pairs(links) == [(0, 0), (1, 0), (4, 0)]
    assert links.similarity.tolist() == pytest.approx([np.cos(np.radians(2))] * 3)
    assert links.cluster.tolist() == [NO_CLUSTER] * 3


@pytest.mark.parametrize("name", ["ws7", "ws8"])
def test_ws7_matches_means_whatever_the_categories(name):
    links = made(name)
    # q is nearest to a; r to c, which is not aligned; the mean of p (about 30 degrees) to b.
    assert pairs(links) == [(0, 1), (1, 1), (2, 0), (4, 1), (5, 2)]
    mean = TARGET[[0, 1, 4]].mean(dim=0)
    assert links.similarity[0] == pytest.approx(float(torch.cosine_similarity(mean, SOURCE[2], dim=0)))
    assert links.similarity[4] == pytest.approx(np.cos(np.radians(1)))
    assert set(links.cluster.tolist()) == {NO_CLUSTER}


@pytest.mark.parametrize("name", ["ws7", "ws8"])
def test_more_target_than_source_items_is_said(name):
    catalogue = build_catalogue(np.array(["shirt"] * 2), np.array(["a"] * 2), np.array(["shop", "consumer"]))
    said = []
    links = made(name, evidence(catalogue=catalogue, source=SOURCE[:2], say=said.append))
    assert pairs(links) == [(2, 0)], "the mean of q is nearest to a"
    assert said == ["2 of 3 target items stay unlinked: only 1 source items have shop pictures"]


def test_products_without_a_shop_picture_are_not_matched():
    catalogue = build_catalogue(
        CATALOGUE.categories[CATALOGUE.codes],
        CATALOGUE.items[CATALOGUE.codes],
        np.array(["consumer", "consumer", "shop", "consumer", "shop", "consumer"]),
    )
    group = replace(TOPS, source=np.array([2]), labels=TOPS.labels[1:])
    links = made("ws7", evidence((group,), catalogue=catalogue, say=lambda _: None))
    assert pairs(links) == [(0, 1), (1, 1), (4, 1), (5, 2)]


@pytest.mark.parametrize("name", NAMES)
def test_links_are_sorted_of_known_rows_and_repeatable(name):
    links = made(name)
    assert len(links) > 0
    assert (np.diff(links.target) >= 0).all()
    assert set(links.target) <= set(TOPS.target)
    assert len(set(pairs(links))) == len(links)
    assert (links.similarity <= 1 + 1e-6).all()
    assert links.similarity.dtype == np.float32
    again = made(name)
    for field in ("target", "product", "similarity", "cluster"):
        np.testing.assert_array_equal(getattr(links, field), getattr(again, field))


@pytest.mark.parametrize("name", NAMES)
def test_without_aligned_groups_there_are_no_links(name):
    assert len(made(name, evidence(groups=()))) == 0


@pytest.mark.parametrize("name", NAMES)
def test_each_strategy_tells_whether_it_reads_target_items(name):
    assert load_strategy(name).USES_TARGET_ITEMS is (name in WITH_ITEMS)
    read = []
    choose_links(
        load_strategy(name),
        evidence(),
        lambda: read.append(1) or code_target_products(ITEMS, np.arange(6), [TOPS], name),
    )
    assert read == ([1] if name in WITH_ITEMS else [])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_item(name, empty):
    items = np.where(np.arange(6) == 4, empty, ITEMS)
    if name in WITH_ITEMS:
        with pytest.raises(UserError) as raised:
            made(name, items=items, rows=np.arange(100, 106))
        for text in ("manifest.parquet: row 104,", "'tops'", f"weight.strategy {name}", "choose ws5 or base"):
            assert text in str(raised.value)
    else:
        made(name, items=items)


def test_items_of_categories_that_are_not_aligned_are_not_needed():
    assert pairs(made("ws6", items=np.where(np.arange(6) == 3, "", ITEMS))) == pairs(made("ws6"))


def test_one_item_id_in_two_categories_is_two_products():
    other = ClusteredGroup("bottoms", True, np.array([4]), np.array([3]), np.array([[0], [0]]), 0)
    items = np.where(np.arange(6) == 3, "p", ITEMS)
    links = made("ws6", evidence((TOPS, other)), items=items)
    assert pairs(links) == [(0, 0), (1, 0), (3, 2), (4, 0)]


def test_unknown_strategy_lists_the_known_ones():
    with pytest.raises(UserError, match="weight.strategy: unknown name 'ws55'; known: base, ws5, ws6, ws7, ws8"):
        load_strategy("ws55")


def test_target_clusters_have_two_pictures_and_no_alignment():
    hats = ClusteredGroup("hats", False, np.empty(0, dtype=int), np.array([9, 3, 7]), np.array([[0], [1], [0]]), 0)
    bags = ClusteredGroup("bags", False, np.empty(0, dtype=int), np.array([5]), np.array([[0]]), 0)
    clusters = find_target_clusters([TOPS, hats, bags])
    assert clusters.target.tolist() == [7, 9]
    assert clusters.group.tolist() == ["hats", "hats"]
    assert clusters.cluster.tolist() == [0, 0]
