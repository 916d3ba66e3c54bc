"""FINCH against the partitions that the published implementations print."""

import numpy as np
import pytest
import torch
from support.golden import GOLDEN, golden

from pipeline.base.errors import UserError
from pipeline.clustering.distances import Points
from pipeline.clustering.finch import FinchResult, finch
from pipeline.clustering.neighbours import first_neighbours

OWN_DATA = sorted(path.stem for path in GOLDEN.glob("finch_*.npz"))
THIRD_PARTY = ["finch_aggregation_euc", "finch_gestalt_euc", "finch_mice_cos", "finch_mice_euc_first300"]
REQUESTS = {
    "finch_blobs_cos_a": [12, 5, 3],
    "finch_blobs_cos_b": [20],
    "finch_blobs_euc_a": [6],
    "finch_blobs_euc_b": [12, 9],
    "finch_aggregation_euc": [7],
    "finch_gestalt_euc": [10, 6],
    "finch_mice_cos": [8],
}


def run(case: dict[str, np.ndarray], **settings) -> FinchResult:
    initial = torch.from_numpy(case["initial_rank"]) if "initial_rank" in case else None
    return finch(torch.from_numpy(case["data"]), str(case["metric"]), initial_neighbours=initial, **settings)


def assert_same_partitions(result: FinchResult, case: dict[str, np.ndarray], version: str) -> None:
    """All partitions, or as many leading ones as do not hinge on how exact ties are rounded."""
    expected = case[f"{version}_c"]
    certain = [int(case[key]) for key in ("agree_f32", "agree_f64") if case[key] >= 0]
    if certain:
        leading = min(certain)
        np.testing.assert_array_equal(result.labels[:, :leading], expected[:, :leading])
    else:
        np.testing.assert_array_equal(result.labels, expected)
        assert result.counts == tuple(case[f"{version}_num_clust"])


def test_every_case_on_generated_data_is_here():
    assert len(OWN_DATA) == 26


@pytest.mark.parametrize("name", OWN_DATA + THIRD_PARTY)
def test_partitions(name):
    case = golden(name)
    # UDMA's copy leaves a point alone that is further than 1000 from all others; the repository does not.
    version = "repo" if name == "finch_far_euc" else "udma"
    assert_same_partitions(run(case), case, version)


@pytest.mark.parametrize("name", OWN_DATA + THIRD_PARTY)
def test_partitions_without_threshold(name):
    case = golden(name)
    assert_same_partitions(run(case, prune=False), case, "repo_noexit")


@pytest.mark.parametrize("name", [name for name in OWN_DATA if "far" not in name and "initial" not in name])
def test_first_neighbours_and_threshold(name):
    case = golden(name)
    neighbours, _ = first_neighbours(Points(torch.from_numpy(case["data"]), str(case["metric"])))
    np.testing.assert_array_equal(neighbours.numpy(), case["udma_nn0"])
    assert run(case).threshold == pytest.approx(float(case["udma_min_sim"]), rel=1e-5, abs=2e-7)


@pytest.mark.parametrize(("name", "wanted"), [(name, wanted) for name, all_ in REQUESTS.items() for wanted in all_])
def test_requested_number_of_clusters(name, wanted):
    case = golden(name)
    np.testing.assert_array_equal(run(case, n_clusters=wanted).requested, case[f"udma_req{wanted}"])


def test_more_clusters_than_the_first_partition_has():
    with pytest.raises(UserError, match="150 asked for, but only 1 to 51"):
        run(golden("finch_blobs_cos_a"), n_clusters=150)


def test_no_threshold_with_the_callers_neighbours():
    assert run(golden("finch_initial_rank_cos")).threshold is None
