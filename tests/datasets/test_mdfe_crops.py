"""Boxes of Food Recognition 2022 and DeepFashion2: the crops that MDFE's preparation makes, each a row of its own."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.golden import TESTS
from support.retrieval_sets import committed

from pipeline.base.errors import UserError
from pipeline.base.names import BOX
from pipeline.datasets._shared.annotations import read_coco, read_deepfashion2
from pipeline.datasets._shared.boxes import corner_boxes, enlarged
from pipeline.images.decode import decode_image, read_content
from pipeline.table.finish import finish_manifest

CROPS = TESTS / "golden/mdfe/crops"
FOOD, GARMENTS = "food_recognition_2022", "deepfashion2"
GARMENT_COLUMNS = ["stem", "product", "category_name", "domain", "x_1", "y_1", "x_2", "y_2"]


def write(root: Path, case: str, folder: str) -> pd.DataFrame:
    """The annotations of a case with pictures of their sizes; -> the sizes by name."""
    shutil.copytree(CROPS / case, root)
    sizes = pd.read_csv(CROPS / case / "image_sizes.csv", index_col="file_name")
    (root / folder).mkdir()
    for row in sizes.itertuples():
        Image.new("RGB", (row.width, row.height), "navy").save(root / folder / row.Index)
    return sizes


def check_ends(boxes: pd.DataFrame, files: pd.Series, sizes: pd.DataFrame, case: str) -> None:
    """Boxes before rounding, cut to their pictures, must be those handed to MDFE's crop."""
    expected = pd.read_csv(CROPS / case / "expected_boxes.csv")
    size = np.tile(sizes.loc[files, ["width", "height"]].to_numpy(), 2)
    wide = enlarged(boxes, 0.02).to_numpy()
    ends = np.clip(np.hstack([wide[:, :2], wide[:, :2] + wide[:, 2:]]), 0, size)
    np.testing.assert_allclose(ends, expected[["left", "top", "right", "bottom"]], atol=1e-6)


def crop_sizes(root: Path, table: pd.DataFrame) -> list[tuple[int, int]]:
    """Sizes of the pictures that later stages see."""
    pictures = []
    for row in table.itertuples():
        box = None if np.isnan(row.x) else (row.x, row.y, row.w, row.h)
        pictures.append(decode_image(read_content(root.parent / row.image), box).size)
    return pictures


def test_food(tmp_path, fetched):
    sizes = write(tmp_path / "incoming", "food_rec22", "images")
    raw = read_coco(CROPS / "food_rec22", "annotations.json", ["file_name", "category_id", *BOX])
    check_ends(raw, raw["file_name"], sizes, "food_rec22")

    root, table = fetched(tmp_path / "incoming", FOOD, **committed(FOOD))
    manifest, report = finish_manifest(table, root, min_side=1, max_unreadable=0.5, workers=1)
    expected = pd.read_csv(CROPS / "food_rec22/expected_train.csv")
    names = [
        f"preprocessed_imgs/{item.removeprefix(f'{FOOD}/')}/{Path(image).name}"
        for image, item in zip(manifest["image"], manifest["item"], strict=True)
    ]
    assert names == expected["img_path"].tolist()
    made = pd.read_csv(CROPS / "food_rec22/expected_boxes.csv")[["crop_width", "crop_height"]]
    made = made[made["crop_width"] > 0]
    assert crop_sizes(root, manifest) == list(made.itertuples(index=False, name=None))
    # The box without a width is no row, and told; a food that is twice in a picture is there twice.
    assert report["unreadable"]["pictures"] == 1
    assert report["unreadable"]["first"][0]["image"] == "images/006343.jpg"
    assert "has no size" in report["unreadable"]["first"][0]["reason"]
    assert sum(name.endswith("1010/006344.jpg") for name in names) == 2
    assert not manifest.duplicated(["image", *BOX]).any()


