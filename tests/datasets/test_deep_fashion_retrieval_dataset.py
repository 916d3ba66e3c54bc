"""The preset of deep-fashion-retrieval: Category and Attribute with In-shop, as one source."""

from pathlib import Path
from typing import Any

import pytest
from support.deep_fashion_retrieval import golden_case, write_tree
from support.presets import preset_params

from pipeline.base.errors import UserError
from pipeline.recipes.category_triplet.batches import CategoryTripletSampler


@pytest.fixture
def sets(tmp_path) -> dict[str, Any]:
    """Params of both sets, reading the flat lists."""
    data, sets = preset_params("deep_fashion_retrieval", tmp_path / "preset")
    assert data["alignment"] == {}
    sets["deepfashion_inshop"]["lists"] = "flat"
    return sets


@pytest.fixture
def incoming(tmp_path) -> Path:
    write_tree(tmp_path / "incoming")
    return tmp_path / "incoming"


def test_it_keeps_what_deep_fashion_retrieval_keeps(incoming, sets, joined):
    case = golden_case()
    out, table = joined(incoming, sets)
    attributes, inshop = (table[table["dataset"] == f"deepfashion_{part}"] for part in ("attributes", "inshop"))
    assert len(attributes) + len(inshop) == len(table)

    labelled = dict(zip(case["cat_train_path"].tolist(), case["cat_train_label"].tolist(), strict=True))
    assert dict(zip(attributes["image"], attributes["category"], strict=True)) == {
        f"deepfashion_attributes/{path}": f"kind_{label:02d}" for path, label in labelled.items()
    }
    assert set(attributes["split"]) == {"train"}

    learnt = inshop[inshop["split"] == "train"]
    assert learnt["item"].drop_duplicates().tolist() == case["inshop_train_ids"].tolist()
    assert inshop["item"][inshop["split"] != "train"].drop_duplicates().tolist() == case["inshop_test_ids"].tolist()
    assert set(inshop["image"]) == {f"deepfashion_inshop/{path}" for path in case["inshop_all_path"].tolist()}
    assert set(inshop["split"]) == {"train", "query", "gallery"}

    assert set(table["meta_domain"]) == {"source"}
    files = {path.relative_to(out).as_posix() for path in out.rglob("*.jpg")}
    assert files == set(table["image"]), "what is not kept is not copied"


def test_category_triplet_classifies_the_one_and_takes_items_of_the_other(incoming, sets, joined):
    case = golden_case()
    _, table = joined(incoming, sets)
    train = table[table["split"] == "train"].reset_index(drop=True)
    made = CategoryTripletSampler(
        train, batch_size=8, triplets=8, item_share=1.0, classified="deepfashion_attributes", seed=1
    )
    per_class = case["cat_train_per_class"].tolist()
    assert made.names == [f"kind_{label:02d}" for label, n in enumerate(per_class) if n]
    assert made.groups.lengths.tolist() == [n for n in per_class if n]
    rows, _ = made.draw(0, 0)
    assert set(train["dataset"][rows[8:]]) == {"deepfashion_inshop"}


@pytest.mark.parametrize("part", ["deepfashion_attributes", "deepfashion_inshop"])
def test_missing_part_is_told_apart(incoming, sets, joined, part):
    (incoming / part).rename(incoming / "elsewhere")
    with pytest.raises(UserError, match=rf"no such file; put .* into .*incoming/{part}: from DeepFashion"):
        joined(incoming, sets)
