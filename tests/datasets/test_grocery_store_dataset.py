"""The Grocery Store Dataset: its lists, its parts, the repository it comes from."""

from pathlib import Path

import pandas as pd
import pytest
from support.git_origin import commit_all
from support.presets import preset_params
from support.retrieval_sets import committed

from pipeline.base.errors import UserError
from pipeline.table.manifest import part_rows

NAME = "grocery_store"
ICONS = "iconic-images-and-descriptions"
# Fine class, its id, coarse class, its id, and where it lies.
CLASSES = [
    ("Golden-Delicious", 0, "Apple", 0, "Fruit/Apple/Golden-Delicious"),
    ("Lemon", 1, "Lemon", 1, "Fruit/Lemon"),
    ("Regular-Tomato", 2, "Tomato", 2, "Vegetables/Tomato/Regular-Tomato"),
    ("Leek", 3, "Leek", 3, "Vegetables/Leek"),
    ("Oat-Milk", 4, "Milk", 4, "Packages/Milk/Oat-Milk"),
]
# List, fine class id, number of pictures.
PICTURES = [("test", 0, 1), ("test", 2, 2), ("train", 0, 3), ("train", 1, 1), ("train", 3, 1), ("train", 4, 1)]
HEADER = "Class name,Class id,Coarse class,Coarse class id,Iconic picture,Description"


def natural(split: str, fine: int, number: int) -> str:
    name, *_, folder = CLASSES[fine]
    return f"{split}/{folder}/{name}_{number:03d}.jpg"


def icon(fine: int) -> str:
    name, *_, folder = CLASSES[fine]
    return f"{ICONS}/{folder}/{name}_Iconic.jpg"


def write_classes(path: Path) -> None:
    rows = [f"{c[0]},{c[1]},{c[2]},{c[3]},/{icon(c[1])},/{ICONS}/{c[4]}/about.txt" for c in CLASSES]
    path.write_text("\n".join([HEADER, *rows, ""]))


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    """The set's folder, with `dataset/` as in the public repository."""
    root = tmp_path / "incoming" / "dataset"
    lines: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for split, fine, count in PICTURES:
        for number in range(1, count + 1):
            picture(root / natural(split, fine, number))
            lines[split].append(f"{natural(split, fine, number)}, {fine}, {CLASSES[fine][3]}\n")
    for fine in range(len(CLASSES)):
        picture(root / icon(fine))
    for split, listed in lines.items():
        (root / f"{split}.txt").write_text("".join(listed))
    write_classes(root / "classes.csv")
    return root.parent


def section(**changes):
    """The committed params, but nothing can be fetched."""
    return committed(NAME, **{"repository": "/nowhere"} | changes)


def rows(table: pd.DataFrame, *columns: str, **where: str) -> list:
    """The values of `columns` in the rows that have those of `where`."""
    kept = table[(table[list(where)] == pd.Series(where)).all(axis=1)]
    return list(kept[list(columns)].itertuples(index=False, name=None))


def test_parts_as_source_and_target(incoming, fetched):
    out, table = fetched(incoming, NAME, **section())
    apples = [natural("train", 0, number) for number in (1, 2, 3)] + [natural("test", 0, 1)]
    columns = ("image", "item", "category")
    assert sorted(rows(table, *columns, meta_domain="source", split="train", domain="consumer")) == sorted(
        [(f"dataset/{path}", "Golden-Delicious", "Apple") for path in apples]
        + [(f"dataset/{natural('train', 1, 1)}", "Lemon", "Lemon")]
    )
    assert rows(table, *columns, meta_domain="source", domain="shop") == [
        (f"dataset/{icon(0)}", "Golden-Delicious", "Apple"),
        (f"dataset/{icon(1)}", "Lemon", "Lemon"),
    ]
    assert rows(table, *columns, "domain", meta_domain="target", split="query") == [
        (f"dataset/{natural('train', 3, 1)}", "Leek", "Vegetables", "consumer"),
        (f"dataset/{natural('test', 2, 1)}", "Regular-Tomato", "Vegetables", "consumer"),
        (f"dataset/{natural('test', 2, 2)}", "Regular-Tomato", "Vegetables", "consumer"),
    ]
    assert rows(table, *columns, "domain", split="gallery") == [
        (f"dataset/{icon(3)}", "Leek", "Vegetables", "shop"),
        (f"dataset/{icon(2)}", "Regular-Tomato", "Vegetables", "shop"),
    ]
    assert rows(table, *columns, "domain", meta_domain="target", split="train") == [
        (f"unlabelled/dataset/{icon(3)}", "", "Vegetables", "shop"),
        (f"unlabelled/dataset/{icon(2)}", "", "Vegetables", "shop"),
    ]
    assert len(table) == 5 + 2 + 3 + 2 + 2
    assert len(part_rows(table, "source_test")) == 0
    # Nothing else is copied: no packages, no description.
    lists = [f"dataset/{name}" for name in ("classes.csv", "test.txt", "train.txt", "val.txt")]
    copied = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
    assert sorted(copied) == sorted([*lists, *table["image"]])
    copy, original = out / f"unlabelled/dataset/{icon(2)}", incoming / "dataset" / icon(2)
    assert copy.read_bytes() == original.read_bytes()


