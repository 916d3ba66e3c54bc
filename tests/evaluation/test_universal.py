"""Protocol `universal`: mMP@5 on generated features, many domains in one gallery, and how much ties matter."""

import numpy as np
import pandas as pd
import pytest
import torch
from support.golden import golden

from pipeline.arrays.ragged import Ragged
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.metric import metric_of
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.retrieval.ranking import relevant_ranks, top_k
from pipeline.retrieval.ties import hits_within


@pytest.fixture(scope="module")
def case():
    return golden("mmp5", "mdfe")


def sides(case, prefix=""):
    """Queries and index, and the classes of both."""
    arrays = [case[f"{prefix}{name}"] for name in ("query", "index", "query_labels", "index_labels")]
    return [torch.from_numpy(array) for array in arrays[:2]] + arrays[2:]


def scores(case, key="mmp@5", prefix="", **how):
    return metric_of(key)(relevant_ranks(*sides(case, prefix), **how))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_by_raw_euclidean_distance(case, dtype):
    how = {"measure": "euclidean", "dtype": dtype}
    found = scores(case, **how)
    np.testing.assert_allclose(found, case["score"], atol=1e-12)
    assert np.isnan(found).any(), "queries with nothing to find are left out of the mean"
    assert np.nanmean(found) == pytest.approx(case["mmp5"], abs=1e-12)
    np.testing.assert_array_equal(top_k(*sides(case)[:2], 5, **how), case["top5"])


def test_by_cosine(case):
    found = scores(case, dtype=torch.float64)
    np.testing.assert_allclose(found, case["score_l2norm"], atol=1e-9)
    assert np.nanmean(found) == pytest.approx(case["mmp5_l2norm"], abs=1e-9)


def test_an_index_of_three_rows(case):
    how = {"measure": "euclidean", "dtype": torch.float64}
    found = scores(case, prefix="small_", **how)
    np.testing.assert_allclose(found, case["small_score"], atol=1e-12)
    assert np.nanmean(found) == pytest.approx(case["small_mmp5"], abs=1e-12)
    np.testing.assert_array_equal(top_k(*sides(case, "small_")[:2], 5, **how), case["small_top"][:, :3])
    assert (case["small_top"][:, 3:] == -1).all()


def test_plain_precision_asks_for_five(case):
    found = scores(case, "precision@5", measure="euclidean")
    answered = case["n_relevant"] > 0
    assert found[answered].mean() == pytest.approx(case["plain_p5"], abs=1e-12)


@pytest.mark.parametrize("block_queries", [None, 7])
def test_ties_at_worst_and_at_best(case, block_queries):
    how = {"measure": "euclidean", "dtype": torch.float32, "block_queries": block_queries}
    places, *bounds = hits_within(*sides(case), 5, **how)
    np.testing.assert_array_equal(places, np.minimum(case["n_relevant"], 5))
    answered = places > 0
    for hits, name in zip(bounds, ("worst", "best"), strict=True):
        share = hits[answered] / places[answered]
        np.testing.assert_allclose(share, case[f"score_tie_{name}"][answered], atol=1e-12)
        assert share.mean() == pytest.approx(case[f"mmp5_tie_{name}"], abs=1e-12)
    assert case["mmp5_tie_worst"] < case["mmp5"] < case["mmp5_tie_best"]


def test_only_as_many_places_count_as_there_are_pictures_to_find():
    ranks = Ragged(np.array([1, 3, 1, 2, 3, 4, 5, 9, 6]), np.array([0, 2, 8, 9]))
    assert metric_of("mmp@5")(ranks).tolist() == [1 / 2, 1, 0]
    assert metric_of("mmp@2")(ranks).tolist() == [1 / 2, 1, 0]
    assert metric_of("precision@5")(ranks).tolist() == [2 / 5, 1, 0]


# Three queries and four gallery pictures of two domains, as degrees on a circle.
PLACES = [0.0, 5.0, 40.0, 1.0, 6.0, 41.0, 42.0]
TABLE = pd.DataFrame(
    {
        "item": ["a", "b", "c", "a", "b", "c", "c"],
        "category": ["food", "food", "cars", "food", "food", "cars", "cars"],
        "dataset": ["one", "one", "two", "one", "one", "two", "two"],
        "split": ["query"] * 3 + ["gallery"] * 4,
    }
)


def on_a_circle(places):
    return np.stack([np.cos(np.radians(places)), np.sin(np.radians(places))], axis=1).astype(np.float32)


def test_domains_are_told_apart_in_one_gallery():
    table = pd.concat([TABLE, TABLE.iloc[:1].assign(item="z")], ignore_index=True)
    evaluation = evaluate({"baseline": on_a_circle([*PLACES, 2.0])}, table, PROTOCOLS["universal"], resamples=5)
    (summary,) = evaluation.summaries().values()
    assert (summary["all"]["mmp@5"], summary["all"]["queries"], summary["all"]["dropped"]) == (1.0, 3, 1)
    told = summary["told_by"]
    assert list(told) == ["category cars", "category food", "dataset one", "dataset two"]
    assert [(one["queries"], one["dropped"]) for one in told.values()] == [(1, 0), (2, 1), (2, 1), (1, 0)]
    # One gallery for all domains: a picture of a car comes before the one of item b.
    moved = on_a_circle([0.0, 5.0, 40.0, 1.0, 9.0, 6.0, 42.0])
    (summary,) = evaluate({"baseline": moved}, TABLE, PROTOCOLS["universal"], resamples=5).summaries().values()
    means = {name: one["mmp@5"] for name, one in summary["told_by"].items()}
    assert means == {"category cars": 0.5, "category food": 0.5, "dataset one": 0.5, "dataset two": 0.5}
    assert summary["all"]["mmp@5"] == pytest.approx((1 + 0 + 1 / 2) / 3)


def test_a_set_that_is_searched_by_itself_leaves_the_query_out():
    table = TABLE.assign(split="test")
    (summary,) = (
        evaluate({"baseline": on_a_circle(PLACES)}, table, PROTOCOLS["universal"], resamples=5).summaries().values()
    )
    # a and b: 0 finds 1 (a), 5 finds 6 (b), and back; c: 40, 41, 42 find one another.
    assert summary["all"]["mmp@5"] == 1.0
    assert summary["all"]["queries"] == 7


def test_equal_pictures_bound_the_figure():
    table = TABLE.assign(split="test")
    (summary,) = (
        evaluate({"baseline": np.ones((7, 2), dtype=np.float32)}, table, PROTOCOLS["universal"], resamples=5)
        .summaries()
        .values()
    )
    figures = summary["all"]
    assert (figures["mmp@5_ties_worst"], figures["mmp@5_ties_best"]) == (0.0, 1.0)
    assert 0 < figures["mmp@5"] < 1
