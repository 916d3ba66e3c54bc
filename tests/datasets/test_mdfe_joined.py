"""Sets of MDFE joined into one manifest."""

import shutil

from support.golden import TESTS
from support.retrieval_sets import committed

from pipeline.datasets._shared.face import load_dataset
from pipeline.table.remarks import remarks

TREE = TESTS / "golden/mdfe/labels/tree"
SETS = {"food101": "food-101", "furniture180": "furniture_180"}


def test_two_sets_and_a_picture_that_both_have(tmp_path, picture, joined):
    for name, folder in SETS.items():
        root = tmp_path / "incoming" / name
        shutil.copytree(TREE / folder, root)
        module, params = load_dataset(name, lambda _, name=name: committed(name))
        for image in module.read_table(root, params)["image"]:
            picture(root / image)
    raw, table = joined(tmp_path / "incoming", {name: committed(name) for name in SETS})
    assert table["dataset"].tolist() == ["food101"] * 13 + ["furniture180"] * 6
    assert table["category"].unique().tolist() == ["food", "furniture"]
    assert table["image"].iloc[-1] == "furniture180/chair_bar chair/019.jpg"
    assert all((raw / image).is_file() for image in table["image"])
    said = list(remarks(table))
    assert any("under two items or more: food101/images/bibimbap/2454398.jpg" in line for line in said)
    assert any("dada and category_triplet need no domains" in line for line in said)