def test_coarse_categories_and_packages_as_target(incoming, fetched):
    changes = {"source": ["Fruit", "Packages"], "target_category": "coarse"}
    _, table = fetched(incoming, NAME, **section(**changes))
    assert {category for (category,) in rows(table, "category", meta_domain="target")} == {"Leek", "Tomato"}
    assert {category for (category,) in rows(table, "category", meta_domain="source")} == {"Apple", "Lemon", "Milk"}


@pytest.mark.parametrize(("source", "target"), [(["Fruit"], []), ([], ["Fruit"])])
def test_one_meta_domain_alone(incoming, fetched, source, target):
    _, table = fetched(incoming, NAME, **section(source=source, target=target))
    assert set(table["meta_domain"]) == {"source" if source else "target"}


def test_the_first_pictures_of_the_chosen_lists(incoming, fetched):
    _, table = fetched(incoming, NAME, **section(lists=["test", "train"], max_pictures=2))
    assert rows(table, "image", item="Golden-Delicious", domain="consumer") == [
        (f"dataset/{natural('test', 0, 1)}",),
        (f"dataset/{natural('train', 0, 1)}",),
    ]
    assert len(rows(table, "image", split="query")) == 3
    assert len(rows(table, "image", domain="shop", meta_domain="source")) == 2


def test_products_without_a_picture_in_the_lists_are_left_out(incoming, fetched):
    out, table = fetched(incoming, NAME, **section(lists=["test"]))
    assert set(table["item"]) == {"Golden-Delicious", "Regular-Tomato", ""}
    assert sorted(path.name for path in (out / "dataset").glob("*.*")) == ["classes.csv", "test.txt"]


def test_an_iconic_picture_that_is_missing_is_left_to_prepare(incoming, fetched):
    (incoming / "dataset" / icon(3)).unlink()
    out, table = fetched(incoming, NAME, **section())
    missing = [name for name in table["image"] if not (out / name).exists()]
    assert missing == [f"dataset/{icon(3)}", f"unlabelled/dataset/{icon(3)}"]


def test_it_comes_from_the_repository(incoming, tmp_path, fetched, dataset):
    expected = fetched(incoming, NAME, **section())[1]
    origin, empty = incoming.rename(tmp_path / "origin"), tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "work").rename(tmp_path / "before")
    given = {"repository": f"file://{origin}", "commit": commit_all(origin)}
    (origin / "dataset/train.txt").unlink()  # later on
    later = commit_all(origin)
    out, table = fetched(empty, NAME, **committed(NAME, **given))
    pd.testing.assert_frame_equal(table, expected)
    assert (out / table["image"][0]).is_file()

    (tmp_path / "work").rename(tmp_path / "once")
    with pytest.raises(UserError, match=r"dataset/train.txt: no such file; put the folder dataset/ of file://"):
        fetched(empty, NAME, **committed(NAME, **given | {"commit": later}))


def test_the_folder_goes_before_the_repository(incoming, tmp_path, fetched):
    fetched(incoming, NAME, **section())
    assert not (tmp_path / "downloads").exists()


def test_a_commit_that_is_not_there(incoming, tmp_path, fetched):
    commit_all(incoming)
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        UserError, match="has no commit 1{40} .*; name another one, or put the folder dataset/ of"
    ) as no:
        fetched(tmp_path / "empty", NAME, **committed(NAME, repository=str(incoming), commit="1" * 40))
    assert str(no.value).endswith(f"into {tmp_path / 'empty'}")


