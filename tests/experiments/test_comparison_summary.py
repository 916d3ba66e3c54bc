"""Means and intervals over seeds, worked by hand."""

import math

import pytest

from pipeline.base.errors import UserError
from pipeline.experiments.summary import estimate, read_values, summarize

T_2 = 4.302653  # 97.5 % point of Student's t with 2 degrees of freedom, from a printed table
T_1 = 12.706205


def test_interval_of_three_values():
    found = estimate([0.1, 0.2, 0.6])
    # Deviations -0.2, -0.1, 0.3: variance 0.14 / 2.
    half = T_2 * math.sqrt(0.07 / 3)
    assert found.mean == pytest.approx(0.3)
    assert found.half_width == pytest.approx(half, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((0.3 - half, 0.3 + half))


def test_one_value_has_no_interval_and_none_no_mean():
    assert estimate([0.4]).mean == 0.4
    assert math.isnan(estimate([0.4]).half_width)
    assert math.isnan(estimate([]).mean)


def test_the_gain_is_paired_over_seeds():
    # The seeds differ much, the differences 0.01 and 0.03 little; seed 3 has no control, and adds nothing.
    values = {
        ("a", 1): {"baseline": 0.1, "control": 0.10, "adapted": 0.11},
        ("a", 2): {"baseline": 0.9, "control": 0.90, "adapted": 0.93},
        ("a", 3): {"baseline": 0.5, "adapted": 0.70},
    }
    (result,) = summarize(["a"], values)
    gain = result.gain()
    assert gain.mean == pytest.approx(0.02)
    assert gain.half_width == pytest.approx(T_1 * 0.01, rel=1e-6)  # s = 0.01 sqrt 2, over sqrt 2
    assert result.estimate("adapted").mean == pytest.approx(0.58)
    assert result.seeds == (1, 2, 3)


def test_settings_are_sorted_by_the_best_developed_model():
    values = {
        ("low", 1): {"baseline": 0.9, "control": 0.9, "adapted": 0.1},
        ("high", 1): {"baseline": 0.1, "control": 0.1, "adapted": 0.8},
        ("plain", 1): {"baseline": 0.5},
        ("plain", 2): {"baseline": 0.7},
        ("undefined", 1): {"baseline": math.nan},
    }
    results = summarize(["none", "undefined", "low", "plain", "high"], values)
    assert [result.setting for result in results] == ["high", "plain", "low", "none", "undefined"]
    assert results[1].seeds == (1, 2)
    assert math.isnan(results[1].gain().mean)
    assert results[3].seeds == ()


def test_what_is_read_of_an_evaluation():
    scopes = {"all": {"map": 0.25, "cmc@1": None}, "aligned": {"map": 0.5, "cmc@1": 0.5}}
    evaluation = {"queries": 7, "baseline": scopes, "adapted": scopes}
    assert read_values(evaluation, "map", "aligned", "x") == {"baseline": 0.5, "adapted": 0.5}
    assert math.isnan(read_values(evaluation, "cmc@1", "all", "x")["baseline"])
    with pytest.raises(UserError, match=r"^run: no metric 'mapp'; known: map, cmc@1$"):
        read_values(evaluation, "mapp", "all", "run")
    with pytest.raises(UserError, match=r"^run: no scope 'aligned'; known: all$"):
        read_values({"baseline": {"all": {}}}, "map", "aligned", "run")
    with pytest.raises(UserError, match="none of the models"):
        read_values({"queries": 7}, "map", "all", "run")
