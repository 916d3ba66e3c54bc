"""The rules of the table, each broken in exactly one place, and what becomes of pictures and boxes."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.base.names import Part
from pipeline.table.counts import tell_left_out
from pipeline.table.finish import finish_manifest
from pipeline.table.manifest import check_table, evaluated_part, has_pictures, part_rows, read_manifest, write_manifest

COLUMNS = ["image", "item", "category", "domain", "meta_domain", "split"]
ROWS = [
    ("s/0.png", "s0", "skirt", "shop", "source", "train"),
    ("s/1.png", "s0", "skirt", "consumer", "source", "train"),
    ("s/2.png", "s1", "lace dress", "consumer", "source", "val"),
    ("t/0.png", "t0", "skirts", "shop", "target", "gallery"),
    ("t/1.png", "t0", "skirts", "consumer", "target", "query"),
    ("t/2.png", "t1", "skirts", "shop", "target", "train"),
    ("t/3.png", "t0", "skirts", "shop", "target", "gallery"),
]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS)


@pytest.fixture
def boxed(table) -> pd.DataFrame:
    """The first row has a box that reaches two pixels below a picture of 20 x 10."""
    boxes = pd.DataFrame([(2.0, 4.0, 10.0, 8.0)], columns=list("xywh"))
    return table.join(boxes)


def test_columns_order_and_types(table):
    table = table.assign(photographer=7, subcategory="mini")[["photographer", *reversed(COLUMNS), "subcategory"]]
    checked = check_table(table, "wardrobe")
    texts = ["image", "item", "category", "subcategory", "domain", "meta_domain", "dataset", "split"]
    assert list(checked.columns) == [*texts, "x", "y", "w", "h"]
    assert all(checked[column].dtype == "str" for column in texts)
    assert all(checked[column].dtype == np.float64 and checked[column].isna().all() for column in "xywh")
    assert set(checked["dataset"]) == {"wardrobe"}


def test_rows_of_a_set_that_joins_several_name_their_own(table, root):
    own = ["a", "b", "b", "a", "a", "a", "b"]
    assert check_table(table.assign(dataset=own), "d")["dataset"].tolist() == own
    manifest, _ = finish(table.assign(dataset=own), root)
    assert manifest["image"].tolist() == [f"d/{image}" for image in table["image"]], "they lie in one folder"


def test_ids_stay_text_and_the_given_table_is_untouched(table):
    table["item"] = range(7)
    before = table.copy()
    assert check_table(table, "d")["item"].tolist() == list("0123456")
    pd.testing.assert_frame_equal(table, before)


def test_index_of_the_given_table_does_not_matter(boxed):
    expected = check_table(boxed, "d")
    pd.testing.assert_frame_equal(check_table(boxed.set_axis([5, 5, 9, 2, 0, 1, 3]), "d"), expected)


def test_items_of_target_train_may_be_unknown(table):
    table.loc[5, "item"] = None
    assert check_table(table, "d")["item"][5] == ""


@pytest.mark.parametrize("column", COLUMNS)
def test_missing_column(table, column):
    with pytest.raises(UserError, match=f"dataset d: column '{column}' is missing; the table has .*"):
        check_table(table.drop(columns=column), "d")


def test_column_twice(table):
    with pytest.raises(UserError, match="column 'item' occurs twice"):
        check_table(table.assign(photographer="p").rename(columns={"photographer": "item"}), "d")


def test_no_rows(table):
    with pytest.raises(UserError, match="dataset d: the table has no rows"):
        check_table(table[:0], "d")


@pytest.mark.parametrize(
    ("row", "column", "value", "problem"),
    [
        (2, "domain", "street", "'street' is unknown; known: consumer, shop"),
        (2, "meta_domain", "Source", "'Source' is unknown; known: source, target"),
        (2, "split", "Test", "'Test' is unknown; known: train, val, query, gallery, test"),
        (2, "split", None, "'' is unknown"),
        (2, "item", None, "'' is empty"),
        (2, "item", "  ", "'  ' is empty"),
        (2, "category", "", "'' is empty"),
        (2, "image", "", "'' is empty"),
        (2, "image", "/s/2.png", "'/s/2.png' leaves the dataset's folder"),
        (2, "image", "C:\\s\\2.png", "leaves the dataset's folder"),
        (2, "image", "s/../../2.png", "leaves the dataset's folder"),
        (2, "image", "s/0.png", "'s/0.png' is listed twice with the same box"),
        (5, "domain", "consumer", "'consumer' in target/train; adaptation reads shop pictures only"),
    ],
)
def test_broken_text(table, row, column, value, problem):
    table.loc[row, column] = value
    with pytest.raises(UserError) as error:
        check_table(table, "d")
    assert str(error.value).startswith(f"dataset d, row {row + 1} (")
    assert f"column {column}: " in str(error.value)
    assert problem in str(error.value)


@pytest.mark.parametrize("image", ["s/a..b.png", "..s/0.png", "s/photo 1;é.png", "x:y.png"])
def test_odd_names_inside_the_folder_are_fine(table, image):
    table.loc[0, "image"] = image
    assert check_table(table, "d")["image"][0] == image


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("x", None, "nothing in half a box"),
        ("h", None, "nothing in half a box"),
        ("y", "left", "'left' is not a number"),
        ("x", np.inf, "inf is not a number"),
    ],
)
def test_broken_box(boxed, column, value, problem):
    boxed[column] = boxed[column].astype(object)
    boxed.loc[0, column] = value
    with pytest.raises(UserError, match=f"row 1 .*column {column}: .*{problem}"):
        check_table(boxed, "d")


def test_the_same_picture_with_another_box_is_another_row(boxed):
    boxed.loc[1, ["image", "x", "y", "w", "h"]] = ["s/0.png", 3, 4, 10, 8]
    assert len(check_table(boxed, "d")) == 7
    boxed.loc[1, "x"] = 2
    with pytest.raises(UserError, match="listed twice with the same box"):
        check_table(boxed, "d")


def test_error_counts_the_other_rows(table):
    table["split"] = "tests"
    with pytest.raises(UserError, match=r"row 1 .*\(and 6 rows more\)"):
        check_table(table, "d")


def test_parts(table):
    checked = check_table(table, "d")
    assert part_rows(checked, Part.SOURCE_TRAIN).tolist() == [0, 1, 2]
    assert part_rows(checked, Part.SOURCE_TEST).tolist() == []
    assert part_rows(checked, Part.TARGET_TRAIN).tolist() == [5]
    assert part_rows(checked, Part.TARGET_TEST).tolist() == [4, 3, 6]
    assert all(part_rows(checked, part).dtype == np.int64 for part in Part)
    turned = checked.assign(meta_domain=checked["meta_domain"].map({"source": "target", "target": "source"}))
    assert part_rows(turned, Part.SOURCE_TEST).tolist() == [4, 3, 6]
    assert part_rows(turned, Part.TARGET_TEST).tolist() == []


def test_rows_searched_by_themselves_belong_to_the_test_part(table):
    table["split"] = ["train", "test", "val", "test", "query", "train", "gallery"]
    checked = check_table(table, "d")
    assert part_rows(checked, Part.SOURCE_TEST).tolist() == [1]
    assert part_rows(checked, Part.TARGET_TEST).tolist() == [4, 6, 3]
    assert part_rows(checked, Part.SOURCE_TRAIN).tolist() == [0, 2]


# What happens to pictures: 20 x 10 pixels each.


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "raw/d"
    for position, (name, *_) in enumerate(ROWS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10), (position, 0, 0)).save(folder / name)
    return folder


def finish(table, root, **changes):
    options = {"min_side": 4, "max_unreadable": 0.0, "workers": 1} | changes
    return finish_manifest(check_table(table, "d"), root, **options)


def test_finished_manifest(table, root):
    manifest, report = finish(table, root)
    assert manifest["image"].tolist() == [f"d/{image}" for image in table["image"]]
    assert manifest["digest"].str.fullmatch("[0-9a-f]{32}").all()
    assert manifest["digest"].nunique() == 7
    assert report["pictures"] == 7
    assert report["parts"]["source"]["train"] == {"consumer": 1, "shop": 1, "items": 1}
    assert report["parts"]["target"]["gallery"] == {"consumer": 0, "shop": 2, "items": 1}
    assert report["parts"]["target"]["train"] == {"consumer": 0, "shop": 1}
    assert report["categories"] == {"source": {"lace dress": 1, "skirt": 2}, "target": {"skirts": 4}}


def test_digest_follows_the_bytes(table, root):
    before, _ = finish(table, root)
    Image.new("RGB", (20, 10), "white").save(root / "s/1.png")
    after, _ = finish(table, root)
    assert np.flatnonzero(before["digest"] != after["digest"]).tolist() == [1]


def test_unreadable_pictures_are_left_out_counted_and_listed(table, root):
    (root / "s/1.png").write_bytes(b"")
    Image.new("RGB", (1, 1)).save(root / "t/3.png")
    manifest, report = finish(table, root, max_unreadable=0.3)
    assert manifest["image"].tolist() == [f"d/{row[0]}" for row in ROWS if row[0] not in ("s/1.png", "t/3.png")]
    assert report["unreadable"]["pictures"] == 2
    assert report["unreadable"]["share"] == pytest.approx(2 / 7)
    assert report["unreadable"]["first"] == [
        {"image": "s/1.png", "reason": "empty file"},
        {"image": "t/3.png", "reason": "1x1 pixels, below 4 on a side"},
    ]


def test_too_many_unreadable_pictures(table, root):
    (root / "s/1.png").unlink()
    with pytest.raises(UserError, match="1 of 7 pictures cannot be used.* 0.1; .*s/1.png: no such file") as error:
        finish(table, root, max_unreadable=0.1)
    assert "\n" not in str(error.value)


def test_nothing_readable_is_an_error_whatever_the_share(table, root):
    with pytest.raises(UserError, match="7 of 7 pictures cannot be used"):
        finish(table, root / "elsewhere", max_unreadable=1.0)


def test_boxes_are_cut_to_the_picture(boxed, root):
    boxed.loc[1, list("xywh")] = [-3, 5, 10, 100]
    manifest, report = finish(boxed, root)
    assert manifest.loc[0, list("xywh")].tolist() == [2, 4, 10, 6]
    assert manifest.loc[1, list("xywh")].tolist() == [0, 5, 7, 5]
    assert manifest.loc[2:, list("xywh")].isna().all(axis=None)
    assert report["boxes_cut_to_picture"] == 2


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((20, 0, 10, 8), "box (x 20, y 0, w 10, h 8) lies outside the picture of 20x10 pixels"),
        ((0, 10, 10, 8), "box (x 0, y 10, w 10, h 8) lies outside the picture of 20x10 pixels"),
        ((-10, 0, 10, 8), "box (x -10, y 0, w 10, h 8) lies outside the picture of 20x10 pixels"),
        ((0, -8, 10, 8), "box (x 0, y -8, w 10, h 8) lies outside the picture of 20x10 pixels"),
        ((5, 5, 0, 3), "box (x 5, y 5, w 0, h 3) has no size"),
        ((5, 5, 4, -20), "box (x 5, y 5, w 4, h -20) has no size"),
        ((50, 50, -4, -20), "box (x 50, y 50, w -4, h -20) has no size"),
        ((1, 2, 3, 8), "box of 3x8 pixels, below 4 on a side"),
        ((18, 2, 8, 8), "box of 2x8 pixels, below 4 on a side"),
        ((0.1, 0.2, 0.5, 0.8), "box (x 0.1, y 0.2, w 0.5, h 0.8) is a share of the picture; pixels are wanted"),
    ],
)
def test_boxes_that_cannot_be_used_are_left_out_counted_and_listed(boxed, root, box, reason):
    boxed.loc[1, list("xywh")] = box
    manifest, report = finish(boxed, root, max_unreadable=0.15)
    assert manifest["image"].tolist() == [f"d/{row[0]}" for row in ROWS if row[0] != "s/1.png"]
    assert report["unreadable"]["first"] == [{"image": "s/1.png", "reason": reason}]
    assert tell_left_out(report, "r.json") == f"1 of 7 left out: s/1.png ({reason}); all in r.json"
    with pytest.raises(UserError, match=r"1 of 7 pictures cannot be used.*s/1.png: box"):
        finish(boxed, root, max_unreadable=0.1)


def test_boxes_that_are_all_shares(boxed):
    boxed.loc[0, list("xywh")] = [0.1, 0.2, 0.5, 0.8]
    with pytest.raises(UserError, match=r"row 1 .*column w: 0.5 is in a box within 0..1, .*; pixels are wanted"):
        check_table(boxed, "d")


def test_nothing_left_out_is_nothing_to_tell(table, root):
    assert tell_left_out(finish(table, root)[1], "r.json") is None


def test_box_too_small_to_use_counts_as_unreadable(boxed, root):
    boxed.loc[0, "w"] = 3
    manifest, report = finish(boxed, root, max_unreadable=0.5)
    assert len(manifest) == 6
    assert report["unreadable"]["first"][0]["reason"] == "box of 3x6 pixels, below 4 on a side"


def test_box_of_an_unreadable_picture_is_no_error(boxed, root):
    (root / "s/0.png").write_bytes(b"")
    _, report = finish(boxed, root, max_unreadable=0.5)
    assert (report["unreadable"]["pictures"], report["boxes_cut_to_picture"]) == (1, 0)


# The file.


def test_manifest_comes_back_and_its_bytes_are_stable(boxed, root, tmp_path):
    manifest, _ = finish(boxed.assign(subcategory="mini"), root)
    for name in ("a", "b"):
        write_manifest(tmp_path / name / "manifest.parquet", manifest)
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "a/manifest.parquet"), manifest)
    assert (tmp_path / "a/manifest.parquet").read_bytes() == (tmp_path / "b/manifest.parquet").read_bytes()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["manifest.parquet"]


def test_missing_truncated_and_foreign_files(boxed, root, tmp_path):
    manifest, _ = finish(boxed, root)
    path = tmp_path / "manifest.parquet"
    with pytest.raises(UserError, match=r"manifest.parquet: no such file; run `dvc repro prepare`"):
        read_manifest(path)
    write_manifest(path, manifest)
    content = path.read_bytes()
    for wrong in (content[:-100], content[: len(content) // 2], b"", b"image,item\n"):
        path.write_bytes(wrong)
        with pytest.raises(UserError, match="damaged or not a parquet file"):
            read_manifest(path)
    write_manifest(path, manifest.drop(columns="digest"))
    with pytest.raises(UserError, match="not a manifest, it has no column 'digest'"):
        read_manifest(path)


def test_tested_part_and_pictures():
    table = pd.DataFrame({"meta_domain": ["source", "target"], "split": ["query", "train"], "digest": "features-0"})
    assert evaluated_part(table, "auto") == evaluated_part(table, "source") == "source_test"
    assert not has_pictures(table)
    table = table.assign(split=["query", "query"], digest=["features-0", "ab"])
    assert (evaluated_part(table, "auto"), evaluated_part(table, "source")) == ("target_test", "source_test")
    assert has_pictures(table)
