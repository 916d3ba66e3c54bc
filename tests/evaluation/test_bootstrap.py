"""Gains and their intervals."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.arrays import blocks
from pipeline.evaluation import bootstrap
from pipeline.evaluation.bootstrap import Sample, gain_intervals, mean_intervals, training_intervals
from pipeline.evaluation.results import RetrievalResult


def result(
    aps: list[list[float]], names: tuple[str, ...] = ("bag", "hat", "tee"), label: np.ndarray | None = None
) -> RetrievalResult:
    """One list of APs a category; each query shows an item of its own, unless `label` says which."""
    ap = np.concatenate([np.asarray(values, dtype=float) for values in aps])
    category = np.repeat(np.arange(len(aps)), [len(values) for values in aps])
    return RetrievalResult(
        query=np.arange(len(ap)),
        group=category,
        label=np.arange(len(ap)) if label is None else label,
        values={"map": ap, "cmc@1": (ap > 0.5).astype(float)},
        first_rank=np.where(ap > 0.5, 1, 30),
        groups=names,
        dropped=np.zeros(len(names), dtype=int),
    )


BEFORE = result([[0.1, 0.4, 0.9], [0.5, 0.2], []])
AFTER = result([[0.3, 0.3, 0.9], [0.9, 0.4], []])


def test_mean_is_the_difference_of_the_summaries():
    before, after = BEFORE.summary({"hat"}), AFTER.summary({"hat"})
    for where, names in (("all", None), ("aligned", {"hat"})):
        gains = gain_intervals(BEFORE, AFTER, names=names)
        assert set(gains) == {"map", "cmc@1"}
        for metric in gains:
            assert gains[metric]["mean"] == pytest.approx(after[where][metric] - before[where][metric])
            assert gains[metric]["low"] <= gains[metric]["mean"] <= gains[metric]["high"]


def test_same_results_gain_nothing_for_sure():
    assert gain_intervals(BEFORE, BEFORE)["map"] == {"mean": 0, "low": 0, "high": 0}


def test_constant_gain_has_no_width():
    # The draws are paired: however queries differ, a gain of 0.1 for each is a gain of 0.1.
    better = replace(BEFORE, values={name: value + 0.1 for name, value in BEFORE.values.items()})
    assert gain_intervals(BEFORE, better)["map"] == pytest.approx({"mean": 0.1, "low": 0.1, "high": 0.1})


def test_draws_stay_within_categories():
    # Each category gains a constant, one +1 and the other -1: any draw across them would give width.
    before, after = result([[0.0] * 4, [1.0] * 9, []]), result([[1.0] * 4, [0.0] * 9, []])
    assert gain_intervals(before, after)["map"] == pytest.approx({"mean": 0, "low": 0, "high": 0})


def test_interval_agrees_with_the_normal_approximation():
    rng = np.random.default_rng(0)
    first, second = rng.random(400), rng.random(100)
    gains = gain_intervals(result([[0.0] * 400, [0.0] * 100, []]), result([first, second, []]), resamples=4000)["map"]
    error = 1.96 * np.sqrt(first.var() / 400 + second.var() / 100) / 2
    assert gains["high"] - gains["mean"] == pytest.approx(error, rel=0.08)
    assert gains["mean"] - gains["low"] == pytest.approx(error, rel=0.08)


def test_queries_of_one_item_are_drawn_together():
    # 40 items, each with 25 queries that gain alike: these say no more than one query an item would.
    gains = np.random.default_rng(0).random(40)
    once = gain_intervals(result([[0.0] * 40, [], []]), result([gains, [], []]), resamples=4000)["map"]
    items = np.repeat(np.arange(40), 25)
    before, after = (result([values, [], []], label=items) for values in ([0.0] * 1000, np.repeat(gains, 25)))
    repeated = gain_intervals(before, after, resamples=4000)["map"]
    assert repeated == pytest.approx(once)
    apart = gain_intervals(replace(before, label=np.arange(1000)), replace(after, label=np.arange(1000)))["map"]
    width, narrower = (interval["high"] - interval["low"] for interval in (repeated, apart))
    assert narrower == pytest.approx(width / 5, rel=0.15), "as if there were 1,000 items"


def test_an_item_counts_by_its_queries():
    # Two items, the first with three queries: a draw has the first twice, the second twice, or one of each.
    of_two = result([[1.0, 1.0, 1.0, 0.0], [], []], label=np.array(["a", "a", "a", "b"]))
    assert mean_intervals(of_two, "map") == {"bag": (0, 1)}
    means = bootstrap._resampled_means(of_two.metrics(), of_two.label, 1000, np.random.default_rng(0))[:, 0]
    assert set(means) == {0, 0.75, 1}
    assert means.mean() == pytest.approx((0 + 0.75 + 0.75 + 1) / 4, abs=0.05)


def test_interval_of_a_mean_agrees_with_the_normal_approximation():
    values = np.random.default_rng(0).random(300)
    intervals = mean_intervals(result([values, [0.5], []]), "map", resamples=4000)
    assert set(intervals) == {"bag", "hat"}, "a category without a query has no mean"
    assert intervals["hat"] == (0.5, 0.5)
    error = 1.96 * values.std() / np.sqrt(300)
    assert intervals["bag"] == pytest.approx((values.mean() - error, values.mean() + error), rel=0.02)


def test_seed_decides_the_draws(monkeypatch):
    once = gain_intervals(BEFORE, AFTER, seed=3, resamples=200)
    assert gain_intervals(BEFORE, AFTER, seed=3, resamples=200) == once
    assert gain_intervals(BEFORE, AFTER, seed=4, resamples=200) != once
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 30)
    assert gain_intervals(BEFORE, AFTER, seed=3, resamples=200) == once


def test_no_category_no_interval():
    assert gain_intervals(BEFORE, AFTER, names={"tee"}) == dict.fromkeys(["map", "cmc@1"])


def test_results_of_other_queries_are_refused():
    with pytest.raises(ValueError, match="different queries"):
        gain_intervals(BEFORE, replace(AFTER, query=AFTER.query + 1))


def sample(values: list, label: list | None = None, group: list | None = None) -> Sample:
    """Queries of one figure; each shows an item of its own, in one group, unless `label` and `group` say which."""
    figures = np.array(values, dtype=float).reshape(len(values), -1)
    return Sample(np.array(group or [""] * len(values)), np.array(label or range(len(values))), figures)


def width(trainings: list[Sample], *, crossed: bool) -> float:
    low, high = training_intervals(trainings, crossed=crossed, resamples=4000)[:, 0]
    return high - low


def test_one_training_has_the_intervals_of_its_evaluation():
    before, after = (result.metrics()[:, :1] for result in (BEFORE, AFTER))
    alone = Sample(BEFORE.group, BEFORE.label, after - before)
    gain = gain_intervals(BEFORE, AFTER, seed=3)["map"]
    for crossed in (True, False):
        ends = training_intervals([alone], crossed=crossed, seed=3)
        np.testing.assert_array_equal(ends, [[gain["low"]], [gain["high"]]])


def test_trainings_are_drawn_with_replacement():
    # No query differs from another: what is left is the draw of 0 and 1, a quarter each for 0 and for 1.
    trainings = [sample([0.0] * 3), sample([1.0] * 3)]
    for crossed, resample in ((True, bootstrap._crossed), (False, bootstrap._nested)):
        means = resample(trainings, 4000, np.random.default_rng(0))[:, 0]
        assert set(means) == {0, 0.5, 1}
        assert np.mean(means == 0) == pytest.approx(0.25, abs=0.03)
        np.testing.assert_array_equal(training_intervals(trainings, crossed=crossed), [[0], [1]])


def test_items_are_one_draw_for_all_trainings_if_crossed_and_one_for_each_if_not():
    # Two equal trainings of two items, 0 and 1. Crossed, a draw has both means alike: 0, 0.5 or 1, the ends a quarter
    # each. Nested, two draws of their own are averaged, and an end takes both: a sixteenth.
    trainings = [sample([0.0, 1.0])] * 2
    crossed = bootstrap._crossed(trainings, 8000, np.random.default_rng(0))[:, 0]
    nested = bootstrap._nested(trainings, 8000, np.random.default_rng(0))[:, 0]
    assert set(crossed) == {0, 0.5, 1}
    assert np.mean(crossed == 0) == pytest.approx(1 / 4, abs=0.02)
    assert set(nested) == {0, 0.25, 0.5, 0.75, 1}
    assert np.mean(nested == 0) == pytest.approx(1 / 16, abs=0.01)


def test_many_trainings_of_the_same_items_do_not_narrow_what_the_items_leave_open():
    rng = np.random.default_rng(0)
    hard = rng.random(200)
    same = [sample(hard)] * 9
    assert width(same, crossed=True) == pytest.approx(width(same[:1], crossed=True), rel=0.05)
    assert width(same, crossed=False) == pytest.approx(width(same[:1], crossed=True) / 3, rel=0.05)


def test_the_draws_of_several_trainings_have_items_whole_within_groups():
    # All queries of an item alike, and groups that differ by a constant: no width but that of one item of two in "a".
    label, group = ["x"] * 9 + ["y"] * 9 + ["x"] * 5, ["a"] * 18 + ["b"] * 5
    trainings = [sample([0.0] * 9 + [1.0] * 9 + [7.0] * 5, label, group)] * 3
    means = bootstrap._crossed(trainings, 1000, np.random.default_rng(0))
    np.testing.assert_allclose(np.unique(means.round(9)), [3.5, 3.75, 4])


def test_a_gain_is_paired_by_query():
    # A figure each for before, after and their difference, which is 0.1 for every query of every training.
    rng = np.random.default_rng(0)
    trainings = [
        sample(np.stack([hard, hard + 0.1, np.full(50, 0.1)], axis=1).tolist()) for hard in rng.random((3, 50))
    ]
    for crossed in (True, False):
        ends = training_intervals(trainings, crossed=crossed)
        np.testing.assert_allclose(ends[:, 2], 0.1)
        np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 0.1)
        assert ends[1, 0] - ends[0, 0] > 0.05


def test_blocks_change_no_interval_over_trainings(monkeypatch):
    trainings = [sample(np.random.default_rng(seed).random(20).tolist()) for seed in range(3)]
    once = [training_intervals(trainings, crossed=crossed, seed=5) for crossed in (True, False)]
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 300)
    again = [training_intervals(trainings, crossed=crossed, seed=5) for crossed in (True, False)]
    np.testing.assert_allclose(again, once)
