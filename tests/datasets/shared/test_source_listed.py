"""Sets that are described, not programmed: what a description may say, and its mistakes."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.datasets._shared import listed

# A shop's list: name of the picture, product, kind; the kinds' boxes in another file.
FORM = {
    "pictures": ["photos/"],
    "lists": [
        {"file": "old.csv", "columns": ["file", "product", "x", "y", "w", "h"], "separator": ";", "split": "train"},
        {"file": "new.csv", "columns": ["file", "product", "x", "y", "w", "h"], "separator": ";", "split": "test"},
    ],
    "path": "file",
    "item": "product",
    "pattern": "(?P<category>[a-z]+)_.+",
    "shape": "kind_*.jpg",
    "sides": ["x", "y", "w", "h"],
}
SET = {
    "archives": [],
    "origin": "the shop",
    "lists": "one",
    "folder": "lists",
    "images": "photos",
    "crop": "boxes",
    "meta_domain": "target",
    "forms": {"one": FORM},
}


def described(form: dict[str, Any] | None = None, **changes: Any) -> listed.Params:
    """The set with changes of its form and of itself."""
    return parse_section(SET | {"forms": {"one": FORM | (form or {})}} | changes, "x", listed.Params)


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    root = tmp_path / "incoming"
    (root / "lists").mkdir(parents=True)
    (root / "lists/old.csv").write_text("hat_1.jpg ; 07 ;1;2;3;4\nhat_2.jpg;07;0;0;8;8\n")
    (root / "lists/new.csv").write_text("bag_1.jpg;9;0;0;5.5;8\n")
    for name in ("hat_1", "hat_2", "bag_1"):
        picture(root / f"photos/{name}.jpg")
    return root


def test_a_set_without_code(incoming, tmp_path):
    params, out = described(), tmp_path / "out"
    out.mkdir()
    listed.fetch(incoming, out, params, seed=1, downloads=tmp_path / "downloads")
    table = listed.read_table(out, params)
    assert table["image"].tolist() == ["photos/hat_1.jpg", "photos/hat_2.jpg", "photos/bag_1.jpg"]
    assert all((out / image).is_file() for image in table["image"])
    assert table["item"].tolist() == ["07", "07", "9"]
    assert table["category"].tolist() == ["hat", "hat", "bag"]
    assert table["split"].tolist() == ["train", "train", "test"]
    assert table[["x", "y", "w", "h"]].to_numpy().tolist() == [[1, 2, 3, 4], [0, 0, 8, 8], [0, 0, 5.5, 8]]
    assert set(table["meta_domain"]) == {"target"}


def test_lists_without_parts_are_halved_by_class(incoming):
    lists = [one | {"split": None} for one in FORM["lists"]]
    assert listed.read_table(incoming, described({"lists": lists}))["split"].tolist() == ["train", "train", "test"]


@pytest.mark.parametrize(
    ("form", "changes", "says"),
    [
        ({"lists": []}, {}, "x.forms.one: should have either lists or class_folders"),
        ({"class_folders": "a"}, {}, "x.forms.one: should have either lists or class_folders"),
        ({"path": "name"}, {}, "x.forms.one: should have the column 'name' in one of its lists"),
        ({"number": "class_id"}, {}, "x.forms.one: should have the column 'class_id' in one of its lists"),
        ({"joined": [{"file": "a.txt", "columns": ["id"]}]}, {}, "should have a column of a.txt in an earlier list"),
        ({"item": None}, {}, "should tell the class by names and number, by item, or by the pattern's group class"),
        ({"lists": [FORM["lists"][0], FORM["lists"][1] | {"split": None}]}, {}, "should have a split for all of its"),
        ({"pattern": "(?P<kind>a"}, {}, r"x.forms.one.pattern: should be a regular expression \("),
        ({"pattern": "(?P<kind>a)"}, {}, "x.forms.one.pattern: should have no groups but category, class, number"),
        ({"pattern": None}, {}, "x: should have a category, or a group category in the pattern"),
        ({"sides": ["x", "y"]}, {}, "x.forms.one.sides: .* at least 4 items"),
        ({"sides": None}, {}, "x: should have crop: none, since lists: one has no boxes"),
        ({}, {"lists": "two"}, "x: should have as lists one of the forms one"),
        ({}, {"images": "../photos"}, "x.images: should be a relative path"),
    ],
)
def test_mistakes_in_a_description(form, changes, says):
    with pytest.raises(UserError, match=says) as caught:
        described(form, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("bag_1.jpg;07;0;0;5;8\n", "new.csv line 1: product '07' is in the training list too"),
        ("bag_1.jpg;9;0;0;wide;8\n", "new.csv line 1: w 'wide' is no number"),
        ("\nbag.jpg;9;0;0;1;8\n", "new.csv line 2: file 'bag.jpg' is no kind_"),
        ("../a_1.jpg;9;0;0;1;8\n", "new.csv line 1: file '../a_1.jpg' is no kind_"),
    ],
)
def test_mistakes_in_lists(incoming, content, says):
    (incoming / "lists/new.csv").write_text(content)
    with pytest.raises(UserError, match=says):
        listed.read_table(incoming, described())
