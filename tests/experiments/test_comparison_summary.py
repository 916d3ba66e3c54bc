"""Means and intervals over seeds, and over items, worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.evaluation.by_query import DIGEST, GROUP, LABEL, QUERY, QueryFigures
from pipeline.experiments.summary import Drawn, read_values, student, summarize

T_2 = 4.302653  # 97.5 % point of Student's t with 2 degrees of freedom, from a printed table
T_1 = 12.706205


def test_interval_of_three_values():
    found = student([0.1, 0.2, 0.6])
    # Deviations -0.2, -0.1, 0.3: variance 0.14 / 2.
    half = T_2 * math.sqrt(0.07 / 3)
    assert found.mean == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx((0.3 - half, 0.3 + half), rel=1e-6)


def test_one_value_has_no_interval_and_none_no_mean():
    assert student([0.4]).mean == 0.4
    assert math.isnan(student([0.4]).low)
    assert math.isnan(student([0.4]).high)
    assert math.isnan(student([]).mean)


def test_the_gain_is_paired_over_seeds():
    # The seeds differ much, the differences 0.01 and 0.03 little; seed 3 has no control, and adds nothing.
    values = {
        ("a", 1): {"baseline": 0.1, "control": 0.10, "linked": 0.11},
        ("a", 2): {"baseline": 0.9, "control": 0.90, "linked": 0.93},
        ("a", 3): {"baseline": 0.5, "linked": 0.70},
    }
    (result,) = summarize(["a"], values)
    gain = result.gain("linked", "control")
    assert gain.mean == pytest.approx(0.02)
    assert gain.high - gain.mean == pytest.approx(T_1 * 0.01, rel=1e-6)  # s = 0.01 sqrt 2, over sqrt 2
    assert result.estimate("linked").mean == pytest.approx(0.58)
    assert result.seeds == (1, 2, 3)


def figures(items: str, pictures: str = "world", **values: list[float]) -> QueryFigures:
    """One metric of queries, a letter of `items` each, of one group."""
    n = len(items)
    queries = pd.DataFrame({QUERY: range(n), DIGEST: [pictures] * n, GROUP: ["bags"] * n, LABEL: list(items)})
    return QueryFigures(queries, {model: np.array(of_model) for model, of_model in values.items()})


def test_intervals_over_items_where_single_queries_have_figures():
    # Item a scores 0, b (with two queries) 1: a draw has a twice, b twice, or a mean of 2 / 3. The gain is 0.25 always.
    runs = {
        ("one", 1): figures("abb", control=[0, 1, 1], linked=[0.25, 1.25, 1.25]),
    }
    values = {("one", 1): {"control": 2 / 3, "linked": 2 / 3 + 0.25}}
    (result,) = summarize(["one"], values, runs)
    assert result.drawn is Drawn.ITEMS
    control, gain = result.estimate("control"), result.gain("linked", "control")
    assert (control.mean, control.low, control.high) == (2 / 3, 0, 1)
    assert (gain.mean, gain.low, gain.high) == pytest.approx((0.25, 0.25, 0.25))


def test_what_is_drawn_follows_from_the_queries_of_the_seeds():
    first, same = (figures("abc", control=[0, 0.5, 1]) for _ in range(2))
    drawn_anew = figures("abc", pictures="another world", control=[0, 0.5, 1])
    renamed = figures("abd", control=[0, 0.5, 1])
    for second, drawn in ((same, Drawn.CROSSED), (drawn_anew, Drawn.NESTED), (renamed, Drawn.NESTED)):
        values = {("a", seed): {"control": 0.5} for seed in (1, 2)}
        (result,) = summarize(["a"], values, {("a", 1): first, ("a", 2): second})
        assert result.drawn is drawn
        # Two equal seeds: crossed, their items are drawn together, with a 27th for each end.
        assert (result.estimate("control").low <= 1e-9) == (drawn is Drawn.CROSSED)


def test_a_model_that_a_seed_lacks_has_intervals_of_the_others():
    values = {("a", 1): {"baseline": 0.5, "linked": 1.0}, ("a", 2): {"baseline": 0.5}}
    runs = {("a", 1): figures("ab", baseline=[0, 1], linked=[1, 1]), ("a", 2): figures("ab", baseline=[0, 1])}
    (result,) = summarize(["a"], values, runs)
    linked, gain = result.estimate("linked"), result.gain("linked", "control")
    assert (linked.mean, linked.low, linked.high) == (1, 1, 1)
    assert math.isnan(gain.mean)


def test_settings_are_sorted_by_the_best_developed_model():
    values = {
        ("low", 1): {"baseline": 0.9, "control": 0.9, "linked": 0.1},
        ("high", 1): {"baseline": 0.1, "control": 0.1, "linked": 0.8},
        ("plain", 1): {"baseline": 0.5},
        ("plain", 2): {"baseline": 0.7},
        ("undefined", 1): {"baseline": math.nan},
    }
    results = summarize(["none", "undefined", "low", "plain", "high"], values)
    assert [result.setting for result in results] == ["high", "plain", "low", "none", "undefined"]
    assert results[1].seeds == (1, 2)
    assert math.isnan(results[1].gain("linked", "control").mean)
    assert results[3].seeds == ()


def test_what_is_read_of_an_evaluation():
    scopes = {"all": {"map": 0.25, "cmc@1": None}, "aligned": {"map": 0.5, "cmc@1": 0.5}}
    evaluation = {"queries": 7, "baseline": scopes, "linked": scopes}
    assert read_values(evaluation, "map", "aligned", "x") == {"baseline": 0.5, "linked": 0.5}
    assert math.isnan(read_values(evaluation, "cmc@1", "all", "x")["baseline"])
    with pytest.raises(UserError, match=r"^run: no metric 'mapp'; known: map, cmc@1$"):
        read_values(evaluation, "mapp", "all", "run")
    with pytest.raises(UserError, match=r"^run: no scope 'aligned'; known: all$"):
        read_values({"baseline": {"all": {}}}, "map", "aligned", "run")
    with pytest.raises(UserError, match="none of the models"):
        read_values({"queries": 7}, "map", "all", "run")
