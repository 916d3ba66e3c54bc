"""What is said of a manifest, each thing where it is so and nothing where it is not."""

import numpy as np
import pandas as pd
import pytest

from pipeline.table.remarks import remarks

ROWS = [
    ("s0.png", "s0", "skirt", "consumer", "source", "train", "a"),
    ("s1.png", "s0", "skirt", "shop", "source", "val", "b"),
    ("t0.png", "t0", "skirts", "consumer", "target", "query", "c"),
    ("t1.png", "t0", "skirts", "shop", "target", "gallery", "d"),
    ("t2.png", "", "skirts", "shop", "target", "train", "e"),
    ("t3.png", "t9", "skirts", "shop", "target", "train", "e"),
    ("u0.png", "u0", "hats", "shop", "target", "test", "f"),
    ("u1.png", "u0", "hats", "shop", "target", "test", "g"),
]
COLUMNS = ["image", "item", "category", "domain", "meta_domain", "split", "digest"]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS).assign(**dict.fromkeys("xywh", np.nan))


def test_nothing_to_say(table):
    assert list(remarks(table)) == []


@pytest.mark.parametrize(
    ("row", "column", "value", "says"),
    [
        (2, "item", "t7", "1 of 1 queries of the target have no picture of .* in the gallery: t0.png .item t7"),
        (3, "category", "tops", "1 of 1 queries of the target"),
        (6, "item", "u5", "2 of 2 test pictures of the target are the only one of their .*: u0.png .item u5"),
        (0, "domain", "shop", "the source has no consumer pictures"),
    ],
)
def test_one_thing(table, row, column, value, says):
    table.loc[row, column] = value
    (said,) = remarks(table)
    assert pd.Series([said]).str.contains(says).all(), said


def test_a_picture_under_two_items(table):
    more = table.iloc[[1]].assign(image="s2.png", item="s5")
    (said,) = remarks(pd.concat([table, more], ignore_index=True))
    assert said == (
        "1 pictures of the source are there, byte for byte, under two items or more: "
        "s1.png (item s0) is also s2.png (item s5)"
    )


def test_two_boxes_of_a_picture_may_show_two_items(table):
    boxes = pd.DataFrame([(0, 0, 9, 9), (9, 0, 9, 9)], columns=list("xywh"))
    two = table.iloc[[0, 0]].reset_index(drop=True).assign(item=["s0", "s5"], **boxes)
    assert list(remarks(pd.concat([table, two], ignore_index=True))) == []


def test_sets_without_pictures_or_without_a_source(table):
    assert list(remarks(table.assign(digest="features-0", domain="shop")[:2])) == []
    assert list(remarks(table[2:])) == []
