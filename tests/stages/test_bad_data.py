"""Mistakes in a user's table, pictures and archives, through the commands."""

import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.chain import Chain, Outcome
from support.file_server import FileServer

from pipeline.base.names import IMAGE, ITEM, MANIFEST_FILE, META_DOMAIN, RAW_FOLDER

ARCHIVES = "pipeline/datasets/table/params.yaml:archives"


@pytest.fixture
def photos(finished, tmp_path) -> Path:
    """A user's folder: a table and pictures."""
    return Path(shutil.copytree(finished.folder / "data/raw/atelier", tmp_path / "photos/table"))


@pytest.fixture
def own(photos, tmp_path) -> Chain:
    """A chain that has read it once, before anything is wrong with it."""
    chain = Chain(tmp_path / "own", {"data.sets": ["table"], "data.source": str(photos.parent)})
    chain.succeed("download", "prepare")
    return chain


def _boxed(*boxes: tuple[float, ...]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The first rows get boxes."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        empty = [[""] * 4] * (len(table) - len(boxes))
        return table.join(pd.DataFrame([*map(list, boxes), *empty], columns=list("xywh"), dtype=str))

    return change


@pytest.mark.parametrize(
    ("stage", "change", "says"),
    [
        ("download", lambda table: table.drop(columns=ITEM), ["manifest.csv: no column item"]),
        ("download", lambda table: table.assign(image="../" + table[IMAGE]), ["leads out of its folder"]),
        ("download", lambda table: pd.concat([table, table[:1]]), ["column image", "is listed twice"]),
        ("download", lambda table: table.assign(domain="street"), ["column domain: 'street' is unknown; known: consu"]),
        ("download", lambda table: table.assign(split="eval"), ["column split: 'eval' is unknown; known: train"]),
        ("download", lambda table: table.assign(category=""), ["column category: '' is empty"]),
        ("download", _boxed((0, 0, 10, "inf")), ["column h: inf is not a number"]),
        ("download", _boxed((0, 0, 10, "")), ["column h: nothing in half a box"]),
        ("download", lambda table: table.assign(image="/home/me/" + table[IMAGE]), ["without '/home/me/images/"]),
        ("prepare", _boxed((50, 0, 9, 9)), ["box (x 50, y 0, w 9, h 9) lies outside the picture of 40x40 pixels"]),
        ("prepare", _boxed((5, 0, -20, 9)), ["box (x 5, y 0, w -20, h 9) has no size"]),
    ],
)
def test_table(own, photos, stage, change, says):
    change(pd.read_csv(photos / "manifest.csv", dtype=str)).to_csv(photos / "manifest.csv", index=False)
    if stage == "prepare":
        own.succeed("download")
        own.change({"prepare.max_unreadable": 0})
    own.fails(stage, *says)


def test_the_file_of_the_user_is_named(own, photos):
    table = photos / "manifest.csv"
    text = table.read_text()
    for wrong in (
        text.replace("item", "product", 1),
        text.replace("images/", "../images/"),
        text + "a,b\n",
        text + '"',
    ):
        table.write_text(wrong)
        own.fails("download", f" {table}")
    table.write_text(text.replace(",", ";"))
    own.fails(
        "download", f" {table}: its fields are parted by ';', not by ','; set ", "table/params.yaml:separator to ';'"
    )


@pytest.mark.parametrize("source", ["~/photos", "$HOME/photos", "${HOME}/photos"])
def test_a_source_that_dvc_would_not_find(own, source):
    written = Path("~/photos").expanduser()
    own.change({"data.source": source}).fails("download", "data.source: should be written out, as DVC", f"'{written}'")


def test_rows_of_blanks_change_nothing(own, photos):
    before = own.outputs()
    with open(photos / "manifest.csv", "a") as table:
        table.write(",,,,,\r\n" * 5)
    own.succeed("download", "prepare")
    changed = {path for path, digest in own.outputs().items() if digest != before[path]}
    assert changed == {"data/raw/table/manifest.csv"}


def test_unreadable_pictures_are_counted_and_listed(own, photos):
    total = len(pd.read_parquet(own.folder / MANIFEST_FILE))
    truncated, empty, tiny = bad = sorted((photos / "images/source").rglob("*.jpg"))[:3]
    truncated.write_bytes(truncated.read_bytes()[:300])
    empty.write_bytes(b"")
    Image.new("RGB", (1, 1)).save(tiny)
    own.succeed("download")
    own.fails("prepare", f"3 of {total} pictures cannot be used", "prepare.max_unreadable", bad[0].name)

    said = own.change({"prepare.max_unreadable": 0.02}).succeed("prepare")
    assert f"prepare: 3 of {total} left out: images/" in said
    assert "; all in metrics/prepare.json\n" in said
    report = json.loads((own.folder / "metrics/prepare.json").read_text())
    assert report["unreadable"]["pictures"] == 3
    reasons = {Path(entry["image"]).name: entry["reason"] for entry in report["unreadable"]["first"]}
    assert reasons.keys() == {path.name for path in bad}
    assert "damaged" in reasons[truncated.name]
    assert reasons[empty.name] == "empty file"
    assert "1x1 pixels" in reasons[tiny.name]
    assert len(pd.read_parquet(own.folder / MANIFEST_FILE)) == total - 3


def test_unusual_pictures_work(own, photos):
    cmyk, deep, grey, alpha, moving, turned = sorted((photos / "images").rglob("*.jpg"))[::40][:6]
    Image.new("CMYK", (40, 50), (90, 10, 30, 0)).save(cmyk, format="JPEG")
    Image.fromarray(np.full((40, 50), 40_000, np.uint16)).save(deep, format="PNG")
    Image.new("L", (40, 50), 99).save(grey, format="PNG")
    Image.new("RGBA", (40, 50), (9, 9, 9, 9)).save(alpha, format="PNG")
    frames = [Image.new("P", (40, 50), index) for index in range(3)]
    frames[0].save(moving, format="GIF", save_all=True, append_images=frames[1:])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 50)).save(turned, format="JPEG", exif=exif)
    own.succeed("download", "prepare", "finetune", "extract")
    assert json.loads((own.folder / "metrics/prepare.json").read_text())["unreadable"]["pictures"] == 0


