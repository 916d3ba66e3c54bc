"""Retrieval and clustering of metric learning against the published implementation of DADA and its library."""

import numpy as np
import pytest
import torch
from support.golden import golden

from pipeline.evaluation import published
from pipeline.evaluation.clusters import agreement, cluster_agreement
from pipeline.evaluation.metrics.average_precision import average_precision
from pipeline.evaluation.metrics.map_at_r import map_at_r
from pipeline.evaluation.metrics.r_precision import r_precision
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.evaluation.spread import item_distances, spectral_decay
from pipeline.retrieval.ranking import top_k
from pipeline.retrieval.search import Side, one_group, search

SELF = ("metrics_self", "metrics_self_small_edge")
RECALLS = (1, 2, 4, 8, 10)


def pictures(features: np.ndarray, labels: np.ndarray, start: int = 0) -> Side:
    rows = np.arange(start, start + len(labels))
    return Side(torch.from_numpy(features), labels.astype(str), one_group(len(labels)), rows)


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def searched(case: dict[str, np.ndarray], measure: str):
    everything = pictures(case["features"], case["labels"])
    found = search(everything, everything, measure=measure, dtype=torch.float64)
    return found, int(found.dropped.sum())


@pytest.mark.parametrize("name", SELF)
@pytest.mark.parametrize(
    ("measure", "recalls"), [("euclidean", "raw_e"), ("cosine", "raw_c"), ("cosine", "l2_e"), ("cosine", "l2_c")]
)
def test_published_recall(name, measure, recalls):
    case = golden(name, "dada")
    found, missed = searched(case, measure)
    ours = published.recall_at(found.ranks, missed, RECALLS)
    for k in RECALLS:
        if f"{recalls}_recall_at_{k}" in case:
            assert ours[k] == pytest.approx(case[f"{recalls}_recall_at_{k}"].item(), abs=2 / len(case["labels"]))


@pytest.mark.parametrize("name", SELF)
@pytest.mark.parametrize(("measure", "prefix"), [("euclidean", "raw"), ("cosine", "l2")])
def test_published_map(name, measure, prefix):
    case = golden(name, "dada")
    found, missed = searched(case, measure)
    assert published.map_at_class_size(found.ranks, missed) == pytest.approx(case[f"{prefix}_mAP_R"].item(), abs=1e-4)


@pytest.mark.parametrize(
    ("measure", "of"), [("euclidean", "raw"), ("cosine", "raw_c"), ("cosine", "l2"), ("cosine", "l2_c")]
)
def test_published_map_of_the_first_1000(measure, of):
    case = golden("metrics_self", "dada")
    found, missed = searched(case, measure)
    assert published.map_at(found.ranks, missed, 1000) == pytest.approx(case[f"{of}_mAP_1000"].item(), abs=1e-4)


@pytest.mark.parametrize("name", SELF)
def test_figures_of_the_protocol(name):
    case = golden(name, "dada")
    everything = pictures(case["features"], case["labels"])
    ours = PROTOCOLS["dml"].score(everything, everything, dtype=torch.float64).summary(())["all"]
    theirs = {f"recall@{k}_published": f"e_recall_at_{k}" for k in RECALLS} | {
        "map@r_published": "mAP_R",
        "map@1000_published": "mAP_1000",
        "map@r": "pml_mean_average_precision_at_r",
        "recall@1": "pml_precision_at_1",
        "r_precision": "pml_r_precision",
    }
    for key, of in theirs.items():
        if f"l2_{of}" in case:
            assert ours[key] == pytest.approx(case[f"l2_{of}"].item(), abs=1e-6), key


@pytest.mark.parametrize("name", SELF)
@pytest.mark.parametrize(("measure", "prefix"), [("euclidean", "raw"), ("cosine", "l2")])
def test_nearest_pictures(name, measure, prefix):
    case = golden(name, "dada")
    features, rows = torch.from_numpy(case["features"]), np.arange(len(case["labels"]))
    ours = top_k(features, features, 10, own=rows, measure=measure, dtype=torch.float64)
    own, *theirs = case[f"{prefix}_neighbours_top11"].T.tolist()
    assert own == rows.tolist()
    assert ours.T.tolist() == theirs


