"""The table dataset: anybody's CSV or parquet with a folder of pictures."""

import math
import re
import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from support.table_dataset import DEFAULTS

from pipeline.base.errors import UserError
from pipeline.datasets.table.reader import PARAMS
from pipeline.table.manifest import check_table

HEADER = "image,item,category,domain,meta_domain,split"


@pytest.fixture
def shop(tmp_path, picture) -> Path:
    """A shop's own table with other column names, and its pictures."""
    source = tmp_path / "shop"
    for name in ("001.jpg", "002.jpg", "003.jpg", "unlisted.jpg"):
        picture(source / "photos" / name)
    (source / "list.csv").write_text(
        "file,sku,kind,view,photographer,left,top,width,height\n"
        "001.jpg,007,dress,consumer,204,1,2,3.5,4\n"
        "002.jpg,007,dress,shop,204,,,,\n"
        "./003.jpg,NA,hat,shop,7,,,,\n"
        "gone.jpg,1e5,hat,consumer,8,,,,\n"
    )
    return source


SHOP = DEFAULTS | {
    "table": "list.csv",
    "images": "photos",
    "rename": {
        **{"file": "image", "sku": "item", "kind": "category", "view": "domain"},
        **{"left": "x", "top": "y", "width": "w", "height": "h"},
    },
    "constants": {"meta_domain": "source", "split": "train"},
}


def test_renames_constants_and_boxes(shop, fetched):
    out, table = fetched(shop, "table", **SHOP)
    assert table["image"].tolist() == ["photos/001.jpg", "photos/002.jpg", "photos/003.jpg", "photos/gone.jpg"]
    assert table["item"].tolist() == ["007", "007", "NA", "1e5"], "ids stay text"
    assert set(table["meta_domain"]) == {"source"}
    assert table.loc[0, ["x", "y", "w", "h"]].tolist() == [1, 2, 3.5, 4]
    assert table.loc[1:, ["x", "y", "w", "h"]].isna().all(axis=None)
    copied = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert copied == ["list.csv", "photos/001.jpg", "photos/002.jpg", "photos/003.jpg"], (
        "the missing one is for prepare"
    )


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"photographer": 204}, ["001", "002"]),
        ({"photographer": [7, "8"]}, ["003", "gone"]),
        ({"photographer": "204", "domain": ["shop"]}, ["002"]),
        ({"meta_domain": "source"}, ["001", "002", "003", "gone"]),
    ],
)
def test_row_filter(shop, dataset, where, kept):
    module, params = dataset("table", **SHOP | {"where": where})
    table = module.read_table(shop, params)
    assert [Path(name).stem for name in table["image"]] == kept
    assert table.index.tolist() == list(range(len(kept)))


def test_only_filtered_pictures_are_copied(shop, fetched):
    out, _ = fetched(shop, "table", **SHOP | {"where": {"item": "NA"}})
    assert [path.name for path in (out / "photos").iterdir()] == ["003.jpg"]


def test_a_source_may_be_made_of_several_datasets(shop, fetched):
    _, table = fetched(shop, "table", **SHOP | {"rename": SHOP["rename"] | {"photographer": "dataset"}})
    assert table["dataset"].tolist() == ["204", "204", "7", "8"]


def test_parquet_gives_the_same_table(shop, dataset):
    module, params = dataset("table", **SHOP)
    expected = module.read_table(shop, params)
    frame = pd.read_csv(shop / "list.csv", dtype={"sku": str, "file": str}, keep_default_na=False, na_values=[""])
    frame.to_parquet(shop / "list.parquet")
    module, params = dataset("table", **SHOP | {"table": "list.parquet"})
    pd.testing.assert_frame_equal(module.read_table(shop, params), expected)


