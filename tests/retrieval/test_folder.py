"""The folder of an index: it is exchanged whole, and what a killed command left of it is put right."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, ROW
from pipeline.retrieval.engines.flat import FlatEngine
from pipeline.retrieval.engines.vectors import Vectors
from pipeline.retrieval.index import folder as index_folder
from pipeline.retrieval.index.folder import TEXTS, Facts, Index, Model, changing, read_index, stamp, write_index

ROWS = 5


def index(link: str = "") -> Index:
    rows = np.random.default_rng(0).normal(size=(ROWS, 4)).astype(np.float32)
    table = pd.DataFrame({ROW: np.arange(ROWS), **dict.fromkeys(TEXTS, ""), **dict.fromkeys(BOX, np.nan)})
    models = {"viewed": Model("m", "1")}
    facts = Facts("target_test", ROWS, ROWS, Model("m", "1"), models, "cosine", "euclidean", 20)
    return Index(facts, table.assign(link=link), {"viewed": FlatEngine.build(Vectors(np.arange(ROWS), rows))})


@pytest.fixture
def folder(tmp_path) -> Path:
    write_index(tmp_path / "live", index())
    return tmp_path / "live"


def test_what_is_left_of_another_index_is_not_touched(folder):
    of_another = [folder.with_name(f".live.old.9.{ending}") for ending in ("part", "former")]
    own = folder.with_name(".live.9.part")
    for left in (*of_another, own):
        left.mkdir()
    with changing(folder):
        pass
    assert all(left.exists() for left in of_another)
    assert not own.exists()


def test_one_that_was_left_between_two_renames_is_put_back_by_reading_it(folder):
    folder.rename(folder.with_name(".live.9.former"))
    assert len(read_index(folder)) == ROWS
    assert not folder.with_name(".live.9.former").exists()


def test_reading_waits_for_a_swap(folder, monkeypatch):
    former = folder.with_name(".live.9.former")
    with changing(folder):
        folder.rename(former)
        monkeypatch.setattr(index_folder, "sleep", lambda _: former.rename(folder))
        assert len(read_index(folder)) == ROWS


def test_a_link_to_a_folder_stays_one(folder, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folder)
    with changing(link):
        write_index(link, index("https://shop.example"))
    assert link.is_symlink()
    assert read_index(folder).table["link"].tolist() == ["https://shop.example"] * ROWS


def test_another_table_alone_is_another_index(folder):
    before, facts = stamp(folder), (folder / "index.json").read_bytes()
    (folder / "rows.parquet").unlink()
    index("https://shop.example").table.to_parquet(folder / "rows.parquet")
    assert (folder / "index.json").read_bytes() == facts
    assert stamp(folder) != before


def test_an_empty_file_is_told(folder):
    (file,) = folder.rglob("ids.npy")
    file.write_bytes(b"")
    with pytest.raises(UserError, match=r"live: damaged index \(.*\); run `dvc repro index`"):
        read_index(folder)
