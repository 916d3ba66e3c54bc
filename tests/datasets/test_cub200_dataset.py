"""CUB-200-2011: its lists and its tree."""

import hashlib
import tarfile
from pathlib import Path

import pytest
from support.file_server import FileServer
from support.golden import golden
from support.retrieval_sets import check_ranked, committed, touch

from pipeline.base.errors import UserError
from pipeline.table.manifest import check_table

NAME = "cub200"
# image_id, picture, class, box; not in the order of the classes.
PICTURES = [
    ("1", "010.Red_bird/b.jpg", 10, "1.0 2.0 5.0 4.5"),
    ("2", "002.Blue_bird/a.jpg", 2, "0.0 0.0 8.0 8.0"),
    ("3", "002.Blue_bird/b.jpg", 2, "0.0 1.0 8.0 7.0"),
    ("4", "009.Nine.Dots/a.jpg", 9, "0.0 0.0 2.0 2.0"),
    ("5", "100.Zed/a.jpg", 100, "0.0 0.0 3.0 2.0"),
]


def flat(**changes):
    """The committed section, for lists and pictures that lie in data.source itself."""
    return committed(NAME, **{"folder": "."} | changes)


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    root = tmp_path / "incoming"
    for _, path, _, _ in PICTURES:
        picture(root / "images" / path)
    (root / "images.txt").write_text("".join(f"{number} {path}\n" for number, path, _, _ in PICTURES))
    (root / "image_class_labels.txt").write_text("".join(f"{number} {of}\n" for number, _, of, _ in PICTURES))
    (root / "bounding_boxes.txt").write_text("".join(f"{number} {box}\n" for number, _, _, box in reversed(PICTURES)))
    return root


def test_first_half_of_the_classes_is_for_training(incoming, fetched):
    out, table = fetched(incoming, NAME, **flat(crop="boxes"))
    assert table["image"].tolist() == [f"images/{path}" for _, path, _, _ in PICTURES]
    assert table["split"].tolist() == ["test", "train", "train", "train", "test"]
    assert table["item"].tolist() == [path.split("/")[0] for _, path, _, _ in PICTURES]
    assert table.loc[0, ["x", "y", "w", "h"]].tolist() == [1, 2, 5, 4.5]
    for column, value in (("category", "bird"), ("domain", "shop"), ("meta_domain", "source")):
        assert set(table[column]) == {value}
    assert sorted(path.name for path in out.glob("*.txt")) == [
        "bounding_boxes.txt",
        "image_class_labels.txt",
        "images.txt",
    ]


def test_the_tree_alone_gives_the_same_pictures(incoming, fetched, dataset):
    module, params = dataset(NAME, **flat())
    expected = check_table(module.read_table(incoming, params), NAME).set_index("image")
    (incoming / "images.txt").unlink()
    touch(incoming / "images", ["002.Blue_bird/.DS_Store", "._010.Red_bird/b.jpg", "README"])
    out, table = fetched(incoming, NAME, **flat(lists="folders"))
    assert table["item"].tolist() == sorted(table["item"], key=lambda name: int(name.split(".")[0]))
    assert table.set_index("image").loc[expected.index].equals(expected)
    assert sum(path.is_file() for path in out.rglob("*")) == len(PICTURES), "nothing but pictures is copied"


@pytest.mark.parametrize("packed", [True, False])
def test_folder_of_the_archive_and_target(incoming, tmp_path, fetched, packed):
    (tmp_path / "whole").mkdir()
    incoming.rename(tmp_path / "whole/CUB_200_2011")
    section = flat(folder="CUB_200_2011", lists="folders", crop="boxes", meta_domain="target")
    if packed:
        with tarfile.open(tmp_path / "whole/CUB_200_2011.tgz", "w:gz") as archive:
            archive.add(tmp_path / "whole/CUB_200_2011", "CUB_200_2011")
        (tmp_path / "whole/CUB_200_2011").rename(tmp_path / "gone")
        section["archives"] = [{"file": "CUB_200_2011.tgz"}]
    _, table = fetched(tmp_path / "whole", NAME, **section)
    assert table["image"][0] == "CUB_200_2011/images/002.Blue_bird/a.jpg"
    assert set(table["meta_domain"]) == {"target"}
    assert table.set_index("image").loc["CUB_200_2011/images/010.Red_bird/b.jpg", "h"] == 4.5