def _edit(name: str, old: str, new: str):
    def change(root: Path) -> None:
        text = (root / "dataset" / name).read_text()
        assert old in text
        (root / "dataset" / name).write_text(text.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("changes", "change", "says"),
    [
        ({}, lambda root: (root / "dataset/val.txt").unlink(), "val.txt: no such file; put the folder dataset/ of"),
        ({}, lambda root: (root / "dataset/classes.csv").unlink(), "classes.csv: no such file; put the folder dataset"),
        ({}, _edit("train.txt", "002.jpg, 0, 0", "002.jpg, 0"), "train.txt line 2: expected 3 fields .path, class_id"),
        (
            {},
            _edit("train.txt", "train/Fruit/Lemon/", "Fruit/"),
            "train.txt line 4: path 'Fruit/Lem.* is no .train|val",
        ),
        (
            {},
            _edit("train.txt", "train/Fruit/", "train/../../"),
            "train.txt line 1: path: 'train/../../.* leads out of",
        ),
        ({}, _edit("test.txt", "001.jpg, 0,", "001.jpg, x,"), "test.txt line 1: class_id 'x' is no whole number"),
        ({}, _edit("test.txt", "001.jpg, 0, 0", "001.jpg, 0, "), "test.txt line 1: coarse_id '' is no whole number"),
        (
            {},
            _edit("test.txt", "001.jpg, 2,", "001.jpg, 9,"),
            "test.txt line 2: class_id '9' has no line in dataset/cl",
        ),
        ({}, _edit("classes.csv", "Lemon,1,", "Lemon,"), "classes.csv line 3: expected 6 fields"),
        ({}, _edit("classes.csv", "Lemon,1,", "Lemon,one,"), "classes.csv line 3: class_id 'one' is no whole number"),
        ({}, _edit("classes.csv", "Lemon,1,", "Lemon,0,"), "classes.csv line 3: class_id '0' is in an earlier line"),
        ({}, _edit("classes.csv", "Leek,3,", "Lemon,3,"), "classes.csv line 5: item 'Lemon' is in an earlier line"),
        ({}, _edit("classes.csv", "Leek,3,", ",3,"), "classes.csv line 5: item '' is empty"),
        ({}, _edit("classes.csv", f"/{ICONS}", f"/../{ICONS}"), "classes.csv line 2: iconic: '../.* leads out of its"),
        ({}, _edit("classes.csv", f"{HEADER}\n", ""), "class_id '0' has no line in dataset/classes.csv"),
        (
            {"source": ["Fruits"]},
            lambda _: None,
            "grocery_store/params.yaml:source: 'Fruits' is no part of the set; there are Fruit, Packages, Vegetables$",
        ),
        (
            {"target": ["fruit"]},
            lambda _: None,
            "params.yaml:target: 'fruit' is no part of the set; there are Fruit, P",
        ),
        ({"target": ["Fruit"]}, lambda _: None, "params.yaml:target: should have no part that source has, found"),
        ({"source": [], "target": []}, lambda _: None, "params.yaml:target: should have a part where source has"),
        ({"commit": "main"}, lambda _: None, "grocery_store/params.yaml:commit: .*found 'main'"),
        ({"lists": ["all"]}, lambda _: None, "grocery_store/params.yaml:lists.0: 'train', 'val' or 'test'"),
        ({"max_pictures": 0}, lambda _: None, "grocery_store/params.yaml:max_pictures: "),
        ({"target_category": "fine"}, lambda _: None, "params.yaml:target_category: 'part' or 'coarse'"),
    ],
)
def test_mistakes(incoming, fetched, changes, change, says):
    change(incoming)
    with pytest.raises(UserError, match=says) as caught:
        fetched(incoming, NAME, **section(**changes))
    assert "\n" not in str(caught.value)


def test_the_preset_aligns_all_fruit(grocery, tmp_path):
    data, sets = preset_params(NAME, tmp_path)
    copy = pd.read_csv(grocery / "manifest.csv")
    fruit = copy.loc[copy["meta_domain"] == "source", "category"]
    assert data["sets"] == [NAME]
    assert data["alignment"] == {"Vegetables": sorted(set(fruit))}
    assert (sets[NAME]["source"], sets[NAME]["target"], sets[NAME]["target_category"]) == (
        ["Fruit"],
        ["Vegetables"],
        "part",
    )
