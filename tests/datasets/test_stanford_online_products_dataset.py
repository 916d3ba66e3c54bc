"""Stanford Online Products: the original folders and those of DADA."""

from pathlib import Path

import pytest
from support.golden import golden
from support.retrieval_sets import committed

from pipeline.base.errors import UserError

NAME = "stanford_online_products"
HEADER = "image_id class_id super_class_id path\n"
TRAIN = "1 1 1 bicycle_final/111_0.JPG\n2 1 1 bicycle_final/111_1.JPG\n3 02 5 coffee_maker_final/9_0.JPG\n"
TEST = "4 3 1 bicycle_final/112_0.JPG\n5 3 1 bicycle_final/112_1.JPG\n"


def flat(**changes):
    """The committed section, for lists and pictures that lie in data.source itself."""
    return committed(NAME, **{"folder": ".", "images": "."} | changes)


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    root = tmp_path / "incoming"
    for line in (TRAIN + TEST).splitlines():
        picture(root / line.split()[-1])
    (root / "Ebay_train.txt").write_text(HEADER + TRAIN)
    (root / "Ebay_test.txt").write_text(HEADER + TEST)
    return root


def test_products_and_super_classes(incoming, fetched):
    _, table = fetched(incoming, NAME, **flat())
    assert table["image"][2] == "coffee_maker_final/9_0.JPG"
    assert table["item"].tolist() == ["1", "1", "02", "3", "3"]
    assert table["category"].tolist() == ["bicycle", "bicycle", "coffee_maker", "bicycle", "bicycle"]
    assert table["split"].tolist() == ["train"] * 3 + ["test"] * 2
    assert set(table["domain"]) == {"shop"}


def test_folders_of_dada_as_target(incoming, fetched):
    for folder, names in (("Info_Files", "Ebay_*.txt"), ("images", "*_final")):
        (incoming / folder).mkdir()
        for path in list(incoming.glob(names)):
            path.rename(incoming / folder / path.name)
    (incoming / "images/bicycle_final/111_1.JPG").unlink()
    section = flat(folder="Info_Files", images="images", meta_domain="target")
    out, table = fetched(incoming, NAME, **section)
    assert table["image"][0] == "images/bicycle_final/111_0.JPG"
    assert set(table["meta_domain"]) == {"target"}
    there = [(out / image).is_file() for image in table["image"]]
    assert there == [True, False, True, True, True], "an absent picture is left to prepare"


def test_dada_reads_the_same(tmp_path, dataset):
    case = golden("dataset_parsing", "dada")
    for part in ("train", "test"):
        (tmp_path / f"Ebay_{part}.txt").write_text(case[f"sop_Ebay_{part}_txt"].item())
    module, params = dataset(NAME, **flat(images="images"))
    table = module.read_table(tmp_path, params)
    for split, prefix in (("train", "sop_training"), ("test", "sop_testing")):
        rows = table[table["split"] == split]
        rows = rows.iloc[rows["item"].astype(int).argsort(kind="stable")]
        assert rows["image"].tolist() == case[f"{prefix}_paths"].tolist()
        assert rows["item"].astype(int).rank(method="dense").sub(1).tolist() == case[f"{prefix}_labels"].tolist()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("Ebay_test.txt", None, "Ebay_test.txt: no such file; put Ebay_train.txt, Ebay_test.txt, <super class>_fin"),
        ("Ebay_train.txt", TRAIN, "Ebay_train.txt: expected the columns image_id, class_id, super_class_id, path in l"),
        ("Ebay_train.txt", "", "Ebay_train.txt: expected the columns image_id"),
        ("Ebay_train.txt", HEADER + "1 1 bicycle_final/1.JPG\n", "Ebay_train.txt line 2: expected 4 fields"),
        ("Ebay_train.txt", HEADER + TRAIN + "9 9 1 bicycle/1.JPG\n", "line 5: path 'bicycle/1.JPG' is no <super clas"),
        (
            "Ebay_test.txt",
            HEADER + "\n4 1 1 bicycle_final/1.JPG\n",
            "_test.txt line 3: class_id '1' is in the training",
        ),
    ],
)
def test_mistakes(incoming, fetched, name, content, says):
    (incoming / name).unlink()
    if content is not None:
        (incoming / name).write_text(content)
    with pytest.raises(UserError, match=says) as caught:
        fetched(incoming, NAME, **flat(archives=[]))
    assert "\n" not in str(caught.value)
