"""The index of a chain: what it holds, and with which engine."""

import json

import pytest
from support.searching import GALLERY, found, manifest, photo, rows_of

from pipeline.retrieval.index.folder import read_index


def test_the_gallery_is_indexed_by_every_model(finished, searcher):
    table = manifest(finished)
    gallery = table.query("meta_domain == 'target' and split == 'gallery'")
    assert len(gallery) == GALLERY
    assert searcher.index.ids.tolist() == gallery.index.tolist()
    assert searcher.models == ("baseline", "udma", "viewed")
    assert searcher.has_colour
    report = json.loads((finished.folder / "metrics/index.json").read_text())
    for model in searcher.models:
        assert report[model]["engine"] == "flat"
        assert report[model]["recall@10"] == 1
        assert report[model]["bytes_per_vector"] == 4 * finished.params["finetune"]["model"]["embedding_dim"]
        assert report[model]["ms_per_query"] > 0


def test_the_same_inputs_give_the_same_bytes(chain):
    before = chain.outputs()
    assert "data/index/viewed/index.faiss" in before
    chain.succeed("index")
    assert chain.outputs() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"index.part": "target_train", "index.models": ["udma"]},
        {"index.part": "source_train", "index.domain": "any"},
        {"index.part": "source_train", "index.domain": "consumer", "index.dataset": "atelier"},
    ],
)
def test_any_part_can_be_indexed(chain, changes):
    chain.change(changes).succeed("index")
    table, domain = manifest(chain), changes.get("index.domain", "shop")
    wanted = (table.meta_domain + "_" + table.split.replace("val", "train")) == changes["index.part"]
    wanted &= (table.domain == domain) | (domain == "any")
    assert wanted.any()
    assert read_index(chain.folder / "data/index").ids.tolist() == table.index[wanted].tolist()


def test_nothing_to_index(chain):
    chain.change({"index.dataset": "other"})
    chain.fails("index", "no shop pictures of the set other to index in target_test")
    chain.change({"index.dataset": None, "index.part": "source_test"})
    chain.fails("index", "no shop pictures to index in source_test")


def test_lists_find_what_flat_finds_and_k_means_loses_some(chain):
    files = [str(photo(chain, "query", place)[1]) for place in range(12)]
    wanted = [rows_of(answer) for answer in found(chain, *files)]
    chain.change({"index.engine": "ivf", "index.lists": 4, "index.probes": 4}).succeed("index")
    assert [rows_of(answer) for answer in found(chain, *files)] == wanted
    chain.change({"index.engine": "kmeans", "index.lists": 6, "index.probes": None}).succeed("index")
    report = json.loads((chain.folder / "metrics/index.json").read_text())["viewed"]
    assert (report["lists"], report["probes"]) == (6, 1)
    assert report["recall@10"] < 1
    answers = [rows_of(answer) for answer in found(chain, *files)]
    assert answers != wanted
    assert all(len(answer) < GALLERY for answer in answers)


def test_more_lists_than_rows(chain):
    chain.change({"index.engine": "ivf", "index.lists": 100, "index.probes": 500}).succeed("index")
    report = json.loads((chain.folder / "metrics/index.json").read_text())["viewed"]
    assert report["lists"] == report["probes"] == GALLERY
