"""Groups clustered from a table and embeddings alone, without files."""

import pandas as pd
import pytest
import torch

from pipeline.base.names import CATEGORY, DOMAIN
from pipeline.clustering.cluster import cluster_groups
from pipeline.params.cluster import ClusterParams

PARAMS = ClusterParams(metric="cosine", partition=0, prune=True, exact_rows=1000)
SOURCES = pd.DataFrame(
    {CATEGORY: ["gown", "gown", "tee", "gown"], DOMAIN: ["shop", "consumer", "shop", "shop"]}, index=[4, 5, 6, 7]
)
TARGETS = pd.DataFrame({CATEGORY: ["dresses", "hats", "dresses", "hats"]}, index=[10, 11, 12, 13])
# Two directions: the first gown and the first dress, the last gown and the last dress; consumer pictures lie elsewhere.
SOURCE = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
TARGET = torch.tensor([[1.0, 0.1], [1.0, 0.0], [0.1, 1.0], [1.0, 0.1]])


def test_shop_pictures_cluster_with_aligned_targets():
    said = []
    alignment = {"dresses": ["gown", "frock"]}
    made = cluster_groups(SOURCES, TARGETS, SOURCE, TARGET, alignment=alignment, params=PARAMS, say=said.append)
    dresses, hats = made.groups
    assert (dresses.name, dresses.aligned, hats.name, hats.aligned) == ("dresses", True, "hats", False)
    assert (dresses.source.tolist(), dresses.target.tolist()) == ([0, 3], [0, 2])
    assert dresses.source_clusters.tolist() == dresses.target_clusters.tolist() == [0, 1]
    assert made.report["dresses"] == {
        "aligned": True,
        "source": 2,
        "target": 2,
        "counts": [2],
        "partition": 0,
        "neighbour_recall": 1.0,
        "mixed_clusters": 2,
        "target_in_mixed": 2,
    }
    assert made.report["hats"]["mixed_clusters"] == 0
    assert made.n_clusters == 3
    assert said == ["group dresses: no source shop picture to train on of frock"]


def test_a_partition_that_there_is_not():
    said = []
    params = PARAMS.model_copy(update={"partition": 5})
    made = cluster_groups(SOURCES, TARGETS, SOURCE, TARGET, alignment={}, params=params, say=said.append)
    assert [group.partition for group in made.groups] == [figures["partition"] for figures in made.report.values()]
    assert "stands in for 5" in said[0]


@pytest.mark.parametrize("alignment", [{}, {"dresses": ["gown"]}])
def test_nothing_without_targets(alignment):
    made = cluster_groups(
        SOURCES, TARGETS.iloc[:0], SOURCE, TARGET[:0], alignment=alignment, params=PARAMS, block_rows=1
    )
    assert (made.groups, made.report, made.n_clusters) == ([], {}, 0)
