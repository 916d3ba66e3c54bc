"""Milvus as an engine, against milvus-lite's server; with -m slow also against a real one."""

import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML
from support.milvus_server import milvus_server

from pipeline.base.code import PROJECT
from pipeline.base.errors import UserError
from pipeline.base.names import ROW
from pipeline.params.index import IndexParams
from pipeline.retrieval import finding
from pipeline.retrieval.engines import collection, milvus
from pipeline.retrieval.engines.choice import build_engine, read_engine
from pipeline.retrieval.engines.face import Among
from pipeline.retrieval.engines.flat import FlatEngine
from pipeline.retrieval.engines.measure import sample_of
from pipeline.retrieval.engines.vectors import Vectors
from pipeline.retrieval.finding import Query, find
from pipeline.retrieval.fusion import Fusion
from pipeline.retrieval.index.folder import FOLDER, TEXTS, Facts, Index, Model, read_index, write_index
from pipeline.retrieval.searcher import Searcher

ROWS, DIM = 3000, 16
NAMES = np.array(['dress "A"', "robe d'été", "c\\d", "上衣"])


@pytest.fixture(scope="module", params=["lite", pytest.param("server", marks=pytest.mark.slow)])
def uri(request, tmp_path_factory):
    with milvus_server(request.param, tmp_path_factory.mktemp("milvus")) as server:
        yield server.uri


