"""Metrics worked by hand, odd categories, and properties."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import average_precision_score

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, CMC_RANKS, DATASET, ITEM, cmc_key
from pipeline.evaluation.metrics.average_precision import average_precision
from pipeline.evaluation.metrics.cmc import cmc_curve
from pipeline.evaluation.metrics.trapezoidal_average_precision import trapezoidal_average_precision
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.retrieval.ranking import ranks_of
from pipeline.retrieval.search import Side, nearest, one_group

street2shop, deepfashion = (PROTOCOLS[name].score for name in ("street2shop", "deepfashion"))


def one_query(*ranks: int) -> Ragged:
    return Ragged(np.array(ranks), np.array([0, len(ranks)]))


def pictures(rows: list[tuple[float, str, str]]) -> Side:
    """Rows (angle in degrees, item, category)."""
    angles, items, categories = zip(*rows, strict=True)
    radians = torch.tensor(angles).deg2rad()
    return Side(torch.stack([radians.cos(), radians.sin()], dim=1), np.array(items), np.array(categories))


def random_search(seed: int) -> tuple[Side, Side]:
    rng = np.random.default_rng(seed)

    def side(n):
        return Side(
            torch.from_numpy(rng.normal(size=(n, 4))).float(),
            rng.integers(6, size=n).astype(str),
            rng.choice(["bag", "hat", "tee"], size=n),
        )

    return side(40), side(70)


def test_average_precision_by_hand():
    # relevant at ranks 1, 3, 6: precision there 1/1, 2/3, 3/6; just before: 1 (by definition), 1/2, 2/5
    assert average_precision(one_query(1, 3, 6)) == pytest.approx([(1 + 2 / 3 + 1 / 2) / 3])
    trapezoids = (1 + 1) / 2 + (2 / 3 + 1 / 2) / 2 + (3 / 6 + 2 / 5) / 2
    assert trapezoidal_average_precision(one_query(1, 3, 6)) == pytest.approx([trapezoids / 3])


def test_perfect_and_missing():
    perfect = one_query(1, 2, 3)
    assert average_precision(perfect) == trapezoidal_average_precision(perfect) == [1.0]
    assert np.isnan(average_precision(one_query()))
    assert trapezoidal_average_precision(one_query(2)) == [0.25]


def test_average_precision_equals_scikit_learn():
    rng = np.random.default_rng(0)
    relevant = rng.random((50, 31)) < 0.2
    relevant[:, 5] = True
    ap = average_precision(ranks_of(torch.from_numpy(relevant)))
    expected = [average_precision_score(row, -np.arange(31)) for row in relevant]
    np.testing.assert_allclose(ap, expected)
    assert (trapezoidal_average_precision(ranks_of(torch.from_numpy(relevant))) <= ap + 1e-12).all()


def test_cmc_curve():
    np.testing.assert_allclose(cmc_curve(np.array([1, 3, 3, 9]), 5), [0.25, 0.25, 0.75, 0.75, 0.75])


def test_street2shop_by_hand():
    queries = pictures([(0, "a", "hat"), (0, "b", "hat"), (90, "a", "tee"), (0, "z", "hat")])
    gallery = pictures([(10, "b", "hat"), (20, "a", "hat"), (30, "b", "hat"), (90, "q", "tee"), (0, "a", "tee")])
    result = street2shop(queries, gallery)
    assert result.groups == ("hat", "tee")
    assert result.query.tolist() == [0, 1, 2]
    assert result.dropped.tolist() == [1, 0]  # nobody sells z
    assert result.first_rank.tolist() == [2, 1, 2]  # the hat "a" does not help the query for the tee "a"
    assert result.values["map"].tolist() == pytest.approx([1 / 2, (1 + 2 / 3) / 2, 1 / 2])
    summary = result.summary(aligned={"tee"})
    assert summary["categories"]["hat"]["cmc@1"] == 0.5
    assert summary["all"]["cmc@1"] == 0.25
    assert summary["aligned"]["map"] == 0.5
    # A gallery of three: CMC@5 is the share of queries with a hit anywhere.
    assert summary["categories"]["hat"]["cmc@5"] == summary["categories"]["hat"]["cmc@50"] == 1
    assert (summary["all"]["queries"], summary["all"]["dropped"]) == (3, 1)


def test_category_without_queries_or_gallery_is_left_out_and_counted():
    queries = pictures([(0, "a", "hat"), (0, "a", "bag"), (0, "x", "tee")])
    gallery = pictures([(10, "a", "hat"), (20, "y", "tee"), (20, "y", "coat")])
    result = street2shop(queries, gallery)
    summary = json.loads(json.dumps(result.summary(aligned={"bag", "tee"}), allow_nan=False))
    assert summary["all"]["map"] == 1  # of hats alone
    assert (summary["all"]["categories"], summary["all"]["empty_categories"]) == (1, 3)
    assert summary["aligned"]["map"] is None
    assert summary["aligned"]["dropped"] == 2
    assert summary["categories"]["bag"]["map"] is None
    assert (summary["categories"]["bag"]["queries"], summary["categories"]["bag"]["dropped"]) == (0, 1)
    assert summary["categories"]["coat"] == {
        **dict.fromkeys(PROTOCOLS["street2shop"].metrics),
        "queries": 0,
        "dropped": 0,
    }


def test_no_query_left():
    with pytest.raises(UserError, match="none of the 1 queries shows an item that the gallery of its category has"):
        street2shop(pictures([(0, "a", "hat")]), pictures([(0, "a", "tee")]))


def test_nan_is_refused():
    queries, gallery = random_search(0)
    gallery.embeddings[8, 1] = torch.nan
    with pytest.raises(
        UserError, match="gallery embeddings: NaN or infinite values in 1 of 70 rows, the first is row 8"
    ):
        street2shop(queries, gallery)


def test_permuted_gallery_changes_nothing():
    queries, gallery = random_search(1)
    order = np.random.default_rng(5).permutation(70)
    shuffled = gallery.take(order)
    assert street2shop(queries, shuffled).summary(()) == street2shop(queries, gallery).summary(())


def test_one_pool_is_street2shop_with_one_category():
    queries, gallery = random_search(2)
    result = deepfashion(*(replace(side, groups=one_group(len(side))) for side in (queries, gallery)))
    summary = result.summary(())
    assert list(summary["categories"]) == ["all"], "its name in categories.json"
    assert summary["all"]["map"] == pytest.approx(result.values["map"].mean())
    assert result.summary(())["all"]["queries"] + summary["all"]["dropped"] == 40


def test_cmc_curve_averages_categories_and_agrees_with_the_summary():
    result = street2shop(*random_search(3))
    summary = result.summary({"hat", "tee"})
    everywhere, aligned = result.cmc_curve(50), result.cmc_curve(50, {"hat", "tee"})
    for k in CMC_RANKS:
        assert everywhere[k - 1] == pytest.approx(summary["all"][cmc_key(k)])
        assert aligned[k - 1] == pytest.approx(summary["aligned"][cmc_key(k)])
    assert np.isnan(result.cmc_curve(3, {"boots"})).all()


def test_nearest_in_the_category():
    queries = pictures([(0, "a", "tee"), (0, "b", "hat"), (0, "b", "bag")])
    gallery = pictures([(50, "b", "hat"), (20, "a", "tee"), (30, "b", "hat"), (10, "b", "hat")])
    assert nearest(queries, gallery, 2).tolist() == [[1, -1], [3, 2], [-1, -1]]


def test_protocol_by_name_scores_and_shows_the_same_search():
    table = pd.DataFrame(
        {ITEM: ["x", "y", "z", "x"], CATEGORY: ["a", "b", "a", "a"], DATASET: "one"}, index=[5, 6, 7, 8]
    )
    for name, rank, shown in (("street2shop", 1, [0, 2, -1]), ("deepfashion", 2, [1, 0, 2])):
        protocol = PROTOCOLS[name]
        gallery = protocol.side(torch.eye(3), table.iloc[:3])
        query = protocol.side(torch.tensor([[0.5, 1.0, 0.0]]), table.iloc[3:])
        assert protocol.score(query, gallery).first_rank.tolist() == [rank]
        assert protocol.top_k(query, gallery, 3).tolist() == [shown]
