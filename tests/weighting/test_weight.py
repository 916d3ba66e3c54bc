"""Links from a table, embeddings and clusters alone, without files."""

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, DOMAIN, ITEM
from pipeline.clustering.groups import ClusteredGroup
from pipeline.params.weight import WeightParams
from pipeline.weighting.weight import weight

SOURCES = pd.DataFrame(
    {
        CATEGORY: ["gown"] * 4,
        ITEM: ["a", "a", "b", "b"],
        DOMAIN: ["shop", "consumer", "shop", "consumer"],
    },
    index=[2, 3, 4, 5],
)
TARGETS = pd.DataFrame({CATEGORY: ["dresses", "hats", "dresses", "hats"], ITEM: ["", "", "t", ""]}, index=[7, 8, 9, 10])
SOURCE, TARGET = torch.eye(4), torch.tensor([[1.0, 0, 0.2, 0], [0, 0, 0, 1], [0.1, 0, 1, 0], [0, 0, 0, 1]])


def clustered(name: str, aligned: bool, source: list[int], target: list[int], labels: list[int]) -> ClusteredGroup:
    return ClusteredGroup(name, aligned, np.array(source, dtype=int), np.array(target), np.array(labels)[:, None], 0)


GROUPS = [clustered("dresses", True, [0, 2], [0, 2], [0, 1, 0, 1]), clustered("hats", False, [], [1, 3], [0, 0])]


@pytest.mark.parametrize(("level", "rows", "alone"), [("L1", [], 0), ("L12", [7, 9], 0), ("L123", [7, 8, 9, 10], 2)])
def test_levels(level, rows, alone):
    made = weight(SOURCES, TARGETS, SOURCE, TARGET, GROUPS, params=WeightParams(level=level, strategy="ws5"))
    assert made.links["row"].tolist() == rows
    assert made.links[ITEM].dropna().tolist() == (["a", "b"] if rows else [])
    assert made.report["all"]["linked"] == len(rows) - alone
    assert made.report["target_only"] == (
        {"hats": {"pictures": 2, "clustered": 2, "clusters": 1}} if level == "L123" else {}
    )


def test_a_strategy_of_items_names_the_row_without_one():
    with pytest.raises(UserError, match="row 7, a target picture of the aligned category 'dresses', has no item"):
        weight(SOURCES, TARGETS, SOURCE, TARGET, GROUPS, params=WeightParams(level="L12", strategy="ws7"))