def test_table_and_pictures_from_an_archive(shop, fetched, tmp_path):
    source = tmp_path / "incoming"
    source.mkdir()
    with zipfile.ZipFile(source / "set.zip", "w") as archive:
        for path in shop.rglob("*.*"):
            archive.write(path, path.relative_to(shop))
    out, table = fetched(source, "table", **SHOP | {"archives": [{"file": "set.zip"}]})
    assert len(table) == 4
    assert (out / "photos/001.jpg").read_bytes() == (shop / "photos/001.jpg").read_bytes()


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"rename": {}}, "no column image, item, category, domain among file"),
        (
            {"rename": {"files": "image"}},
            "datasets/table/params.yaml:rename: .*no column 'files'; its columns: file, sku",
        ),
        ({"rename": SHOP["rename"] | {"photographer": "item"}}, "two columns are called item"),
        ({"rename": SHOP["rename"] | {"height": "tall"}}, "a box takes the columns x, y, w, h, only x, y, w found"),
        ({"constants": {"split": "train"}}, "no column meta_domain"),
        ({"constants": {"photographer": "1"}}, "constants: .*has a column photographer already"),
        ({"constants": {"colour": "red"}}, "constants: unknown column 'colour'"),
        ({"constants": {"split": 1}}, "datasets/table/params.yaml:constants.split: .*string"),
        ({"where": {"colour": "red"}}, "datasets/table/params.yaml:where: .*no column 'colour'"),
        ({"attributes": ["colour"]}, "datasets/table/params.yaml:attributes: .*no column 'colour'; its columns: image"),
        ({"attributes": "kind"}, "datasets/table/params.yaml:attributes: .*list"),
        ({"where": {"photographer": "nobody"}}, "no row passes .*datasets/table/params.yaml:where"),
        ({"where": {"photographer": True}}, "datasets/table/params.yaml:where.photographer"),
        ({"separator": "tab"}, "datasets/table/params.yaml:separator"),
        ({"table": "../list.csv"}, "datasets/table/params.yaml:table: '../list.csv' leads out"),
        ({"table": "none.csv"}, "none.csv: no such file"),
        ({"images": "/photos"}, "leads out of its folder"),
    ],
)
def test_mistakes_are_named(shop, dataset, section, problem):
    with pytest.raises(UserError, match=problem) as caught:
        module, params = dataset("table", **SHOP | section)
        module.read_table(shop, params)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("../a.jpg,1,hat,shop,source,train,,,,", "'../a.jpg' leads out of its folder"),
        ("/a.jpg,1,hat,shop,source,train,,,,", "'/a.jpg' leads out of its folder"),
        ("a.jpg,1,hat,shop,source,train,1,2,3,four", "box of a.jpg: h is 'four', expected a number or nothing"),
    ],
)
def test_bad_rows_are_named(tmp_path, dataset, row, problem):
    (tmp_path / "manifest.csv").write_text(f"{HEADER},x,y,w,h\nok.jpg,1,hat,shop,source,train,,,,\n{row}\n")
    module, params = dataset("table", **DEFAULTS)
    with pytest.raises(UserError, match=problem):
        module.read_table(tmp_path, params)


def test_nothing_there(tmp_path, fetched):
    with pytest.raises(UserError, match=r"manifest.csv: no such file; put your table .* there"):
        fetched(tmp_path / "absent", "table", **DEFAULTS)


def test_pictures_elsewhere(shop, fetched):
    with pytest.raises(UserError, match=r"none of the 4 pictures is there .*datasets/table/params.yaml: table, images"):
        fetched(shop, "table", **SHOP | {"images": "pictures"})


def test_real_photos(wardrobe, dataset, fetched):
    module, params = dataset("table", **DEFAULTS)
    table = check_table(module.read_table(wardrobe, params), "table")
    counts = Counter(zip(table["meta_domain"], table["split"], table["domain"], strict=True))
    assert counts == {
        ("source", "train", "consumer"): 2000,
        ("source", "train", "shop"): 1000,
        ("target", "train", "shop"): 400,
        ("target", "query", "consumer"): 800,
        ("target", "gallery", "shop"): 400,
    }
    assert table[table["meta_domain"] == "source"]["category"].nunique() == 17
    assert table[table["meta_domain"] == "target"]["category"].nunique() == 8
    assert math.isnan(table["x"][0])

    out, part = fetched(wardrobe, "table", **DEFAULTS | {"where": {"item": ["s00000", "t00001"]}})
    copied = {path.relative_to(out).as_posix() for path in out.rglob("*.jpg")}
    assert copied == set(part["image"])
    assert part["domain"].value_counts().to_dict() == {"consumer": 4, "shop": 2}


