"""Evaluation against the published scripts, run under GNU Octave."""

import numpy as np
import pytest
import torch
from support.golden import golden

from pipeline.base.names import CMC_RANKS, MAP_TRAPEZOIDAL, cmc_key
from pipeline.evaluation.metrics.cmc import cmc_curve, first_ranks
from pipeline.evaluation.metrics.trapezoidal_average_precision import trapezoidal_average_precision
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.retrieval.ranking import ranks_of
from pipeline.retrieval.search import Side, one_group

street2shop, deepfashion = (PROTOCOLS[name].score for name in ("street2shop", "deepfashion"))
ROW = (MAP_TRAPEZOIDAL, *map(cmc_key, CMC_RANKS))
ALIGNED = ("02", "06", "07", "08", "09", "10")


def names(codes: np.ndarray) -> np.ndarray:
    return np.array([f"{code:02d}" for code in codes])


def side(case: dict[str, np.ndarray], which: str) -> Side:
    feats, product, category = (case[f"{which}_{column}"] for column in ("feats", "product", "class"))
    return Side(torch.from_numpy(feats), product, names(category))


def row(figures: dict) -> list[float]:
    return [figures[key] for key in ROW]


@pytest.mark.parametrize(
    ("name", "dtype", "tolerance"),
    [
        ("eval_s2s_ties", torch.float64, 1e-9),
        ("eval_s2s_ties", torch.float32, 1e-9),
        ("eval_s2s_float", torch.float64, 1e-9),
        ("eval_s2s_float", torch.float32, 1e-6),
        ("eval_mlp_float", torch.float64, 1e-9),
        ("eval_mlp_float", torch.float32, 1e-6),
    ],
)
def test_street2shop(name, dtype, tolerance):
    case = golden(name)
    result = street2shop(side(case, "query"), side(case, "gallery"), dtype=dtype)
    np.testing.assert_array_equal(result.query, case["used_query_index"])
    np.testing.assert_array_equal(result.n_queries, case["n_queries_used"])
    np.testing.assert_allclose(result.values[MAP_TRAPEZOIDAL], case["per_query_ap"], rtol=0, atol=tolerance)
    summary = result.summary(aligned=ALIGNED)
    per_category = [row(summary["categories"][name]) for name in result.groups]
    np.testing.assert_allclose(per_category, case["per_category"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(row(summary["all"]), case["all_mean"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(row(summary["aligned"]), case["selected_mean"], rtol=0, atol=tolerance)
    assert summary["all"]["dropped"] == 2
    assert (summary["all"]["categories"], summary["aligned"]["categories"]) == (11, 6)


def run_deepfashion(case: dict[str, np.ndarray]):
    sides = ((case[f"{name}_feats"], case[f"{name}_id"]) for name in ("query", "gallery"))
    return deepfashion(*(Side(torch.from_numpy(feats), items, one_group(len(items))) for feats, items in sides))


def test_deepfashion_with_equal_ids():
    case = golden("eval_df_equal_ids")
    result = run_deepfashion(case)
    np.testing.assert_allclose(result.values[MAP_TRAPEZOIDAL], case["per_query_ap"], rtol=0, atol=1e-6)
    hits = result.first_rank[:, None] <= np.array(CMC_RANKS)
    np.testing.assert_array_equal(hits, case["per_query_cmc"])
    np.testing.assert_allclose(row(result.summary(())["all"]), [*case["mAP"], *case["cmc"]], atol=1e-6)


@pytest.mark.parametrize("name", ["eval_df_equal_ids", "eval_df_unequal_ids"])
def test_deepfashion_matches_items_by_name(name):
    case = golden(name)
    summary = run_deepfashion(case).summary(())
    np.testing.assert_allclose(row(summary["all"]), case["string_match_mAP_cmc"], rtol=0, atol=1e-6)


def test_average_precision_with_junk():
    case = golden("eval_compute_ap")
    ranked = {key: np.take_along_axis(case[key], case["ranking"], axis=1) == 1 for key in ("good", "junk")}
    ranks = ranks_of(torch.from_numpy(ranked["good"]), torch.from_numpy(ranked["junk"]))
    np.testing.assert_allclose(trapezoidal_average_precision(ranks), case["ap"], rtol=0, atol=1e-12)
    curves = np.stack([cmc_curve(first, 25) for first in first_ranks(ranks)[:, None]])
    np.testing.assert_array_equal(curves, case["cmc"])
