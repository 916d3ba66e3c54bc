"""CARS196: MAT files, the copy on Kaggle, and the tree."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from support.golden import golden
from support.retrieval_sets import check_ranked, committed, touch

from pipeline.base.errors import UserError
from pipeline.table.manifest import check_table

NAME = "cars196"
NAMES = ["AM General Hummer", "Ram C/V Van", "audi low"]
# (left, top, right, bottom), class, file; the official parts share classes.
TRAIN = [((1, 2, 7, 6), 2, "00001.jpg"), ((0, 0, 8, 8), 1, "00002.jpg")]
TEST = [((2, 0, 8, 5), 1, "00001.jpg"), ((0, 0, 4, 4), 3, "00002.jpg")]
CORNERS = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")


def write_annotations(path: Path, rows: list) -> None:
    """As MATLAB writes an array of structs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    annotations = np.zeros((1, len(rows)), dtype=[(name, object) for name in (*CORNERS, "class", "fname")])
    for index, (box, number, file) in enumerate(rows):
        annotations[0, index] = (*(np.uint16(side) for side in box), np.uint8(number), file)
    savemat(path, {"annotations": annotations})


def write_names(path: Path, names: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"class_names": np.array(names, dtype=object)[None]})


@pytest.fixture
def official(tmp_path, picture) -> Path:
    root = tmp_path / "official"
    write_names(root / "devkit/cars_meta.mat", NAMES)
    write_annotations(root / "devkit/cars_train_annos.mat", TRAIN)
    write_annotations(root / "cars_test_annos_withlabels.mat", TEST)
    for folder, rows in (("cars_train", TRAIN), ("cars_test", TEST)):
        for _, _, file in rows:
            picture(root / folder / file)
    return root


@pytest.fixture
def kaggle(tmp_path, picture) -> Path:
    root = tmp_path / "kaggle"
    root.mkdir()
    (root / "names.csv").write_text("".join(f"{name}\n" for name in NAMES))
    for part, rows in (("train", TRAIN), ("test", TEST)):
        lines = [f"{file},{','.join(map(str, box))},{number}\n" for box, number, file in rows]
        (root / f"anno_{part}.csv").write_text("".join(lines))
        for _, number, file in rows:
            picture(root / "car_data/car_data" / part / NAMES[number - 1].replace("/", "-") / file)
    return root


def test_official_lists(official, fetched):
    _, table = fetched(official, NAME, **committed(NAME, crop="boxes"))
    assert table["image"].tolist() == [
        "cars_train/00001.jpg",
        "cars_train/00002.jpg",
        "cars_test/00001.jpg",
        "cars_test/00002.jpg",
    ]
    assert table["item"].tolist() == ["Ram C-V Van", "AM General Hummer", "AM General Hummer", "audi low"]
    assert table["split"].tolist() == ["test", "train", "train", "test"], "by class, not by the official part"
    assert table.loc[0, ["x", "y", "w", "h"]].tolist() == [1, 2, 6, 4]
    assert table.loc[2, ["x", "y", "w", "h"]].tolist() == [2, 0, 6, 5]
    for column, value in (("category", "car"), ("domain", "shop"), ("meta_domain", "source")):
        assert set(table[column]) == {value}


@pytest.mark.parametrize("crop", ["boxes", "none"])
def test_kaggle_copy_says_the_same(official, kaggle, dataset, fetched, crop):
    changes = {"crop": crop, "meta_domain": "target"}
    module, params = dataset(NAME, **committed(NAME, **changes))
    expected = check_table(module.read_table(official, params), NAME)
    _, table = fetched(kaggle.parent, NAME, **committed(NAME, lists="csv", folder="kaggle", **changes))
    assert table["image"][0] == "kaggle/car_data/car_data/train/Ram C-V Van/00001.jpg"
    assert table.drop(columns="image").equals(expected.drop(columns="image"))


def test_dada_reads_the_tree_the_same(tmp_path, dataset):
    case = golden("dataset_parsing", "dada")
    touch(tmp_path, case["cars_files"])
    module, params = dataset(NAME, **committed(NAME, lists="folders"))
    table = module.read_table(tmp_path, params)
    check_ranked(table, "train", case, "cars_training")
    check_ranked(table, "test", case, "cars_testing")


def test_tree_is_fetched(tmp_path, picture, fetched):
    for name in ("A/1.jpg", "B/1.jpg", "B/2.jpg"):
        picture(tmp_path / "incoming/images" / name)
    touch(tmp_path / "incoming/images", ["A/._1.jpg"])
    out, table = fetched(tmp_path / "incoming", NAME, **committed(NAME, lists="folders"))
    assert table["split"].tolist() == ["train", "test", "test"]
    assert sorted(path.name for path in out.rglob("*.jpg")) == ["1.jpg", "1.jpg", "2.jpg"]


TRAIN_MAT, META_MAT = "devkit/cars_train_annos.mat", "devkit/cars_meta.mat"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda root: (root / META_MAT).unlink(), "devkit/cars_meta.mat: no such file; put devkit/cars_meta.mat, dev"),
        (
            lambda root: write_annotations(root / TRAIN_MAT, [(TRAIN[0][0], 4, "7.jpg")]),
            "mat entry 1: class '4' is no wh",
        ),
        (lambda root: write_names(root / META_MAT, ["a", "a"]), "cars_meta.mat: expected the distinct names of the cl"),
        (lambda root: savemat(root / META_MAT, {"names": [1]}), "cars_meta.mat: no variable class_names in it"),
        (lambda root: savemat(root / META_MAT, {"class_names": [1, 2]}), "cars_meta.mat: class_names is no list"),
        (
            lambda root: savemat(root / TRAIN_MAT, {"annotations": [1]}),
            "train_annos.mat: expected annotations with bbo",
        ),
        (lambda root: (root / TRAIN_MAT).write_bytes(b"no" * 200), "cars_train_annos.mat: truncated or not a MAT file"),
    ],
)
def test_mistakes_in_mat(official, fetched, change, says):
    change(official)
    with pytest.raises(UserError, match=says) as caught:
        fetched(official, NAME, **committed(NAME))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("anno_test.csv", "1.jpg,0,0,1,1,4\n", "anno_test.csv line 1: class '4' is no whole number from 1 to 3"),
        ("anno_test.csv", "\n1.jpg,0,0,wide,1,1\n", "anno_test.csv line 2: bbox_x2 'wide' is no number"),
        ("anno_test.csv", "1.jpg,0,0,1\n", "anno_test.csv line 1: expected 6 fields"),
        ("names.csv", "a\n\nb\n", "names.csv: expected the distinct names of the classes"),
    ],
)
def test_mistakes_in_csv(kaggle, fetched, file, content, says):
    (kaggle / file).write_text(content)
    with pytest.raises(UserError, match=says):
        fetched(kaggle, NAME, **committed(NAME, lists="csv"))


def test_folders_have_no_boxes(tmp_path, fetched):
    with pytest.raises(UserError, match=r"cars196/params.yaml: should have crop: none, since lists: folders has no b"):
        fetched(tmp_path, NAME, **committed(NAME, lists="folders", crop="boxes"))
