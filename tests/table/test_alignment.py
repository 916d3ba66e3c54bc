"""Which source categories stand for a target category: what is surely a mistake."""

import pytest

from pipeline.base.errors import UserError
from pipeline.table.alignment import check_alignment

SOURCE = {"gown", "tee", "frock", "polo"}
TARGET = {"tops", "belts", "dresses", "aprons"}


@pytest.mark.parametrize(
    ("alignment", "owner"),
    [({"tops": ["tee"], "dresses": ["gown", "tee"]}, "dresses"), ({"tops": ["tee", "tee"]}, "tops")],
)
@pytest.mark.parametrize("target", [TARGET, set()])
def test_a_source_category_is_listed_once(alignment, owner, target):
    with pytest.raises(UserError, match=f"data.alignment.{owner}: .*'tee' is listed under 'tops' already"):
        check_alignment(alignment, SOURCE, target)


@pytest.mark.parametrize(
    ("alignment", "message"),
    [
        (
            {"tops": ["polo", "te"]},
            "alignment.tops: no picture of the source has category 'te'; did you mean 'tee'? Drop it",
        ),
        (
            {"topps": ["tee"]},
            "alignment.topps: no picture of the target has category 'topps'; did you mean 'tops'?",
        ),
    ],
)
def test_typos_are_told_by_what_they_are_close_to(alignment, message):
    with pytest.raises(UserError, match=message.replace("?", r"\?")):
        check_alignment(alignment, SOURCE, TARGET)


@pytest.mark.parametrize(
    "alignment",
    [
        {"tops": ["tee", "tea"]},  # what it is close to is listed too
        {"tops": ["tee", "kaftan"]},  # close to nothing
        {"tops": ["tee"], "dresses": []},
    ],
)
def test_rare_categories_are_no_typos(alignment):
    check_alignment(alignment, SOURCE, TARGET)


def test_without_a_target_nothing_is_aligned():
    check_alignment({"topps": ["te"]}, SOURCE, set())
