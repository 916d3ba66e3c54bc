"""Which classes are kept by their numbers of pictures."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.datasets._shared.class_sizes import SizeParams, keep_sizes

TABLE = pd.DataFrame({"item": list("abacbcaaad"), "image": range(10)})  # a 5, b 2, c 2, d 1


def kept(**params: Any) -> pd.DataFrame:
    return keep_sizes(TABLE, parse_section(params, "x", SizeParams), Path("set"))


def test_everything_is_kept_without_limits():
    assert kept() is TABLE


def test_rare_classes_are_left_out():
    assert kept(min_pictures=2)["item"].tolist() == list("abacbcaaa")


def test_pictures_of_large_classes_are_drawn_by_the_seed():
    drawn = {seed: kept(max_pictures=2, draw_seed=seed) for seed in range(5)}
    for table in drawn.values():
        assert table["item"].value_counts().to_dict() == {"a": 2, "b": 2, "c": 2, "d": 1}
        assert table["image"].is_monotonic_increasing
    assert len({tuple(table["image"]) for table in drawn.values()}) > 1
    assert kept(max_pictures=2, draw_seed=3).equals(drawn[3])


def test_large_classes_are_left_out_on_demand():
    assert kept(max_pictures=2, above_max="drop")["item"].tolist() == list("bcbcd")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"min_pictures": 3}, "set: 1 of 4 classes left with min_pictures: 3, max_pictures: null; two are needed"),
        ({"min_pictures": 9}, "set: 0 of 4 classes left"),
        ({"min_pictures": 3, "max_pictures": 2}, "x: should have a max_pictures that is not below min_pictures"),
        ({"min_pictures": 0}, "x.min_pictures: "),
    ],
)
def test_mistakes(params, says):
    with pytest.raises(UserError, match=says):
        kept(**params)