def test_picture_that_vanishes_while_workers_read(chain):
    table = pd.read_parquet(chain.folder / MANIFEST_FILE)
    for image in table.loc[table[META_DOMAIN] == "source", IMAGE]:
        (chain.folder / RAW_FOLDER / image).unlink()
    before = chain.outputs()
    done = Outcome.of(chain.change({"runtime.workers": 2}).start("finetune"))
    done.check_message("finetune", "data/raw/atelier/images/source", "no such file", "run `dvc repro prepare`")
    assert chain.outputs() == before


def test_whatever_cannot_be_used_is_left_out_by_one_rule(own, photos):
    bad = [(50, 0, 9, 9), (5, 5, 0, 9), (5, 5, -3, 9), (5, 5, 3, 9), (0.1, 0.1, 0.5, 0.5)]
    table = pd.read_csv(photos / "manifest.csv", dtype=str)
    boxed = _boxed(*bad, (0, 0, 20, 20))(table)
    boxed.to_csv(photos / "manifest.csv", index=False)
    missing, heic = (photos / image for image in table[IMAGE][6:8])
    missing.unlink()
    heic.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    own.change({"prepare.max_unreadable": 0.1}).succeed("download", "prepare")
    report = json.loads((own.folder / "metrics/prepare.json").read_text())["unreadable"]
    assert [one["image"] for one in report["first"]] == [*table[IMAGE][:5], *table[IMAGE][6:8]]
    reasons = [
        "lies outside",
        "has no size",
        "has no size",
        "below 8 on a side",
        "other boxes are in pixels",
        "no such file",
        "HEIC" if find_spec("pillow_heif") is None else "damaged",
    ]
    assert all(reason in one["reason"] for one, reason in zip(report["first"], reasons, strict=True))
    own.succeed("finetune", "extract")


