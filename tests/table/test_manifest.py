"""The rules of the table, each broken in exactly one place, and its file."""

import numpy as np
import pandas as pd
import pytest
from support.tables import COLUMNS, finish

from pipeline.base.errors import UserError
from pipeline.base.names import Part
from pipeline.table.manifest import check_table, evaluated_part, has_pictures, part_rows, read_manifest, write_manifest


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