@pytest.mark.parametrize("name", SELF)
@pytest.mark.parametrize(("measure", "prefix"), [("euclidean", "raw"), ("cosine", "l2")])
def test_figures_of_the_literature_as_the_library_has_them(name, measure, prefix):
    case = golden(name, "dada")
    found, _ = searched(case, measure)
    first = found.ranks.values[found.ranks.offsets[:-1]]
    ours = {
        "precision_at_1": (first == 1).mean(),
        "mean_average_precision_at_r": map_at_r(found.ranks).mean(),
        "mean_average_precision": average_precision(found.ranks).mean(),
        "r_precision": r_precision(found.ranks).mean(),
    }
    for key, value in ours.items():
        assert value == pytest.approx(case[f"{prefix}_pml_{key}"].item(), abs=1e-6), key


@pytest.mark.parametrize("name", SELF)
@pytest.mark.parametrize("prefix", ["raw", "l2"])
def test_agreement_of_clusters(name, prefix):
    case = golden(name, "dada")
    given = agreement(case["labels"], case[f"{prefix}_kmeans_assignment"])
    features = case["features"] if prefix == "raw" else unit(case["features"])
    own = cluster_agreement(features, case["labels"])
    for key in ("nmi", "f1"):
        expected = case[f"{prefix}_{key}"].item()
        assert given[key] == pytest.approx(expected, abs=1e-6)
        assert own[key] == pytest.approx(expected, abs=0.03)
    assert own["nmi"] == pytest.approx(case[f"{prefix}_pml_NMI"].item(), abs=0.03)


@pytest.mark.parametrize("name", SELF)
@pytest.mark.parametrize("prefix", ["raw", "l2"])
def test_spread(name, prefix):
    case = golden(name, "dada")
    features = case["features"] if prefix == "raw" else unit(case["features"])
    ours = item_distances(features, case["labels"])
    for key, theirs in (
        ("intra_distance", "intra"),
        ("inter_distance", "inter"),
        ("intra_over_inter", "intra_over_inter"),
    ):
        expected = case[f"{prefix}_dists_at_{theirs}"].item()
        if not np.isnan(expected):  # with an item of one picture the reference has none
            assert ours[key] == pytest.approx(expected, abs=1e-4), key
    for mode, suffix in ((1, "1"), (-2, "m2")):
        expected = case[f"{prefix}_rho_spectrum_at_{suffix}_at_embeds"].item()
        assert spectral_decay(features, mode) == pytest.approx(expected, abs=1e-3)


def test_query_and_gallery():
    case = golden("metrics_query_gallery", "dada")
    queries = pictures(case["query_features"], case["query_labels"])
    gallery = pictures(case["gallery_features"], case["gallery_labels"], start=len(queries))
    inshop = PROTOCOLS["inshop"].score(queries, gallery, dtype=torch.float64).summary(())["all"]
    for k, trained, script in zip(case["ks"], case["recall_train_eval"], case["recall_eval_script"], strict=True):
        assert inshop[f"recall@{k}"] == pytest.approx(trained, abs=1e-9)
        assert inshop[f"recall@{k}"] == pytest.approx(script, abs=1e-9)
    assert inshop["map@50_published"] == pytest.approx(case["map_top50"].item(), abs=1e-6)
    assert inshop["map"] == pytest.approx(case["pml_mean_average_precision"].item(), abs=1e-6)
    shown = PROTOCOLS["inshop"].top_k(queries, gallery, 50, dtype=torch.float64)
    assert shown.tolist() == case["top50"].tolist()
    found = search(queries, gallery, dtype=torch.float64)
    for k, name in ((10, "map_at_10"), (len(gallery) - 1, "map_at_gallery_minus_1")):
        assert published.map_of_found(found.ranks, 0, k) == pytest.approx(case[name].item(), abs=1e-6)
    dml = PROTOCOLS["dml"].score(queries, gallery, dtype=torch.float64).summary(())["all"]
    assert dml["map@r"] == pytest.approx(case["pml_mean_average_precision_at_r"].item(), abs=1e-6)
    assert dml["recall@1"] == pytest.approx(case["pml_precision_at_1"].item(), abs=1e-6)
    assert not [key for key in dml if key.endswith("_published")], "those are of sets that search themselves"