def test_what_prepare_accepts_can_be_read_reduced_too(own, photos):
    """EXIF whose orientation is a text: it was read in full by the one stage, and reduced by the others."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x02\0\0\x006\0\0\0\0\0\0\0"
    for path in sorted((photos / "images/source").rglob("*.jpg")):
        Image.open(path).resize((400, 400)).save(path, exif=exif)
    own.succeed("download", "prepare", "finetune")


def test_what_will_come_of_it_is_said(own, photos):
    table = pd.read_csv(photos / "manifest.csv", dtype=str)
    source = table[META_DOMAIN] == "source"
    query = table.index[table["split"] == "query"][0]
    table.loc[query, ITEM] = "t-lost"
    first, *_, last = table.index[source & (table["domain"] == "shop")]
    shutil.copyfile(photos / table[IMAGE][first], photos / table[IMAGE][last])
    table[~(source & (table["domain"] == "consumer"))].to_csv(photos / "manifest.csv", index=False)
    own.succeed("download")
    said = own.succeed("prepare")
    assert f"in the gallery: table/{table[IMAGE][query]} (item t-lost)" in said
    assert f"table/{table[IMAGE][first]} (item {table[ITEM][first]}) is also table/{table[IMAGE][last]}" in said
    assert "the source has no consumer pictures to train on" in said


def _in_latin1(folder: Path) -> str:
    name = os.fsdecode(b"caf\xe9.jpg")
    shutil.copyfile(next(folder.rglob("*.jpg")), folder / name)
    return r"caf\xe9.jpg"


def test_names_that_are_no_utf8(own, photos, tmp_path):
    shown = _in_latin1(photos)
    own.fails("download", f"{photos}/{shown}: its name is not in UTF-8; rename it")
    packed = tmp_path / "incoming/table/set.tar"
    packed.parent.mkdir(parents=True)
    with tarfile.open(packed, "w", encoding="utf-8", errors="surrogateescape") as archive:
        archive.add(photos, ".")
    archives = {
        "pipeline/datasets/table/params.yaml:archives": [{"file": "set.tar"}],
        "data.source": str(tmp_path / "incoming"),
    }
    own.change(archives).fails("download", shown, "is named in a code page", "set `encoding`")
    archives["pipeline/datasets/table/params.yaml:archives"][0]["encoding"] = "latin1"
    own.change(archives).succeed("download", "prepare")


def test_class_folders_that_are_no_utf8(own, tmp_path):
    folder = tmp_path / "incoming/cars196/images" / os.fsdecode(b"Citro\xebn")
    folder.mkdir(parents=True)
    Image.new("RGB", (40, 40)).save(folder / "1.jpg")
    changes = {"data.sets": ["cars196"], "data.source": str(tmp_path / "incoming")}
    own.change(changes).fails("download", r"cars196/images/Citro\xebn: its name is not in UTF-8; rename it")


# Archives


@contextmanager
def _served(own: Chain, content: bytes, sha256: str | None = None, **faults: Any) -> Iterator[None]:
    with FileServer(content, **faults).running() as server:
        archive = {"url": server.url} | ({"sha256": sha256} if sha256 else {})
        yield own.change({ARCHIVES: [archive], "data.source": "incoming"})


def _zip(path: Path, files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("files", "sha256", "says"),
    [
        ({"manifest.csv": b"image,item\n"}, "0" * 64, ["set.bin: wrong checksum", "expected sha256 000"]),
        ({"manifest.csv": b"", "../../../evil.txt": b"x"}, None, ["set.bin", "'../../../evil.txt' leads out"]),
    ],
)
def test_archive(own, tmp_path, files, sha256, says):
    with _served(own, _zip(tmp_path / "set.zip", files), sha256):
        own.fails("download", *says)
    assert list(tmp_path.rglob("evil.txt")) == []


def test_dropped_connection_goes_on(own, photos, tmp_path):
    (photos / "attributes.csv").unlink()  # the world's own: a set of the kind table does not copy it
    names = [path for path in photos.rglob("*") if path.is_file()]
    content = _zip(tmp_path / "set.zip", {path.relative_to(photos).as_posix(): path.read_bytes() for path in names})
    before = own.outputs()
    with _served(own, content, drop_after=len(content) * 2 // 3):
        own.succeed("download")
    assert own.outputs() == before, "the archive holds the same files"
