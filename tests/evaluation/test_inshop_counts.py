"""What deep-fashion-retrieval counts on In-shop, against its numbers and through the protocol."""

import numpy as np
import pytest
import torch
from support.golden import golden

from pipeline.arrays.ragged import Ragged
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.evaluation.published import item_hit_names, item_hits
from pipeline.retrieval.ranking import ranks_of
from pipeline.retrieval.search import Side, one_group


def test_counts_are_those_of_deep_fashion_retrieval():
    case = golden("parsers_and_inshop_eval", "deep_fashion_retrieval")
    test = slice(case["inshop_train_len"].item(), None)
    paths = case["inshop_all_path"][test]
    items = np.array([path.split("/")[-2] for path in paths])
    picked = np.array([np.flatnonzero(paths == path).item() for path in case["eval_pick"]])
    deep, colour = (case[name][test].astype(np.float64) for name in ("eval_deep", "eval_color"))
    distance = sum(
        weight * np.linalg.norm(side[picked, None] - side[None], axis=2) for weight, side in ((1, deep), (0.1, colour))
    )
    order = torch.from_numpy(np.argsort(distance, axis=1))
    relevant = torch.from_numpy(items[picked, None] == items[None]).gather(1, order)
    ranks = ranks_of(relevant, ignored=order == torch.from_numpy(picked)[:, None])
    for k, expected in zip(case["eval_topn"].tolist(), case["eval_result"].tolist(), strict=True):
        assert list(item_hits(ranks, 0, k).values()) == expected


def test_an_item_without_another_picture_is_missed():
    ranks = Ragged.group(np.array([0, 0, 1]), np.array([1, 5, 2]), 2)
    assert item_hits(ranks, alone=3, k=3) == dict(zip(item_hit_names(3), (2, 3, 2, 3), strict=True))
    assert item_hits(ranks, alone=3, k=2)["hits@2_published"] == 1, "the picture itself takes a place"


@pytest.mark.parametrize("rows", [None, np.arange(4)])
def test_the_protocol_has_one_picture_of_each_item_search_all(rows):
    # Items a and b lie apart; c has one picture, a query that finds nothing.
    queries = Side(torch.eye(4)[[0, 1, 2, 3]], np.array(["a", "b", "b", "c"]), one_group(4), rows)
    shown = None if rows is None else np.arange(10, 14)
    gallery = Side(torch.eye(4)[[0, 0, 1, 0]], np.array(["a", "a", "b", "a"]), one_group(4), shown)
    whole = PROTOCOLS["inshop"].score(queries, gallery).whole
    assert [whole[name] for name in item_hit_names(10)] == [5, 5, 2, 1]
    assert set(whole) == set(PROTOCOLS["inshop"].whole_names)
