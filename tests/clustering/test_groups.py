"""Which shop pictures are clustered together."""

import numpy as np
import pytest

from pipeline.base.errors import UserError
from pipeline.clustering.groups import build_groups

SOURCE = np.array(["gown", "tee", "gown", "frock", "polo", "tee"])
TARGET = np.array(["tops", "belts", "dresses", "tops", "aprons"])


def test_aligned_groups_then_target_only_ones():
    alignment = {"tops": ["polo", "tee"], "dresses": ["gown", "frock"], "belts": []}
    groups = build_groups(SOURCE, TARGET, alignment)
    assert [(group.name, group.aligned) for group in groups] == [
        ("tops", True),
        ("dresses", True),
        ("aprons", False),
        ("belts", False),
    ]
    # Category by category in the order of the alignment, each in file order.
    assert [group.source.tolist() for group in groups] == [[4, 1, 5], [0, 2, 3], [], []]
    assert [group.target.tolist() for group in groups] == [[0, 3], [2], [4], [1]]
    assert [len(group) for group in groups] == [5, 4, 1, 1]


def test_rows_of_unaligned_source_categories_are_in_no_group():
    (group, *_) = build_groups(SOURCE, TARGET, {"dresses": ["gown"]})
    assert group.source.tolist() == [0, 2]


def test_listed_category_without_a_row_is_reported():
    (group, *_) = build_groups(SOURCE, TARGET, {"dresses": ["gown", "gwon"]})
    assert group.missing == ("gwon",)


@pytest.mark.parametrize(
    ("alignment", "message"),
    [
        ({"tops": ["tea"]}, "alignment.tops: no source shop picture has category 'tea' .*frock, gown, polo, tee"),
        (
            {"topps": ["tee"]},
            "alignment.topps: no target picture has category 'topps' .*aprons, belts, dresses, tops",
        ),
    ],
)
def test_likely_typos_are_refused(alignment, message):
    with pytest.raises(UserError, match=message):
        build_groups(SOURCE, TARGET, alignment)
