"""The table of attributes: checked, written, read, and joined with rows of the manifest."""

import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.base.names import Part
from pipeline.table.attribute_remarks import attribute_remarks
from pipeline.table.attributes import (
    check_attributes,
    no_attributes,
    part_attributes,
    read_attributes,
    with_attributes,
    write_attributes,
)
from pipeline.table.counts import count_attributes
from pipeline.table.manifest import check_table

SPLITS = ["train", "train", "val", "test", "test"]
ENTRIES = [
    (0, "neck", "v", "train"),
    (1, "neck", "v", "train"),
    (1, "neck", "round", "train"),
    (0, "neck", "round", "train"),
    (2, "neck", "v", "query"),
    (2, "neck", "v", "gallery"),
    (4, "neck", "round", "query"),
    (3, "neck", "round", "gallery"),
    (4, "neck", "v", "test"),
]


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [{"image": f"{n}.jpg", "item": str(n), "split": split} for n, split in enumerate(SPLITS)]
    return check_table(pd.DataFrame(rows).assign(category="hat", domain="shop", meta_domain="source"), "d")


@pytest.fixture
def entries() -> pd.DataFrame:
    return pd.DataFrame(ENTRIES, columns=["row", "attribute", "value", "split"])


def test_checked_and_back_from_its_file(tmp_path, table, entries):
    checked = check_attributes(entries.assign(row=entries["row"].astype(float)), table, "d")
    pd.testing.assert_frame_equal(checked, entries.astype(no_attributes().dtypes))
    for name in ("a", "b"):
        write_attributes(tmp_path / name, checked)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    pd.testing.assert_frame_equal(read_attributes(tmp_path / "a"), checked)
    write_attributes(tmp_path / "none", no_attributes())
    pd.testing.assert_frame_equal(read_attributes(tmp_path / "none"), no_attributes())


def test_the_split_is_that_of_the_picture(table, entries):
    few = entries.iloc[:6].drop_duplicates(["row", "value"]).drop(columns="split")
    assert check_attributes(few, table, "d")["split"].tolist() == ["train"] * 4 + ["val"]


def test_what_is_not_a_table_of_attributes(tmp_path, table, entries):
    with pytest.raises(UserError, match="dataset d: the attributes have no column 'value'"):
        check_attributes(entries.drop(columns="value"), table, "d")
    entries.drop(columns="value").to_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match="a.parquet: not a table of attributes; run `dvc repro prepare`"):
        read_attributes(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ((5, "neck", "v", "train"), r"row 10 of its attributes \(row '5', .*\): no row of the table's 5$"),
        ((-1, "neck", "v", "train"), "no row of the table's 5"),
        ((0.5, "neck", "v", "train"), "no row of the table's 5"),
        ((0, " ", "v", "train"), "the attribute is empty"),
        ((0, "neck", "", "train"), r"row 10 .*image '0.jpg'\): the value is empty"),
        ((0, "neck", None, "train"), "the value is empty"),
        ((0, "sleeve", "v", "validation"), "split 'validation'.*: the split is neither the picture's, nor query or"),
        ((0, "sleeve", "v", "query"), "the split is neither the picture's"),
        ((3, "sleeve", "v", "train"), "the split is neither the picture's"),
        ((1, "neck", "round", "train"), "is there twice; keep one of the rows"),
    ],
)
def test_mistakes_are_named(table, entries, row, says):
    entries = pd.concat([entries, pd.DataFrame([row], columns=entries.columns)], ignore_index=True)
    with pytest.raises(UserError, match=says) as caught:
        check_attributes(entries, table, "d")
    assert str(caught.value).startswith("dataset d, row 10 of its attributes")
    assert "\n" not in str(caught.value)


def test_entries_are_rows_of_the_manifest(table, entries):
    known = with_attributes(table.iloc[1:4], entries)
    assert known.index.tolist() == [1, 1, 2, 2, 3]
    assert known["image"].tolist() == [f"{n}.jpg" for n in known.index]
    assert known["split"].tolist() == ["train", "train", "query", "gallery", "gallery"]
    assert part_attributes(table, entries, Part.SOURCE_TEST).index.tolist() == [3, 4, 4]
    assert part_attributes(table, entries, Part.SOURCE_TRAIN)["value"].tolist() == [*"v", "round", "v", "round", *"vv"]
    assert part_attributes(table, no_attributes(), Part.SOURCE_TEST).empty


def test_counts(entries):
    more = pd.DataFrame([(0, "fit", "slim", "train")], columns=entries.columns)
    counts = count_attributes(pd.concat([entries, more], ignore_index=True))
    assert counts == {"fit": {"entries": 1, "values": 1}, "neck": {"entries": 9, "values": 2}}
    assert count_attributes(no_attributes()) == {}


def test_nothing_to_say(table, entries):
    assert list(attribute_remarks(table, entries)) == []
    assert list(attribute_remarks(table, no_attributes())) == []


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            [(0, "fit", "slim", "train"), (1, "fit", "slim", "train")],
            "1 attribute with one value, which tells nothing apart: fit",
        ),
        ([(0, "neck", "square", "train")], "1 value with one picture to train on, which has no other like it: neck sq"),
        (
            [(0, "neck", value, "train") for value in "pqrs"],
            "4 values with one picture to train on, .*: neck p, neck q, neck r, ...$",
        ),
        ([(4, "neck", "square", "query")], "1 of 2 queries of the source have no candidate of their value: neck sq"),
        (
            [(4, "fit", value, "query") for value in "ab"],
            "2 of 3 queries of the source have no candidate of their attribute: fit",
        ),
        (
            [(2, "neck", "square", "query")],
            "1 of 2 validation queries of the source have no candidate of their value: neck square",
        ),
    ],
)
def test_one_thing_to_say(table, entries, rows, says):
    entries = pd.concat([entries, pd.DataFrame(rows, columns=entries.columns)], ignore_index=True)
    (said,) = attribute_remarks(table, entries)
    assert pd.Series([said]).str.contains(says).all(), said