def test_garments(tmp_path, fetched):
    sizes = write(tmp_path / "incoming", "deep_fashion2", "image")
    raw = read_deepfashion2(CROPS / "deep_fashion2", "annos", GARMENT_COLUMNS)
    boxed = raw[raw["x_1"].notna()]
    check_ends(corner_boxes(boxed[GARMENT_COLUMNS[4:]]), boxed["stem"] + ".jpg", sizes, "deep_fashion2")

    root, table = fetched(tmp_path / "incoming", GARMENTS, **committed(GARMENTS, min_pictures=1))
    manifest, report = finish_manifest(table, root, min_side=1, max_unreadable=0.0, workers=1)
    names = [
        f"preprocessed_imgs/{row.subcategory}/{row.item.removeprefix(f'{GARMENTS}/')}/{Path(row.image).name}"
        for row in manifest.itertuples()
    ]
    assert names == pd.read_csv(CROPS / "deep_fashion2/expected_train.csv")["img_path"].tolist()
    files = pd.read_csv(CROPS / "deep_fashion2/expected_files.csv", index_col="path").loc[names]
    assert crop_sizes(root, manifest) == list(files.itertuples(index=False, name=None))
    assert manifest["domain"].tolist() == ["consumer"] * 3 + ["shop"] + ["consumer"] * 4
    assert report["unreadable"]["pictures"] == 0


@pytest.mark.parametrize(("name", "case"), [(FOOD, "food_rec22"), (GARMENTS, "deep_fashion2")])
def test_the_list_that_it_leaves_has_a_row_a_box_and_a_file_a_class_and_picture(tmp_path, fetched, name, case):
    listed = pd.read_csv(CROPS / case / "expected_train.csv")
    (tmp_path / "incoming").mkdir()
    listed.to_csv(tmp_path / "incoming/train.csv", index=False)
    shown = listed if name == GARMENTS else listed.drop_duplicates()
    for path in listed["img_path"]:
        (tmp_path / "incoming" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), "navy").save(tmp_path / "incoming" / path)
    _, table = fetched(tmp_path / "incoming", name, **committed(name, lists="cropped", crop="none", min_pictures=1))
    assert table["image"].tolist() == shown["img_path"].tolist()


@pytest.mark.parametrize(
    ("name", "file", "content", "says"),
    [
        (FOOD, "annotations.json", None, "annotations.json: no such file; put annotations.json, images/ into"),
        (FOOD, "annotations.json", '{"images": []}', "annotations.json: entry annotations: Field required"),
        (
            FOOD,
            "annotations.json",
            '{"images": [], "annotations": [{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1]}]}',
            "annotations.json: annotations 0: image_id 1 is none of the images",
        ),
        (GARMENTS, "annos/000100.json", '{"source": "user"}', "000100.json: expected pair_id, and source as one of"),
        (GARMENTS, "annos/000100.json", '{"pair_id": 1', "annos/000100.json: entry: Invalid JSON"),
        (GARMENTS, "annos/000100.json", '{"item1": {"style": 1}}', "annos/000100.json: entry item1"),
    ],
)
def test_mistakes(tmp_path, fetched, name, file, content, says):
    case, folder = {FOOD: ("food_rec22", "images"), GARMENTS: ("deep_fashion2", "image")}[name]
    write(tmp_path / "incoming", case, folder)
    (tmp_path / "incoming" / file).unlink()
    if content is not None:
        (tmp_path / "incoming" / file).write_text(content)
    with pytest.raises(UserError, match=says) as caught:
        fetched(tmp_path / "incoming", name, **committed(name))
    assert "\n" not in str(caught.value)


def test_missing_annotations_say_what_goes_where(tmp_path, fetched):
    (tmp_path / "incoming").mkdir()
    with pytest.raises(UserError, match=r"annos: no such file; put annos, image/ into .*: from the page of Deep"):
        fetched(tmp_path / "incoming", GARMENTS, **committed(GARMENTS))
