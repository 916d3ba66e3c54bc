"""Mistakes in a user's table, pictures and archives, through the commands."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.chain import Chain, Outcome
from support.file_server import FileServer

from pipeline.base.names import IMAGE, ITEM, MANIFEST_FILE, META_DOMAIN, RAW_FOLDER


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


def _boxed(table: pd.DataFrame) -> pd.DataFrame:
    boxes = {"x": "50", "y": "0", "w": "10", "h": "10"}
    return table.assign(**{name: [value, *[""] * (len(table) - 1)] for name, value in boxes.items()})


@pytest.mark.parametrize(
    ("stage", "change", "says"),
    [
        ("download", lambda table: table.drop(columns=ITEM), ["manifest.csv: no column item"]),
        ("download", lambda table: table.assign(image="../" + table[IMAGE]), ["leads out of its folder"]),
        ("download", lambda table: pd.concat([table, table[:1]]), ["column image", "is listed twice"]),
        ("download", lambda table: table.assign(domain="street"), ["column domain: 'street' is unknown; known: consu"]),
        ("download", lambda table: table.assign(split="eval"), ["column split: 'eval' is unknown; known: train"]),
        ("download", lambda table: table.assign(category=""), ["column category: '' is empty"]),
        ("prepare", _boxed, ["row 1 (images/", "box (x 50, y 0, w 10, h 10) lies outside the picture of 40x40 pixels"]),
    ],
)
def test_table(own, photos, stage, change, says):
    change(pd.read_csv(photos / "manifest.csv", dtype=str)).to_csv(photos / "manifest.csv", index=False)
    if stage == "prepare":
        own.succeed("download")
    own.fails(stage, *says)


def test_unreadable_pictures_are_counted_and_listed(own, photos):
    total = len(pd.read_parquet(own.folder / MANIFEST_FILE))
    truncated, empty, tiny = bad = sorted((photos / "images/source").rglob("*.jpg"))[:3]
    truncated.write_bytes(truncated.read_bytes()[:300])
    empty.write_bytes(b"")
    Image.new("RGB", (1, 1)).save(tiny)
    own.succeed("download")
    own.fails("prepare", f"3 of {total} pictures cannot be used", "prepare.max_unreadable", bad[0].name)

    own.change({"prepare.max_unreadable": 0.02}).succeed("prepare")
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


# Archives


@contextmanager
def _served(own: Chain, content: bytes, sha256: str | None = None, **faults: Any) -> Iterator[None]:
    with FileServer(content, **faults).running() as server:
        archive = {"url": server.url} | ({"sha256": sha256} if sha256 else {})
        yield own.change({"pipeline/datasets/table/params.yaml:archives": [archive], "data.source": "incoming"})


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
    names = [path for path in photos.rglob("*") if path.is_file()]
    content = _zip(tmp_path / "set.zip", {path.relative_to(photos).as_posix(): path.read_bytes() for path in names})
    before = own.outputs()
    with _served(own, content, drop_after=len(content) * 2 // 3):
        own.succeed("download")
    assert own.outputs() == before, "the archive holds the same files"
