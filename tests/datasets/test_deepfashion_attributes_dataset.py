"""DeepFashion Category and Attribute Prediction: categories, parts and boxes."""

from pathlib import Path

import numpy as np
import pytest
from support.golden import golden
from support.retrieval_sets import committed, headed

from pipeline.base.errors import UserError

NAME = "deepfashion_attributes"
NAMES = [("Anorak", 1), ("Jeans", 2), ("Dress", 3)]
# picture, label, status, corners
PICTURES = [
    ("Sheer_Blouse/img_00000001.jpg", 1, "train", "001 2 7 8"),
    ("Sheer_Blouse/img_00000002.jpg", 1, "val", "0 0 8 8"),
    ("Blue_Jeans/img_00000001.jpg", 2, "test", "0 0 8 8"),
    ("Long_Dress/img_00000001.jpg", 3, "test", "0 0 8 8"),
]


def write_lists(root: Path, pictures: list, names: list = NAMES, annotations: str = "Anno") -> None:
    for folder in (annotations, "Eval"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    columns = {"category_img": "category_label", "bbox": "x_1 y_1 x_2 y_2"}
    fields = {"category_img": 1, "bbox": 3}
    for name, column in columns.items():
        rows = [f"img/{row[0]:<50} {row[fields[name]]}" for row in reversed(pictures)]
        (root / annotations / f"list_{name}.txt").write_text(headed(f"image_name  {column}", rows))
    rows = [f"{name:<20} {kind}" for name, kind in names]
    (root / annotations / "list_category_cloth.txt").write_text(headed("category_name  category_type", rows))
    rows = [f"img/{row[0]:<50} {row[2]}" for row in pictures]
    (root / "Eval/list_eval_partition.txt").write_text(headed("image_name  evaluation_status", rows))


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    root = tmp_path / "incoming"
    write_lists(root, PICTURES)
    for path, *_ in PICTURES:
        picture(root / "img" / path)
    return root


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ("categories", ["Anorak", "Anorak", "Jeans", "Dress"]),
        ("pictures", [path for path, *_ in PICTURES]),  # none is known to show the product of another
    ],
)
def test_categories_parts_and_items(incoming, fetched, items, found):
    out, table = fetched(incoming, NAME, **committed(NAME, items=items))
    assert table["image"].tolist() == [f"img/{path}" for path, *_ in PICTURES]
    assert table["category"].tolist() == ["Anorak", "Anorak", "Jeans", "Dress"]
    assert table["split"].tolist() == ["train", "val", "test", "test"]
    assert table["item"].tolist() == found
    assert set(table["domain"]) == {"shop"}
    assert not (out / "Anno/list_bbox.txt").exists()


def test_boxes_and_the_clothes_that_are_kept(incoming, fetched):
    (incoming / "Anno").rename(incoming / "Anno_coarse")
    section = committed(NAME, annotations="Anno_coarse", crop="boxes", clothes="upper", meta_domain="target")
    out, table = fetched(incoming, NAME, **section)
    assert table["category"].tolist() == ["Anorak", "Anorak"]
    assert table.loc[0, ["x", "y", "w", "h"]].tolist() == [1, 2, 6, 6]
    assert set(table["meta_domain"]) == {"target"}
    assert len(list(out.rglob("*.jpg"))) == 2, "what is not kept is not copied"


def test_training_part_alone(incoming, fetched):
    out, table = fetched(incoming, NAME, **committed(NAME, parts="train"))
    assert table["image"].tolist() == [f"img/{PICTURES[0][0]}"]
    assert len(list(out.rglob("*.jpg"))) == 1


def test_deep_fashion_retrieval_keeps_the_same(tmp_path, dataset):
    case = golden("parsers_and_inshop_eval", "deep_fashion_retrieval")
    names = [(f"kind_{label}", 1 if label < 20 else 2 if label < 36 else 3) for label in range(50)]
    write_lists(tmp_path, [], names)
    for name, lines in (
        ("Anno/list_category_img", "cat_lines"),
        ("Anno/list_bbox", "cat_bbox_lines"),
        ("Eval/list_eval_partition", "cat_partition_lines"),
    ):
        (tmp_path / f"{name}.txt").write_text("\n".join(case[lines].tolist()) + "\n")
    module, params = dataset(NAME, **committed(NAME, clothes="upper", crop="boxes"))
    table = module.read_table(tmp_path, params).sort_values("image")
    for part, learnt in (("train", True), ("test", False)):
        rows = table[(table["split"] == "train") == learnt]
        labels = rows["category"].str.removeprefix("kind_").astype(int)
        assert rows["image"].tolist() == case[f"cat_{part}_path"].tolist()
        assert labels.tolist() == case[f"cat_{part}_label"].tolist()
        if learnt:
            assert np.bincount(labels, minlength=20).tolist() == case["cat_train_per_class"].tolist()
    first = case["cat_bbox_lines"][2].split()
    left, top, right, bottom = map(int, first[1:])
    box = table.set_index("image").loc[first[0], ["x", "y", "w", "h"]]
    assert box.tolist() == [left, top, right - left, bottom - top]


EXTRA = ("Blue_Jeans/img_00000009.jpg", 2, "train", "0 0 1 1")


@pytest.mark.parametrize(
    ("row", "names", "says"),
    [
        ((*EXTRA[:2], "gallery", EXTRA[3]), NAMES, "partition.txt line 7: evaluation_status 'gallery' is unknown"),
        (
            (EXTRA[0], 4, *EXTRA[2:]),
            NAMES,
            "category_img.txt line 3: category_label '4' is no whole number from 1 to 3",
        ),
        ((EXTRA[0], "b", *EXTRA[2:]), NAMES, "category_img.txt line 3: category_label 'b' is no whole number"),
        ((*EXTRA[:3], "0 0 x 1"), NAMES, "list_bbox.txt line 3: x_2 'x' is no number"),
        (PICTURES[0], NAMES, "list_category_img.txt line 7: image_name '.*' is in an earlier line already"),
        (EXTRA, [*NAMES[:2], ("Jeans", 3)], "category_cloth.txt line 5: category_name 'Jeans' is in an earlier line"),
        (EXTRA, [*NAMES[:2], ("Dress", 4)], "category_cloth.txt line 5: category_type '4' is unknown; known: 1, 2, 3"),
    ],
)
def test_strange_lines(tmp_path, dataset, row, names, says):
    write_lists(tmp_path, [*PICTURES, row], names)
    module, params = dataset(NAME, **committed(NAME, crop="boxes"))
    with pytest.raises(UserError, match=says) as caught:
        module.read_table(tmp_path, params)
    assert "\n" not in str(caught.value)


def test_picture_without_category(tmp_path, dataset):
    write_lists(tmp_path, PICTURES)
    path = tmp_path / "Anno/list_category_img.txt"
    path.write_text(headed("image_name category_label", [f"img/{PICTURES[1][0]} 1"]))
    module, params = dataset(NAME, **committed(NAME))
    with pytest.raises(UserError, match="partition.txt line 3: image_name .* has no line in list_category_img.txt"):
        module.read_table(tmp_path, params)


def test_missing_lists(tmp_path, fetched):
    with pytest.raises(UserError, match=r"put Eval/.*, Anno/list_category_cloth.txt, .* from DeepFashion, Category"):
        fetched(tmp_path / "incoming", NAME, **committed(NAME))
