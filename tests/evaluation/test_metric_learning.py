"""The figures of metric learning, worked by hand, and which protocol gives them."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import pair_confusion_matrix

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, DATASET, ITEM
from pipeline.evaluation import published
from pipeline.evaluation.clusters import agreement, cluster_agreement
from pipeline.evaluation.metrics.map_at_r import map_at_r
from pipeline.evaluation.metrics.r_precision import r_precision
from pipeline.evaluation.protocols import PROTOCOLS, check_protocol, choose_protocol
from pipeline.evaluation.sides import query_and_gallery
from pipeline.evaluation.spread import item_distances, spectral_decay
from pipeline.retrieval.search import Side, one_group


def ranks(*rows: list[int]) -> Ragged:
    owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return Ragged.group(owners, np.concatenate(rows).astype(np.int64), len(rows))


def test_who_searches_whom():
    splits = np.array(["gallery", "query", "test", "query", "test"])
    queries, gallery = query_and_gallery(splits)
    assert (queries.tolist(), gallery.tolist()) == ([1, 2, 3, 4], [0, 2, 4])


def test_figures_of_the_first_r_by_hand():
    found = ranks([1, 3, 4], [2], [1, 2])
    assert r_precision(found) == pytest.approx([2 / 3, 0, 1])
    assert map_at_r(found) == pytest.approx([(1 + 2 / 3) / 3, 0, 1])


def test_published_deviations_by_hand():
    found = ranks([1, 3, 4], [2])  # and a query that shows an item alone
    assert published.recall_at(found, 1, [1, 2]) == {1: 1 / 3, 2: 2 / 3}
    assert published.map_at_class_size(found, 1) == pytest.approx(((1 + 2 / 3 + 3 / 4) / 4 + (1 / 2) / 2) / 3)
    assert published.map_at(found, 1, 3) == pytest.approx(((1 + 2 / 3) / 4 + (1 / 2) / 2) / 3)
    assert published.map_of_found(found, 1, 3) == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 3)
    assert published.map_of_found(found, 1, 1) == pytest.approx(1 / 3)


def test_agreement_by_hand():
    items = np.array(["a", "a", "a", "b", "b", "c"])
    clusters = np.array([0, 0, 1, 1, 1, 2])
    # pairs of one item 4, of one cluster 4, of both 2
    assert agreement(items, clusters)["f1"] == pytest.approx(2 * 2 / 8)
    assert pair_confusion_matrix(items, clusters)[1, 1] == 2 * 2
    assert agreement(items, items) == {"nmi": pytest.approx(1), "f1": 1}
    assert agreement(np.array(["a", "b"]), np.array([0, 1]))["f1"] == 0, "no pairs at all"


def test_clear_clusters_are_found_each_time_alike():
    rng = np.random.default_rng(1)
    items = np.repeat(np.arange(4), 300).astype(str)  # more than the 256 that faiss would look at
    embeddings = (np.eye(4)[np.repeat(np.arange(4), 300)] + rng.normal(0, 0.05, (1200, 4))).astype(np.float32)
    agreed = cluster_agreement(embeddings, items)
    assert agreed == cluster_agreement(embeddings, items)
    assert agreed["nmi"] > 0.99


def test_spread_by_hand():
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    spread = item_distances(rows, np.array(["a", "a", "b"]))
    assert spread["intra_distance"] == pytest.approx(1)
    assert spread["inter_distance"] == pytest.approx(1 - np.sqrt(0.5))
    assert np.isnan(item_distances(rows[:1], np.array(["a"]))["intra_distance"])
    assert spectral_decay(np.diag([3.0, 1.0, 1.0, 1.0, 0.5]), mode=2) == pytest.approx(0, abs=1e-12)
    assert spectral_decay(np.diag([3.0, 1.0, 1.0])) == pytest.approx(-np.log([0.75, 0.25]).mean() - np.log(2))


def test_equal_names_in_two_categories():
    radians = torch.tensor([0.0, 10.0, 40.0, 50.0]).deg2rad()
    embeddings = torch.stack([radians.cos(), radians.sin()], dim=1)
    table = pd.DataFrame({ITEM: ["1"] * 4, CATEGORY: ["a", "b", "a", "b"], DATASET: "one"})

    def first_ranks(name):
        pictures = PROTOCOLS[name].side(embeddings, table)
        return PROTOCOLS[name].score(pictures, pictures).first_rank.tolist()

    assert first_ranks("dml") == [2, 3, 3, 2]
    for name in ("inshop", "deepfashion"):  # published: names alone
        assert first_ranks(name) == [1, 1, 1, 1]


@pytest.mark.parametrize("dim", [1, 3])
def test_a_collapsed_model_has_figures_too(dim):
    items = np.repeat(["a", "b"], 3)
    rows = Side(torch.ones(6, dim), items, one_group(6), np.arange(6))
    figures = PROTOCOLS["dml"].score(rows, rows).summary(())["all"]
    assert [figures[name] for name in ("intra_distance", "inter_distance")] == pytest.approx([0, 0], abs=1e-12)
    assert figures["spectral_decay"] is None
    assert 0 <= figures["map@r"] <= 1


def test_dml_counts_all_pictures_once():
    rng = np.random.default_rng(2)
    items = np.repeat(["a", "b", "c", "d"], 6)
    rows = Side(torch.from_numpy(rng.normal(size=(24, 5))).float(), items, one_group(24), np.arange(24))
    whole = PROTOCOLS["dml"].score(rows, rows).summary(())["all"]
    order = rng.permutation(24)
    half = np.arange(24) % 2 == 0
    queries, gallery = rows.take(np.flatnonzero(half)), rows.take(np.flatnonzero(~half))
    split = PROTOCOLS["dml"].score(queries, gallery).summary(())["all"]
    assert split["spectral_decay"] == pytest.approx(whole["spectral_decay"])
    assert "recall@1_published" in whole
    assert "recall@1_published" not in split
    shuffled = rows.take(order)
    again = PROTOCOLS["dml"].score(shuffled, shuffled).summary(())["all"]
    for key in ("recall@1", "map@r", "r_precision", "intra_distance", "map@r_published"):
        assert again[key] == pytest.approx(whole[key]), key


def test_choice_of_a_protocol():
    def choose(name, *datasets, splits=("query", "gallery")):
        return choose_protocol(name, datasets or ["table"], np.array(splits))

    assert choose("auto") == "street2shop"
    assert choose("auto", "deepfashion_inshop") == "inshop"
    assert choose("auto", "deepfashion_consumer_to_shop") == "deepfashion"
    assert choose("auto", splits=["test"]) == "dml"
    assert choose("auto", "deepfashion_inshop", "table", splits=["test"]) == "dml"
    both = "deepfashion_inshop", "deepfashion_consumer_to_shop"
    with pytest.raises(UserError, match=r"auto is inshop of deepfashion_inshop, deepfashion of deepfashion_consumer"):
        choose("auto", *both)
    assert choose("deepfashion", *both) == "deepfashion"
    assert choose("inshop", splits=["test"]) == "inshop"
    with pytest.raises(UserError, match=r"unknown name 'dlm'; known: auto, street2shop, deepfashion, inshop, dml"):
        choose("dlm")
    check_protocol("auto")
