"""List files and tables: every field stays text, damage is named by line."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from pydantic import BaseModel

from pipeline.base.errors import UserError
from pipeline.datasets._shared.lists import read_headed_rows, read_json_list, read_rows
from pipeline.datasets._shared.tables import read_text_table


class Entry(BaseModel):
    photo: int
    name: str


def put(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def test_rows_by_blanks_or_separator(tmp_path):
    put(tmp_path, "a.txt", "x/1.jpg   007  1\n\nx/2.jpg 008 2\n")
    assert read_rows(tmp_path, "a.txt", ["path", "id", "n"]).to_numpy().tolist() == [
        ["x/1.jpg", "007", "1"],
        ["x/2.jpg", "008", "2"],
    ]
    put(tmp_path, "b.txt.gz", gzip.compress(b"x 1.jpg,007\n"))
    assert read_rows(tmp_path, "b.txt", ["path", "id"], ",").to_numpy().tolist() == [["x 1.jpg", "007"]]


def test_deepfashion_header(tmp_path):
    put(tmp_path, "list.txt", "2\nimage_name  clothes_type   x_1\nimg/a.jpg    1   010\nimg/b.jpg    2   20  \n")
    table = read_headed_rows(tmp_path, "list.txt", ["x_1", "image_name"])
    assert table.to_numpy().tolist() == [["010", "img/a.jpg"], ["20", "img/b.jpg"]]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "expected the number of rows in line 1"),
        ("2", "expected the number of rows in line 1"),
        ("two\na b\n", "expected the number of rows in line 1"),
        ("1\na c\n1 2\n", "expected the number of rows in line 1 and the columns a, b"),
        ("3\na b\n1 2\n3 4\n", "promises 3 rows, found 2"),
        ("2\na b\n1 2\n3\n", "line 4: expected 2 fields"),
    ],
)
def test_damaged_headed_list(tmp_path, content, problem):
    put(tmp_path, "list.txt", content)
    with pytest.raises(UserError, match=problem):
        read_headed_rows(tmp_path, "list.txt", ["a", "b"])


def test_damaged_lists(tmp_path):
    put(tmp_path, "cut.txt.gz", gzip.compress(b"a b\n" * 1000)[:-10])
    put(tmp_path, "fake.txt.gz", b"a b\n")
    put(tmp_path, "latin.txt", b"caf\xe9 b\n")
    put(tmp_path, "short.txt", b"a b\na\n")
    for name, problem in {
        "cut.txt": "damaged file",
        "fake.txt": "damaged file",
        "latin.txt": "not text in UTF-8",
        "short.txt": "line 2: expected 2 fields",
        "absent.txt": "no such file",
    }.items():
        with pytest.raises(UserError, match=problem) as caught:
            read_rows(tmp_path, name, ["one", "two"])
        assert name in str(caught.value)


def test_json_lists(tmp_path):
    put(tmp_path, "good.json", '[{"photo": 7, "name": "x", "more": 1}]')
    assert read_json_list(tmp_path, "good.json", Entry) == [Entry(photo=7, name="x")]
    for content, problem in {
        '[{"photo": 7,': "Invalid JSON",
        '{"photo": 7}': "valid list|valid array",
        '[{"photo": 7, "name": "x"}, {"photo": 7}]': "entry 1 name: Field required",
        '[{"photo": "seven", "name": "x"}]': "entry 0 photo: .*found 'seven'",
    }.items():
        put(tmp_path, "bad.json", content)
        with pytest.raises(UserError, match=problem) as caught:
            read_json_list(tmp_path, "bad.json", Entry)
        assert "\n" not in str(caught.value)


def test_csv_stays_text(tmp_path):
    put(tmp_path, "t.csv", '\ufeffitem;note\n007;NA\n1e5;""\n"a;b";nan\n\n')
    assert read_text_table(tmp_path, "t.csv", ";").to_dict("list") == {
        "item": ["007", "1e5", "a;b"],
        "note": ["NA", "", "nan"],
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "expected a header line"),
        ("a,a\n1,2\n", "distinct column names"),
        ("a,b\n1,2\n1\n", "line 3: 1 fields where the header names 2"),
        ("a,b\n1,2,3\n", "line 2: 3 fields where the header names 2"),
        ('a,b\n"1,2\n', "not valid CSV"),
        (b"a,b\n\xff,2\n", "not text in UTF-8"),
    ],
)
def test_damaged_csv(tmp_path, content, problem):
    put(tmp_path, "t.csv", content)
    with pytest.raises(UserError, match=problem):
        read_text_table(tmp_path, "t.csv")


def test_parquet_as_text(tmp_path):
    frame = pd.DataFrame({"item": ["007", None], "x": [0.1, float("nan")], "n": [2**60 + 1, 3], "l": [[1], [2]]})
    frame["kind"] = pd.Categorical(["a", "b"])
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_text_table(tmp_path, "t.parquet")
    assert table["item"].tolist() == ["007", ""]
    assert float(table["x"][0]) == 0.1
    assert table["n"].tolist() == [str(2**60 + 1), "3"]
    assert table["kind"].tolist() == ["a", "b"]
    assert "l" not in table


def test_damaged_parquet(tmp_path):
    pd.DataFrame({"a": ["1"]}).to_parquet(tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    for content in (b"", b"nothing", whole[:-20]):
        put(tmp_path, "t.parquet", content)
        with pytest.raises(UserError, match=r"t.parquet: not a whole parquet file") as caught:
            read_text_table(tmp_path, "t.parquet")
        assert "\n" not in str(caught.value)
