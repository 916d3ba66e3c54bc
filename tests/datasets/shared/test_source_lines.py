"""Mistakes in list files are told by file, line and field."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.datasets._shared.boxes import corner_boxes
from pipeline.datasets._shared.lines import look_up, numbers, refuse_others, whole_numbers
from pipeline.datasets._shared.lists import read_named_rows, read_rows

PATH = Path("list.txt")


def column(*fields: str) -> pd.Series:
    """As read from lines 3, 5, 7, ... of a list."""
    return pd.Series(fields, index=range(3, 3 + 2 * len(fields), 2), name="field", dtype=str)


def test_rows_know_their_line(tmp_path):
    (tmp_path / "a.txt").write_text("x 1\n\ny 2\n\n\nz 3\n")
    assert read_rows(tmp_path, "a.txt", ["name", "n"]).index.tolist() == [1, 3, 6]
    (tmp_path / "b.txt").write_text("name  n\n\ny 2\n")
    assert read_named_rows(tmp_path, "b.txt", ["name", "n"]).to_dict("index") == {3: {"name": "y", "n": "2"}}


def test_numbers():
    assert numbers(PATH, column("007", "-1.5", "2e1")).tolist() == [7, -1.5, 20]
    assert whole_numbers(PATH, column("007", "10"), 1, 10).tolist() == [7, 10]
    assert whole_numbers(PATH, column(), 1, 10).dtype == "int64"


@pytest.mark.parametrize("field", ["", "x", "nan", "inf", "1,5", "0x10"])
def test_no_number(field):
    with pytest.raises(UserError, match=f"^list.txt line 5: field '{field}' is no number$"):
        numbers(PATH, column("1", field, "y"))


@pytest.mark.parametrize("field", ["0", "11", "1.0", "-1", "+1", "1e0", "", "²", "9" * 30])
def test_no_whole_number(field):
    with pytest.raises(UserError, match="line 5: field .* is no whole number from 1 to 10$"):
        whole_numbers(PATH, column("1", field), 1, 10)


def test_unknown_field():
    refuse_others(PATH, column("a", "b"), ["a", "b", "c"])
    with pytest.raises(UserError, match="^list.txt line 3: field 'd' is unknown; known: a, b$"):
        refuse_others(PATH, column("d", "e"), ["a", "b"])


def test_look_up_keeps_order_and_lines():
    rows = pd.DataFrame({"id": ["2", "1"], "name": ["two", "one"]}, index=[1, 2])
    found = look_up(PATH, rows, "id", column("1", "3", "2", "1"))["name"]
    assert found.index.tolist() == [3, 5, 7, 9]
    assert found.fillna("").tolist() == ["one", "", "two", "one"]
    doubled = pd.DataFrame({"id": ["2", "1", "2"]}, index=[1, 2, 4])
    with pytest.raises(UserError, match="line 4: id '2' is in an earlier line already"):
        look_up(PATH, doubled, "id", column("1"))


def test_corners():
    boxes = corner_boxes(pd.DataFrame([[1, 2, 4, 8], [float("nan")] * 4], index=[3, 5]))
    assert boxes.loc[3].tolist() == [1, 2, 3, 6]
    assert boxes.loc[5].isna().all()
