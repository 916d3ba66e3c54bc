"""The diagnosis of links, by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.weighting.report import describe_links

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
    assert (tops["pictures"], tops["linked"], tops["items"]) == (4, 4, 2)
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
