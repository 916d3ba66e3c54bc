"""The diagnosis of links, by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.weighting.report import describe_links, describe_target_clusters
from pipeline.weighting.target_clusters import TargetClusters, find_target_clusters

SOURCES = pd.DataFrame(
    [("shirt", "s0"), ("shirt", "s1"), ("blouse", "s2"), ("blouse", "s3"), ("coat", "s4")],
    columns=["category", "item"],
)
TARGETS = pd.DataFrame(
    [
        ("tops", "t0", "shirt"),
        ("tops", "t0", "shirt"),
        ("tops", "t0", "shirt"),
        ("tops", "t1", "blouse"),
        ("hats", "t2", "cap"),
    ],
    columns=["category", "item", "subcategory"],
    index=[10, 11, 12, 13, 14],
)
LINKS = pd.DataFrame(
    [
        (10, "tops", "shirt", "s0", 0.9, 0),
        (11, "tops", "shirt", "s0", 0.8, 0),
        (12, "tops", "blouse", "s2", 0.5, 1),
        (13, "tops", "blouse", "s2", 0.6, 1),
    ],
    columns=["row", "group", "category", "item", "similarity", "cluster"],
)


def report(targets=TARGETS, links=LINKS):
    return describe_links(links, targets, SOURCES, {"tops": ["shirt", "blouse"]})


def test_figures_by_hand():
    tops = report()["groups"]["tops"]
    assert (tops["pictures"], tops["linked"], tops["links"], tops["items"]) == (4, 4, 4, 2)
    assert tops["similarity"]["q0.5"] == pytest.approx(0.7)
    assert tops["same_item"] == pytest.approx(1 / 3)  # of the three pairs of t0, one supports one source item
    assert tops["equal_category"] == pytest.approx(3 / 4)
    assert tops["chance_category"] == pytest.approx(1 / 2)
    assert report()["all"]["pictures"] == 5


def test_without_subcategories_and_without_links():
    tops = report(TARGETS.drop(columns="subcategory"), LINKS.iloc[:0])["groups"]["tops"]
    assert (tops["linked"], tops["items"]) == (0, 0)
    assert np.isnan(tops["same_item"])
    assert "equal_category" not in tops


def test_a_picture_with_two_links():
    twice = pd.concat([LINKS, LINKS.iloc[[0]].assign(item="s1")])
    tops = report(links=twice)["groups"]["tops"]
    assert (tops["linked"], tops["links"], tops["items"]) == (4, 5, 3)
    # t0 has links 10-s0, 10-s1, 11-s0, 12-s2: five pairs of two pictures, one of them to the same item.
    assert tops["same_item"] == pytest.approx(1 / 5)


def test_pictures_of_no_known_item_are_no_item():
    tops = report(TARGETS.assign(item=""))["groups"]["tops"]
    assert np.isnan(tops["same_item"])
    assert tops["linked"] == 4


def test_one_item_id_in_two_categories_is_two_items():
    links = pd.concat([LINKS, pd.DataFrame([(14, "hats", "coat", "s4", 0.7, 0)], columns=LINKS.columns)])
    everything = report(TARGETS.assign(item="t0"), links)["all"]
    assert everything["same_item"] == pytest.approx(2 / 6), "the hat makes no pair with the four tops"


def test_target_clusters_by_hand():
    clusters = TargetClusters(
        np.array([0, 1, 3, 4, 5]), np.array(["hats"] * 2 + ["bags"] * 3), np.array([0, 0, 1, 1, 1])
    )
    categories = np.array(["hats", "hats", "hats", "bags", "bags", "bags", "tops"])
    assert describe_target_clusters(clusters, categories, ["bags", "hats", "tops"]) == {
        "bags": {"pictures": 3, "clustered": 3, "clusters": 1},
        "hats": {"pictures": 3, "clustered": 2, "clusters": 1},
        "tops": {"pictures": 1, "clustered": 0, "clusters": 0},
    }
    assert describe_target_clusters(find_target_clusters([]), categories, []) == {}
