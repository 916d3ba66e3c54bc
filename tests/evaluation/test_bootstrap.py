"""Gains and their intervals."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.arrays import blocks
from pipeline.evaluation import bootstrap
from pipeline.evaluation.bootstrap import gain_intervals, mean_intervals
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