@pytest.fixture
def gallery():
    """Vectors whose numbers have gaps, and a category each."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(20, DIM))[rng.integers(20, size=ROWS)] + 0.7 * rng.normal(size=(ROWS, DIM))
    vectors = Vectors(3 + 2 * np.arange(ROWS), unit(rows))
    return vectors, NAMES[rng.integers(len(NAMES), size=ROWS)]


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def params(uri, recall=0.9, **changes):
    section = YAML(typ="safe").load(PROJECT / "params.yaml")["index"]
    settings = {"uri": uri, "collection": "test", "index": "IVF_FLAT", "lists": 32, **changes}
    return IndexParams(**{**section, "engine": "milvus", "recall": recall, "milvus": {**section["milvus"], **settings}})


def built(gallery, params, model="adapted"):
    vectors, categories = gallery
    queries = vectors.sample(40)
    return build_engine(vectors, categories, sample_of(vectors, queries, np.full(40, -1)), params, model)


def top(engine, query, among=None):
    return find(engine, Query(query), 10, fusion=Fusion(), shortlist=20, among=among)[0].tolist()


def collections(uri):
    return collection.connect(uri).list_collections()


@pytest.mark.parametrize(
    "setting",
    [
        {"index": "FLAT"},
        {"index": "IVF_FLAT", "probes": 32},
        {"index": "IVF_SQ8", "probes": 32},
        {"index": "HNSW", "probes": 500},
    ],
    ids=lambda setting: setting["index"],
)
def test_finds_what_exact_search_finds(uri, gallery, setting, monkeypatch):
    vectors, categories = gallery
    engine, flat = built(gallery, params(uri, **setting)), FlatEngine.build(vectors)
    queries = unit(np.random.default_rng(1).normal(size=(25, DIM)))
    assert [top(engine, query) for query in queries] == [top(flat, query) for query in queries]
    # of a category, by Milvus and row by row
    for scanned in (0, ROWS):
        monkeypatch.setattr(finding, "SCAN_ROWS", scanned)
        for name in NAMES:
            among = Among(str(name), vectors.ids[categories == name])
            assert top(engine, queries[0], among) == top(flat, queries[0], among)
    engine.discard()


def test_probes_are_the_fewest_that_reach_the_recall(uri, gallery):
    engine = built(gallery, params(uri, recall=0.6))
    assert 1 <= engine.probes < 16
    most = engine.search(gallery[0].sample(3), 0)  # all that is looked into
    assert 50 < (most >= 0).sum(axis=1).max() < ROWS
    assert engine.search(gallery[0].sample(3), 20_000).shape == (3, 20_000)
    engine.discard()


def test_more_is_looked_into_where_a_category_is_rare(uri, gallery):
    vectors, categories = gallery
    categories = categories.copy().astype("<U20")
    categories[::300] = "rare"
    engine = built((vectors, categories), params(uri, recall=0.01, probes=1))
    rare = vectors.ids[categories == "rare"]
    found = engine.search(vectors.sample(1), 20, Among("rare", rare), len(rare))[0]
    assert sorted(found[: len(rare)]) == rare.tolist()
    engine.discard()


def test_what_finds_too_little_does_not_go_live(uri, gallery):
    before = collections(uri)
    with pytest.raises(UserError, match=r"adapted is 0\.\d+, below index\.recall \(1\.0\).*refuses to go live") as told:
        built(gallery, params(uri, recall=1.0, lists=64, probes=1))
    assert "\n" not in str(told.value)
    assert collections(uri) == before


def test_add_and_remove(uri, gallery):
    engine = built(gallery, params(uri))
    engine.settle()
    rng = np.random.default_rng(3)
    new, ids = unit(rng.normal(size=(2, DIM))), np.array([9000, 9001])
    engine.add(ids, new, np.array(["coat", "coat"]))
    assert [top(engine, row)[0] for row in new] == [9000, 9001]
    assert engine.rows(ids).tolist() == new.tolist()
    engine.remove(np.array([3, 9000]))
    assert 9000 not in engine.search(new[:1], 10)
    assert (engine.search(new[:1], 10) >= 0).all()
    engine.settle()
    assert engine.collection.count() == len(engine.ids) == ROWS
    assert 9000 not in engine.search(new[:1], 10)


def test_what_a_killed_command_left_is_replaced(uri, gallery):
    """Rows in Milvus that no folder knows, and whose numbers the next command gives again."""
    engine = built(gallery, params(uri))
    engine.settle()
    left, new = unit(np.random.default_rng(4).normal(size=(2, 1, DIM)))
    engine.collection.upsert(np.array([9000]), left, ["coat"])
    engine.add(np.array([9000]), new, np.array(["coat"]))
    assert top(engine, new[0])[0] == 9000
    assert engine.collection.count() == len(engine.ids) == ROWS + 1


def folder_of(folder, engine, categories) -> Path:
    table = pd.DataFrame({ROW: engine.ids, **dict.fromkeys(TEXTS, ""), **dict.fromkeys("xywh", np.nan), FOLDER: "."})
    table["category"] = categories
    facts = Facts(
        "target_test", len(table), 10_000, Model("m", "1"), {"adapted": Model("m", "1")}, "cosine", "euclidean", 20
    )
    index = Index(facts, table, {"adapted": engine})
    write_index(folder, index)
    index.settle()
    return folder


def test_a_rebuild_disturbs_no_search(uri, gallery, tmp_path):
    vectors, categories = gallery
    folder = folder_of(tmp_path / "index", built(gallery, params(uri, probes=32)), categories)
    searcher = Searcher(read_index(folder), torch.device("cpu"))
    exact = [top(FlatEngine.build(vectors), row) for row in vectors.sample(5)]
    asked, stop, found, failed = vectors.sample(5), threading.Event(), [], []

    def ask():
        while not stop.is_set():
            try:
                found.append([top(searcher.index.engines["adapted"], row) for row in asked])
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        folder_of(folder, built(gallery, params(uri, probes=32)), categories)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(found) > 10
    assert all(one == exact for one in found)
    (live,) = [name for name in collections(uri) if name.startswith("test_adapted")]  # the former ones are gone
    assert read_index(folder).engines["adapted"].collection.name == live
    assert len(searcher.like(3, 5, category=str(categories[0])).hits) == 5
    with pytest.raises(UserError):  # a former one does not come back, and what is live stays
        searcher.index.engines["adapted"].settle()
    assert live in collections(uri)


def test_changes_are_seen_when_the_folder_is_swapped(uri, gallery, tmp_path):
    vectors, categories = gallery
    folder = folder_of(tmp_path / "index", built(gallery, params(uri, probes=32)), categories)
    reader, writer = (read_index(folder).engines["adapted"] for _ in range(2))
    new = unit(np.random.default_rng(3).normal(size=(1, DIM)))
    before = top(reader, new[0])
    writer.add(np.array([9000]), new, np.array(["coat"]))
    writer.remove(np.array(before[:1]))
    assert top(reader, new[0]) == before
    folder_of(folder, writer, np.append(categories[vectors.ids != before[0]], "coat"))
    assert top(read_index(folder).engines["adapted"], new[0]) == [9000, *before[1:]]
    assert before[0] not in top(reader, new[0])  # has the former folder still, and goes on


def test_a_collection_that_is_gone(uri, gallery, tmp_path):
    engine = built(gallery, params(uri, collection="other"))
    folder = folder_of(tmp_path / "index", engine, gallery[1])
    client = collection.connect(uri)
    client.drop_alias("other_adapted")
    engine.discard()
    with pytest.raises(UserError, match=r"its collection other_adapted_\w+ is no longer in the Milvus at .*--force"):
        read_index(folder)
    with pytest.raises(UserError, match=r"^Milvus at http://127.0.0.1:\d+: [^\n]*not [^\n]*$"):
        engine.search(gallery[0].sample(1), 10)


def test_no_server(gallery, tmp_path, monkeypatch):
    monkeypatch.setattr(collection, "TIMEOUT", 2.0)
    with milvus_server("lite", tmp_path / "milvus") as server:
        engine = built(gallery, params(server.uri))
        server.stop()
        for attempt in (
            lambda: engine.search(gallery[0].sample(1), 10),
            lambda: engine.add(np.array([9000]), gallery[0].sample(1), np.array(["coat"])),
            lambda: read_engine(tmp_path, engine.facts),
            lambda: built(gallery, params(server.uri)),
        ):
            with pytest.raises(UserError) as told:
                attempt()
            assert str(told.value) == f"Milvus at {server.uri}: no answer; start it, or set index.milvus.uri"


def test_no_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(UserError, match=r"pip install 'crosswear\[milvus\]'"):
        collection.connect("http://127.0.0.1:1")


def test_lists_and_bytes_are_by_what_is_indexed_together():
    def told(index, rows):
        setting = milvus.setting_for(index, None, rows, 512)
        return setting.lists, round(setting.bytes_per_vector(512, rows))

    assert told("IVF_SQ8", 100_000) == (1264, 546)
    assert told("IVF_SQ8", 10**6) == told("IVF_SQ8", 10**8) == (2896, 531)
    assert told("HNSW", 10**6) == (0, 2184)
    assert told("FLAT", 10**6) == (0, 2056)


@pytest.mark.parametrize("uri", [pytest.param("server", marks=pytest.mark.slow)], indirect=True)
def test_probes_are_heeded_from_the_first_search(uri):
    """Prints recall@10 by probes, as rows are loaded before they are there, and in the order of the engine."""
    rng = np.random.default_rng(0)
    rows, asked = (unit(rng.normal(size=(count, 64))) for count in (50_000, 200))
    ids, exact = np.arange(len(rows)), np.argpartition(-(asked @ rows.T), 10, axis=1)[:, :10]

    def recalls(held):
        found = {probes: held.search(asked, 10, {"nprobe": probes}, None) for probes in (1, 8, 64)}
        return {probes: round(float(np.mean([*map(np.isin, exact, answer)])), 3) for probes, answer in found.items()}

    wrong, right = (collection.Collection.new(uri, "order", 64) for _ in range(2))
    wrong.open(0, "IVF_FLAT", {"nlist": 64})
    wrong.insert(ids, rows, np.full(len(ids), ""))
    wrong.count()
    print("\nloaded, then filled:", recalls(wrong))
    right.insert(ids, rows, np.full(len(ids), ""))
    right.open(len(ids), "IVF_FLAT", {"nlist": 64})
    found = recalls(right)
    print("filled, flushed, indexed, then loaded:", found)
    assert found[1] < found[8] < found[64] == 1
    for each in (wrong, right):
        each.drop()