def test_real_pairs_of_two_photographs(grocery, fetched):
    out, table = fetched(grocery, "table", **DEFAULTS)
    counts = Counter(zip(table["meta_domain"], table["split"], table["domain"], strict=True))
    assert counts == {
        ("source", "train", "consumer"): 672,
        ("source", "train", "shop"): 28,
        ("target", "train", "shop"): 22,
        ("target", "query", "consumer"): 528,
        ("target", "gallery", "shop"): 22,
    }
    assert set(table[table["meta_domain"] == "target"]["category"]) == {"Vegetables"}
    assert all((out / name).is_file() for name in table["image"])


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["/home/me/photos/a.jpg", "/home/me/photos/b/c.jpg"], "like 2 of 2; .*: perhaps without '/home/me/photos/'$"),
        (["C:\\photos\\a.jpg", "C:\\photos\\b.jpg"], r"without 'C:\\\\photos\\\\'$"),
        (["~/photos/a.jpg", "b.jpg"], "like 1 of 2; .*: perhaps without '~/photos/'$"),
        (["/a.jpg", "b.jpg"], "without what leads to that folder$"),
        (["/home/a.jpg", "C:/b.jpg"], "without what leads to that folder$"),
    ],
)
def test_absolute_paths(tmp_path, dataset, names, says):
    pd.DataFrame({"image": names, "item": 1, "category": "hat"}).to_csv(tmp_path / "manifest.csv", index=False)
    constants = {"domain": "shop", "meta_domain": "source", "split": "train"}
    module, params = dataset("table", **DEFAULTS | {"constants": constants})
    with pytest.raises(UserError, match=f"leads out of its folder, an absolute path .*{says}"):
        module.read_table(tmp_path, params)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator(tmp_path, dataset, separator):
    text = f"{HEADER}\na.jpg,1,hat,shop,source,train\n".replace(",", separator) + "a,b\n"
    (tmp_path / "manifest.csv").write_text(text)
    module, params = dataset("table", **DEFAULTS)
    parted = re.escape(f"parted by {separator!r}, not by ','; set {PARAMS}:separator to {separator!r}")
    with pytest.raises(UserError, match=f"manifest.csv: .*{parted}"):
        module.read_table(tmp_path, params)


def test_rows_of_blanks_are_no_rows(tmp_path, dataset):
    rows = ["a.jpg,1,hat,shop,source,train", ",,,,,", "b.jpg,1,hat,shop,source,train", " , ,,,, ", ",,,", ""]
    (tmp_path / "manifest.csv").write_text("\n".join([HEADER, *rows]))
    module, params = dataset("table", **DEFAULTS)
    expected = module.read_table(tmp_path, params)
    assert expected["image"].tolist() == ["a.jpg", "b.jpg"]
    table = pd.DataFrame([[*row.split(",")] for row in rows[:4]], columns=HEADER.split(","))
    table.loc[len(table)] = None
    table.to_parquet(tmp_path / "manifest.parquet")
    module, params = dataset("table", **DEFAULTS | {"table": "manifest.parquet"})
    pd.testing.assert_frame_equal(module.read_table(tmp_path, params), expected)


def test_a_spreadsheet(tmp_path, dataset):
    (tmp_path / "list.xlsx").write_bytes(b"PK\3\4")
    module, params = dataset("table", **DEFAULTS | {"table": "list.xlsx"})
    with pytest.raises(UserError, match="list.xlsx: a spreadsheet, which is not read; export it as CSV"):
        module.read_table(tmp_path, params)
