"""The stage index with Milvus."""

import json
import shutil

import pytest
from support.milvus_server import milvus_server

from pipeline.base.names import INDEX_FOLDER


@pytest.fixture
def served(chain, tmp_path):
    with milvus_server("lite", tmp_path / "milvus") as server:
        yield chain.change({"index.engine": "milvus", "index.milvus.uri": server.uri}), server


def test_finds_what_the_exact_index_finds(served):
    chain, _ = served
    picture = next((chain.folder / "data/raw").rglob("*.jpg"))
    ask = f"search {picture} --json"
    before = _rows(chain.succeed(ask))
    assert "milvus" in chain.succeed("index")
    report = json.loads((chain.folder / "metrics/index.json").read_text())
    assert all(model["engine"] == "milvus" and model["recall@10"] >= 0.98 for model in report.values())
    assert _rows(chain.succeed(ask)) == before
    chain.succeed("index")  # again: the former collection goes, the index does not
    assert _rows(chain.succeed(ask)) == before


def test_pictures_come_and_go(served, tmp_path):
    chain, _ = served
    chain.succeed("index")
    picture = next((chain.folder / "data/raw").rglob("*.jpg"))
    ask = f"search {picture} --json -k 20"
    before = _rows(chain.succeed(ask))
    new = tmp_path / "shop/kites/new.jpg"
    new.parent.mkdir(parents=True)
    shutil.copyfile(picture, new)
    chain.succeed(f"catalogue add {new.parent.parent} --device cpu")
    (row,) = set(_rows(chain.succeed(ask))) - set(before)
    assert _rows(chain.succeed(f"{ask} --category kites")) == [row]
    chain.succeed("catalogue remove new")
    assert _rows(chain.succeed(ask)) == before


def test_says_in_a_line_that_there_is_no_server(served):
    chain, server = served
    server.stop()
    chain.fails("index", f"Milvus at {server.uri}: no answer; start it, or set index.milvus.uri")
    chain.change({"index.milvus.uri": "milvus.db"}).fails("index", "index.milvus.uri")
    assert (chain.folder / INDEX_FOLDER).is_dir()


def _rows(told: str) -> list[int]:
    return [hit["row"] for line in told.splitlines() for hit in json.loads(line)["hits"]]
