"""Lists in CSV and JSON of sets without code, and their mistakes."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.datasets._shared import listed
from pipeline.datasets._shared.trees import read_tree

CSV = {"file": "a.csv", "kind": "csv", "columns": ["id", "label"], "template": "{id:.2}/{id}.jpg", "split": "train"}
FORM = {"pictures": ["photos/"], "lists": [CSV], "item": "label", "category": "food", "prefix": "set/"}
SET = {"archives": [], "origin": "a shop", "lists": "one", "folder": ".", "meta_domain": "source"}
ROWS = 'id,title,label\n0071,"soup, hot",7\n0082,,8\n\n0093,rice,7\n'


def described(form: dict[str, Any] | None = None, one: dict[str, Any] | None = None, **changes: Any) -> listed.Params:
    form = FORM | {"lists": [CSV | (one or {})]} | (form or {})
    return parse_section(SET | {"forms": {"one": form}} | changes, "x", listed.Params)


def read(root: Path, content: str, *args: Any, **changes: Any) -> Any:
    (root / "a.csv").write_text(content)
    return listed.read_table(root, described(*args, **changes))


def test_paths_are_made_of_columns_and_items_kept_apart(tmp_path):
    table = read(tmp_path, ROWS)
    assert table["image"].tolist() == ["00/0071.jpg", "00/0082.jpg", "00/0093.jpg"]
    assert table["item"].tolist() == ["set/7", "set/8", "set/7"]
    assert set(table["category"]) == {"food"}
    assert set(table["domain"]) == {"shop"}


def test_classes_are_counted_before_they_are_kept(tmp_path):
    table = read(tmp_path, ROWS + "1,,8\n2,,9\n", min_pictures=2)
    assert table["item"].tolist() == ["set/7", "set/8", "set/7", "set/8"]


def test_a_picture_that_is_listed_again_counts_once(tmp_path):
    again = ROWS + "0082,,7\n"
    assert read(tmp_path, again, {"repeats": "first"})["item"].tolist() == ["set/7", "set/8", "set/7"]
    assert len(read(tmp_path, again)) == 4, "left to the check of the table, which refuses it"


def test_pictures_that_are_missing_are_left_to_prepare(tmp_path, picture):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text(ROWS)
    picture(tmp_path / "in/00/0082.jpg")
    (tmp_path / "out").mkdir()
    listed.fetch(tmp_path / "in", tmp_path / "out", described(), seed=1, downloads=tmp_path / "downloads")
    assert len(listed.read_table(tmp_path / "out", described())) == 3


@pytest.mark.parametrize(
    ("content", "args", "says"),
    [
        ("id,name\n1,2\n", {}, "a.csv: no column 'label' in its header line; found id, name"),
        ("id,label\n1,2,3\n", {}, "a.csv line 2: 3 fields where the header names 2"),
        (ROWS + "0099,, \n", {}, "a.csv row 4: label ' ' is empty"),
        (ROWS, {"one": {"template": "{id[4]}.jpg"}}, "a.csv row 1: {'id': '0071', 'label': '7'} makes no path"),
        (ROWS, {"min_pictures": 2}, "1 of 2 classes left with min_pictures: 2"),
    ],
)
def test_mistakes_in_a_csv_list(tmp_path, content, args, says):
    with pytest.raises(UserError, match=says) as caught:
        read(tmp_path, content, **args)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("template", ["{name}.jpg", "{id", "{}.jpg", "{0}.jpg"])
def test_a_template_is_of_the_columns(template):
    with pytest.raises(UserError, match="x.forms.one.lists.0: should have a template of its columns id, label"):
        described(one={"template": template})


def test_a_tree_goes_down_to_paths(tmp_path):
    (tmp_path / "a.json").write_text('{"hat": {"1": ["p", "q"], "2": ["r"]}, "bag": {"1": ["s"]}}')
    table = read_tree(tmp_path, "a.json", ["group", "id", "path"])
    assert table.to_numpy().tolist() == [["bag", "1", "s"], ["hat", "2", "r"]], "the later 1, in the place of the first"
    assert table.index.tolist() == ["entry 1", "entry 2"]


@pytest.mark.parametrize(
    ("content", "columns", "says"),
    [
        ('[{"id": 1}]', ["id", "path"], "a.json entry 1: 'path' is missing; expected id, path"),
        ("[3]", ["id", "path"], "a.json entry 1: 'id' is missing"),
        ('{"a": {"b": ["c"]}}', ["id", "path"], "a.json: expected lists of paths in it, found"),
        ('{"a": ["c"]}', ["group", "id", "path"], "a.json: expected objects 1 levels deep, found"),
        ("{", ["id", "path"], "a.json: entry: Invalid JSON"),
    ],
)
def test_mistakes_in_a_tree(tmp_path, content, columns, says):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=says) as caught:
        read_tree(tmp_path, "a.json", columns)
    assert "\n" not in str(caught.value)
