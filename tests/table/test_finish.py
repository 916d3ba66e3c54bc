"""The table against its pictures, 20 x 10 pixels each: what becomes of pictures and boxes."""

import numpy as np
import pytest
from PIL import Image
from support.tables import ROWS, finish

from pipeline.base.errors import UserError
from pipeline.table.counts import tell_left_out
from pipeline.table.manifest import check_table


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
        (
            (0.1, 0.2, 0.5, 0.8),
            "box (x 0.1, y 0.2, w 0.5, h 0.8) is a share of the picture, where other boxes are in pixels",
        ),
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


def test_boxes_that_are_all_shares_become_pixels(table, root):
    with Image.open(root / table["image"][0]) as picture:
        width, height = picture.size
    table.loc[0, list("xywh")] = [0.25, 0.5, 0.7501, 0.5]  # by rounding a little more than there is
    manifest, report = finish(check_table(table, "d"), root)
    assert manifest.loc[0, list("xywh")].tolist() == [0.25 * width, 0.5 * height, 0.75 * width, 0.5 * height]
    assert manifest.loc[1:, list("xywh")].isna().all(axis=None)
    assert report["sets_with_boxes_as_shares"] == [root.name]


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
