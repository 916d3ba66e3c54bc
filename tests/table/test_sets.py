"""Tables of sets: written and read, and joined into one manifest."""

import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.table.attributes import no_attributes
from pipeline.table.manifest import check_table
from pipeline.table.sets import (
    attributes_file,
    join_attributes,
    join_sets,
    read_set_attributes,
    read_table,
    table_file,
    write_table,
)

ROW = {"item": "1", "category": "hat", "domain": "shop", "meta_domain": "source", "split": "train"}


def table(name: str, **more: object) -> pd.DataFrame:
    return check_table(pd.DataFrame([{"image": f"{n}.jpg", **ROW, **more} for n in "ab"]), name)


def finished(name: str, bad: int = 0, **more: object) -> tuple[pd.DataFrame, dict]:
    listed = [{"image": f"bad{n}.jpg", "reason": "empty file"} for n in range(bad)]
    rows = table(name, **more)
    rows = rows.assign(image=f"{name}/" + rows["image"], digest="0")
    return rows, {
        "unreadable": {"pictures": bad, "share": bad / (bad + 2), "first": listed},
        "boxes_cut_to_picture": 1,
        "sets_with_boxes_as_shares": [],
    }


def test_table_comes_back(tmp_path):
    for rows in (table("a"), table("a", subcategory="cap", x=1.5, y=0, w=2, h=3)):
        known = pd.DataFrame({"row": [1, 0], "attribute": "fit", "value": ["slim", "wide"], "split": "train"})
        write_table(tmp_path, "a", rows, known)
        pd.testing.assert_frame_equal(read_table(tmp_path, "a"), rows)
        pd.testing.assert_frame_equal(read_set_attributes(tmp_path, "a"), known)


def test_missing_and_damaged_tables(tmp_path):
    with pytest.raises(UserError, match=r"a.parquet: no such file; run `dvc repro -f download@a`"):
        read_table(tmp_path, "a")
    table_file(tmp_path, "a").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="a.parquet: damaged or not a parquet file; run"):
        read_table(tmp_path, "a")
    pd.DataFrame({"x": [1]}).to_parquet(table_file(tmp_path, "a"))
    with pytest.raises(UserError, match="a.parquet: not the table of a set; run"):
        read_table(tmp_path, "a")
    with pytest.raises(UserError, match=r"a.attributes.parquet: no such file; run `dvc repro -f download@a`"):
        read_set_attributes(tmp_path, "a")
    pd.DataFrame({"x": [1]}).to_parquet(attributes_file(tmp_path, "a"))
    with pytest.raises(UserError, match="a.attributes.parquet: not a table of attributes; run `dvc repro -f"):
        read_set_attributes(tmp_path, "a")


def test_one_set_is_left_as_it_is():
    manifest, report = finished("a", bad=1)
    joined, told = join_sets(["a"], [(manifest, report)])
    pd.testing.assert_frame_equal(joined, manifest)
    assert told is report


def test_several_sets_in_their_order():
    pair = [finished("b", bad=1, meta_domain="target", item="", x=1, y=1, w=2, h=2), finished("a", subcategory="cap")]
    manifest, report = join_sets(["b", "a"], pair)
    assert manifest["image"].tolist() == ["b/a.jpg", "b/b.jpg", "a/a.jpg", "a/b.jpg"]
    assert manifest["subcategory"].tolist() == ["", "", "cap", "cap"]
    assert list(manifest.columns) == list(pair[1][0].columns)
    assert np.isnan(manifest["x"]).tolist() == [False, False, True, True]
    assert report["pictures"] == 4
    assert report["unreadable"] == {
        "pictures": 1,
        "share": 0.2,
        "first": [{"image": "b/bad0.jpg", "reason": "empty file"}],
    }
    assert report["boxes_cut_to_picture"] == 2
    assert report["parts"]["source"]["train"] == {"consumer": 0, "shop": 2, "items": 1}
    assert report["categories"] == {"source": {"hat": 2}, "target": {"hat": 2}}


def test_attributes_follow_their_pictures():
    known = pd.DataFrame({"row": [2, 0, 1, 2], "attribute": ["fit", "fit", "neck", "neck"], "value": list("abcd")})
    known = known.assign(split="train")
    first, second = table("a"), table("b").set_axis([0, 2])  # of the second set, the picture in the middle went out
    joined = join_attributes([first, second, table("c")], [known.iloc[1:3], known, no_attributes()])
    assert joined.to_numpy().tolist() == [
        [0, "fit", "b", "train"],
        [1, "neck", "c", "train"],
        [3, "fit", "a", "train"],
        [2, "fit", "b", "train"],
        [3, "neck", "d", "train"],
    ]
    assert joined.dtypes.tolist() == no_attributes().dtypes.tolist()
    assert join_attributes([first], [no_attributes()]).equals(no_attributes())
