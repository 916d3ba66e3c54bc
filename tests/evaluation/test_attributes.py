"""Retrieval by attributes: the figures that were published for RPF's evaluation, ties, and who searches whom."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from support.golden import golden

from pipeline.base.errors import UserError
from pipeline.evaluation.by_query import by_query, read_by_query
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.protocols import PROTOCOLS, choose_protocol
from pipeline.retrieval.search import Side

PROTOCOL = PROTOCOLS["attributes"]
AS_THEY_ARE = replace(PROTOCOL, measure="dot")  # the golden features are of no unit length


@pytest.fixture(scope="module")
def published():
    return golden("metric", "rpf")


def sides(published) -> tuple[Side, Side]:
    """All attributes together; features of fewer columns than others have zeros behind them."""
    made = []
    for role in ("query", "cand"):
        names = [f"attr{k}_{role}" for k in range(int(published["n_attr"]))]
        features = [published[f"{name}_feat"] for name in names]
        width = max(rows.shape[1] for rows in features)
        rows = np.concatenate([np.pad(rows, ((0, 0), (0, width - rows.shape[1]))) for rows in features])
        values = np.concatenate([published[f"{name}_value"] for name in names])
        groups = np.repeat(np.arange(len(names)), [len(each) for each in features])
        order = np.random.default_rng(0).permutation(len(rows)) if role == "query" else np.arange(len(rows))
        made.append(Side(torch.from_numpy(rows), values, groups).take(order))
    return tuple(made)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-6)])
def test_average_precisions_are_those_published(published, dtype, tolerance):
    queries, gallery = sides(published)
    result = AS_THEY_ARE.score(queries, gallery, dtype=dtype)
    for k in range(int(published["n_attr"])):
        rows = result.group == k
        order = np.argsort(np.random.default_rng(0).permutation(len(queries))[result.query[rows]])
        found = result.values["map"][rows][order]
        np.testing.assert_allclose(found, published[f"attr{k}_ap"], atol=tolerance, rtol=0)
        lower_first = replace(AS_THEY_ARE, ties="first").score(queries, gallery, dtype=dtype).values["map"][rows][order]
        for values in (found, lower_first):
            assert (values >= published[f"attr{k}_ap_tie_min"] - tolerance).all()
            assert (values <= published[f"attr{k}_ap_tie_max"] + tolerance).all()
    summary = result.summary([])
    means = [summary["categories"][str(k)]["map"] for k in range(4)]
    np.testing.assert_allclose(means, published["per_attr_map"], atol=tolerance, rtol=0)
    assert result.n_queries.tolist() == published["n_query"].tolist()
    assert summary["all"]["map"] == pytest.approx(float(published["overall_map"]), abs=tolerance)
    assert (summary["all"]["dropped"], result.unanswered) == (0, sum(result.values["map"] == 0))


def test_ties_by_the_other_rule_differ(published):
    queries, gallery = sides(published)
    ours, others = (replace(AS_THEY_ARE, ties=ties).score(queries, gallery).values["map"] for ties in ("last", "first"))
    assert not np.allclose(ours, others), "the golden ties decide something"


def entries(rows):
    """Entries (picture, attribute, value, split); picture n shows item n // 2."""
    table = pd.DataFrame(rows, columns=["row", "attribute", "value", "split"]).set_index("row")
    return table.assign(item=(table.index // 2).astype(str), category="dress", digest=table.index.astype(str))


LISTED = entries(
    [
        (0, "neck", "round", "query"),
        (0, "neck", "round", "gallery"),
        (1, "neck", "deep", "gallery"),
        (2, "neck", "deep", "query"),
        (2, "sleeve", "long", "query"),
        (3, "sleeve", "short", "gallery"),
        (4, "hem", "high", "gallery"),
    ]
)
ANGLES = np.radians([0, 0, 20, 90, 90, 30, 40])
ROWS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float32)


def test_lists_are_taken_as_they_are():
    evaluation = evaluate({"baseline": ROWS}, LISTED, PROTOCOL, resamples=20, examples=1, shown=2)
    result = evaluation.results["baseline"]
    assert result.groups == ("hem", "neck", "sleeve")
    assert result.values["map"].tolist() == [1, 1, 0], "picture 0 finds itself, and nothing has a long sleeve"
    assert result.unanswered == 1
    means = evaluation.summaries()["baseline"]
    assert means["all"]["map"] == pytest.approx(2 / 3), "a mean over queries"
    assert (means["all"]["categories"], means["all"]["empty_categories"]) == (2, 1)
    assert means["categories"]["hem"]["map"] is None
    assert result.cmc_curve(2).tolist() == pytest.approx([2 / 3, 2 / 3])
    assert evaluation.nearest["query"]["baseline"].tolist() == [[0, 1], [2, -1]]


def test_pictures_of_split_test_do_not_find_themselves():
    rows = [(0, "neck", "round"), (0, "neck", "deep"), (1, "neck", "deep"), (2, "neck", "round"), (2, "sleeve", "long")]
    table = entries([(*row, "test") for row in rows])
    angles = np.radians([0, 0, 10, 50, 50])
    found = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    evaluation = evaluate({"baseline": found}, table, PROTOCOL, resamples=20, examples=4, shown=4)
    result = evaluation.results["baseline"]
    # Picture 0, round: pictures 1 and 2 in that order; deep: the same. 1: of two equals the later, which is deep. 2: 1,
    # then 0 deep, then 0 round. The sleeve of picture 2 has nothing beside itself.
    assert result.values["map"].tolist() == pytest.approx([1 / 2, 1, 1, 1 / 3, 0])
    assert evaluation.nearest["query"]["baseline"].tolist() == [
        [2, 3, -1, -1],
        [2, 3, -1, -1],
        [1, 0, 3, -1],
        [2, 1, 0, -1],
        [-1, -1, -1, -1],
    ]


def test_single_queries_tell_what_is_drawn(tmp_path):
    evaluation = evaluate({"baseline": ROWS}, LISTED, PROTOCOL, resamples=20)
    table = by_query(evaluation)
    assert table["item"].tolist() == [0, 1, 1], "the item of the picture, and not the value that it searches"
    table.to_parquet(tmp_path / "queries.parquet")
    read = read_by_query(tmp_path / "queries.parquet", "map", "all")
    assert list(read.queries) == ["query", "digest", "group", "label", "item"]


def test_a_gain_is_a_mean_over_queries_of_items_drawn_from_all_attributes():
    rng = np.random.default_rng(0)
    rows = [(n, ("neck", "sleeve")[n % 3 > 0], "ab"[n % 2], ("query", "gallery")[n % 4 > 1]) for n in range(48)]
    before, after = (rng.normal(size=(48, 3)) for _ in range(2))
    models = {"baseline": after, "region": before}
    made = evaluate(models, entries(rows), PROTOCOL, resamples=50)
    gain = made.gains["baseline - region"]["all"]["map"]
    both = [made.results[name].values["map"] for name in models]
    assert gain["mean"] == pytest.approx(np.mean(both[0] - both[1]))
    assert gain["low"] < gain["mean"] < gain["high"]
    assert set(made.intervals["region"]) == {"neck", "sleeve"}


def test_which_protocol():
    listed, alone = np.array(["query", "gallery"]), np.array(["test"])
    assert choose_protocol("auto", ["atelier"], listed, of_attributes=True) == "attributes"
    assert choose_protocol("auto", ["fashionai"], alone) == "attributes"
    assert choose_protocol("auto", ["atelier"], listed) == "street2shop"
    assert choose_protocol("attributes", ["atelier"], alone) == "attributes"
    with pytest.raises(UserError, match=r"evaluate\.protocol: dml compares pictures.*take attributes or auto"):
        choose_protocol("dml", ["atelier"], listed, of_attributes=True)


def test_nothing_to_find():
    with pytest.raises(UserError, match="none of the 1 queries has a value that the gallery of its attribute has"):
        evaluate({"baseline": ROWS[:2]}, LISTED.iloc[[4, 5]], PROTOCOL)