@pytest.mark.parametrize("unpacked", [False, True])
def test_archive_is_fetched_unless_its_content_is_there(incoming, tmp_path, fetched, unpacked):
    packed, source = tmp_path / "packed.tgz", tmp_path / "source"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(incoming, "CUB_200_2011")
    source.mkdir()
    if unpacked:
        incoming.rename(source / "CUB_200_2011")
    with FileServer(packed.read_bytes()).running() as server:
        (given,) = committed(NAME)["archives"]
        local = given | {"url": server.url, "sha256": hashlib.sha256(packed.read_bytes()).hexdigest()}
        _, table = fetched(source, NAME, **committed(NAME, archives=[local]))
        assert table["image"].tolist() == [f"CUB_200_2011/images/{path}" for _, path, _, _ in PICTURES]
        assert len(server.requests) == (not unpacked)


def test_dada_reads_the_same(tmp_path, dataset):
    case = golden("dataset_parsing", "dada")
    touch(tmp_path, case["cub_files"])
    module, params = dataset(NAME, **flat(lists="folders"))
    table = module.read_table(tmp_path, params)
    check_ranked(table, "train", case, "cub_training")
    check_ranked(table, "test", case, "cub_testing")


def test_absent_picture_is_left_to_prepare(incoming, fetched):
    (incoming / "images" / PICTURES[0][1]).unlink()
    out, table = fetched(incoming, NAME, **flat())
    assert len(table) == len(PICTURES)
    assert not (out / table["image"][0]).exists()


def _replace(name: str, old: str, new: str):
    def change(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("section", "change", "says"),
    [
        ({}, lambda root: (root / "images.txt").unlink(), "images.txt: no such file; put images.txt, image_class"),
        ({}, _replace("images.txt", "2 002", "2 2 002"), "images.txt line 2: expected 2 fields"),
        ({}, _replace("images.txt", "100.Zed/", "Zed/"), "images.txt line 5: path 'Zed/a.jpg' is no NNN.Name"),
        ({}, _replace("images.txt", "100.Zed/", "../Zed/"), "images.txt line 5: path '../Zed/a.jpg' is no NNN.Name"),
        ({}, _replace("images.txt", "100.Zed/", "101.Zed/"), "line 5: path '101.Zed/a.jpg' lies in another class"),
        ({}, _replace("image_class_labels.txt", "4 9", "4 nine"), "labels.txt line 4: class_id 'nine' is no whole num"),
        ({}, _replace("image_class_labels.txt", "4 9", "3 9"), "labels.txt line 4: image_id '3' is in an earlier line"),
        (
            {},
            _replace("image_class_labels.txt", "4 9\n", ""),
            "images.txt line 4: image_id '4' has no line in image_cl",
        ),
        ({"crop": "boxes"}, _replace("bounding_boxes.txt", "4.5", "x"), "boxes.txt line 5: h 'x' is no number"),
        (
            {"lists": "folders"},
            lambda root: touch(root, ["images/Robin/a.jpg"]),
            "folder 'Robin' does not fit; expected NNN.Name",
        ),
        (
            {"folder": "../x"},
            lambda _: None,
            r"cub200/params.yaml:folder: should be a relative path without '\.\.'",
        ),
        ({"folder": "x", "lists": "folders"}, lambda _: None, "none of the 0 pictures is there .*; put images/ into"),
    ],
)
def test_mistakes(incoming, fetched, section, change, says):
    change(incoming)
    with pytest.raises(UserError, match=says) as caught:
        fetched(incoming, NAME, **flat(**{"archives": []} | section))
    assert "\n" not in str(caught.value)
