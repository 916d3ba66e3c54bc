"""Distances, fused scores and ranked lists of deep-fashion-retrieval, with and without its lists of k-means."""

import faiss
import numpy as np
import pytest
from support.golden import golden

from pipeline.retrieval.distances import distances
from pipeline.retrieval.engines.ivf import PLAIN, IvfEngine
from pipeline.retrieval.engines.vectors import Vectors
from pipeline.retrieval.finding import Query, find
from pipeline.retrieval.fusion import Fusion, best, fused_scores, offset

SETTINGS, QUERIES = 14, 4


@pytest.fixture(scope="module")
def case() -> dict[str, np.ndarray]:
    return golden("retrieval", "deep_fashion_retrieval")


def fusion(case, setting: int) -> Fusion:
    names = (str(case[f"pair_{kind}_metric"][setting]) for kind in ("deep", "color"))
    return Fusion(*names, float(case["pair_color_weight"][setting]))


def lists_around(case) -> IvfEngine:
    """The rows in lists around the centroids that were found once."""
    centroids = case["km_centers"]
    quantizer = faiss.IndexFlatL2(centroids.shape[1])
    quantizer.add(centroids)
    index = faiss.IndexIVFFlat(quantizer, centroids.shape[1], len(centroids), faiss.METRIC_L2)
    index.is_trained = True
    return IvfEngine.filled(index, Vectors(np.arange(240), case["deep_db"]), PLAIN, 1)


def test_distances(case):
    for kind, db, query in (("deep_dist", "deep_db", "query_deep"), ("color_dist", "color_db", "query_color")):
        for metric, wanted in zip(case["metrics"], case[kind], strict=True):
            made = [distances(one, case[db], str(metric)) for one in case[query]]
            np.testing.assert_allclose(made, wanted, atol=1e-9)


@pytest.mark.parametrize("setting", range(SETTINGS))
def test_ranked_lists(case, setting):
    settings, top, ids = fusion(case, setting), int(case["pair_topn"][setting]), np.arange(240)
    for query in range(QUERIES):
        scored = fused_scores(
            (case["query_deep"][query], case["deep_db"]), (case["query_color"][query], case["color_db"]), settings
        )
        chosen = best(scored.score, ids, top)
        np.testing.assert_array_equal(chosen, case["naive_index"][setting, query, :top])
        published = scored.score[chosen] - offset(settings.metric)
        np.testing.assert_allclose(published, case["naive_score"][setting, query, :top], atol=1e-9)


@pytest.mark.parametrize("setting", range(SETTINGS))
def test_ranked_lists_within_the_nearest_list_of_k_means(case, setting):
    settings, top, ids = fusion(case, setting), int(case["pair_topn"][setting]), np.arange(240)
    engine = lists_around(case)
    colour = Vectors(ids, case["color_db"])
    for query in range(QUERIES):
        asked = Query(case["query_deep"][query], case["query_color"][query])
        found, scored = find(engine, asked, top, fusion=settings, shortlist=0, colour=colour)
        wanted = case["km_index"][setting, query, :top]
        np.testing.assert_array_equal(found, wanted[wanted >= 0])
        published = scored.score - offset(settings.metric)
        np.testing.assert_allclose(published, case["km_score"][setting, query, : len(found)], atol=1e-9)


def test_the_lists_that_rows_lie_in(case):
    engine = lists_around(case)
    for row, label in enumerate(case["km_labels"]):
        found = engine.search(case["km_centers"][label][None].astype(np.float32), 0)[0]
        assert row in found


def test_colour_is_not_read_when_its_weight_is_0():
    rows = np.eye(4, dtype=np.float32)
    scored = fused_scores((rows[0], rows), None, Fusion(weight=0.0))
    np.testing.assert_allclose(scored.score, [1, 0, 0, 0], atol=1e-12)


def test_ties_go_to_the_lower_number():
    score, ids = np.array([1.0, 2.0, 2.0, 2.0, 0.0]), np.array([9, 8, 3, 5, 1])
    assert ids[best(score, ids, 2)].tolist() == [3, 5]
    assert ids[best(score, ids, 9)].tolist() == [3, 5, 8, 9, 1]
