"""Figures: stable bytes without dates, and no crash on what a first run may contain."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.reporting.figures import Bar, category_bars, cmc_figure
from pipeline.training.curves import training_curves

CURVES = {"baseline": np.linspace(0.4, 0.9, 50), "viewed": np.linspace(0.5, 0.95, 50)}
DRESS, SKIRT = Bar(0.5, 0.4, 0.7), Bar(0.25, 0.25, 0.25)
BARS = {"baseline": {"dress": DRESS, "skirt": SKIRT}, "viewed": {"dress": Bar(0.75, 0.7, 0.8), "skirt": SKIRT}}
QUERIES = {"dress": 12, "skirt": 1}
HISTORY = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "recall@1": [np.nan, 0.5, np.nan]})
PANELS = {"loss": ["loss"], "validation": ["recall@1"]}


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize(
    ("draw", "size"),
    [
        (lambda path: cmc_figure(CURVES, path), (640, 480)),
        (lambda path: category_bars(BARS, QUERIES, "mAP", path), (720, 280)),
        (lambda path: training_curves(HISTORY, path, x="epoch", panels=PANELS), (1120, 400)),
    ],
)
def test_size_and_stable_bytes_without_dates(tmp_path, draw, size):
    first, second = tmp_path / "a/figure.png", tmp_path / "b.png"
    draw(first)
    draw(second)
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["figure.png"]
    with Image.open(first) as image:
        assert image.size == size
        assert set(image.info) <= {"dpi"}


@pytest.mark.parametrize(
    ("bars", "queries"),
    [
        (BARS | {"baseline": {"dress": DRESS._replace(mean=0.6), "skirt": SKIRT}}, QUERIES),
        (BARS | {"baseline": {"dress": DRESS._replace(high=0.8), "skirt": SKIRT}}, QUERIES),
        (BARS | {"baseline": {"dress": DRESS}}, QUERIES),
        (BARS, QUERIES | {"skirt": 2}),
    ],
)
def test_means_intervals_and_counts_are_drawn(tmp_path, bars, queries):
    path, other = tmp_path / "a.png", tmp_path / "b.png"
    category_bars(BARS, QUERIES, "mAP", path)
    category_bars(bars, queries, "mAP", other)
    assert (pixels(path) != pixels(other)).any()


@pytest.mark.parametrize(
    "curves",
    [{}, {"baseline": np.full(50, np.nan)}, {"baseline": np.array([0.5])}, {"a": np.ones(50), "b": np.array([])}],
)
def test_cmc_of_odd_curves(tmp_path, curves):
    cmc_figure(curves, tmp_path / "cmc.png")
    assert pixels(tmp_path / "cmc.png").shape == (480, 640, 3)


@pytest.mark.parametrize(
    ("bars", "queries"),
    [
        ({}, {}),
        ({"baseline": {"dress": DRESS}}, {"dress": 12}),
        ({"baseline": {}, "viewed": {}}, {"dress": 0}),
        ({"baseline": {"dress": DRESS}, "viewed": {"skirt": SKIRT}}, QUERIES),
        ({"baseline": {}}, {"a category with a name as long as a sentence " * 4: 0, r"$\oops$ 100 $": 0}),
        ({"baseline": {}}, {f"category {number}": 1 for number in range(30)}),
        ({"baseline": {"dress": Bar(1 / 3, 1 / 3 + 1e-17, 1 / 3 - 1e-12)}}, {"dress": 3}),
    ],
)
def test_bars_of_odd_categories(tmp_path, bars, queries, recwarn):
    category_bars(bars, queries, "mAP", tmp_path / "bars.png")
    assert pixels(tmp_path / "bars.png").shape[1] == 720
    assert not recwarn


def test_curves_pass_over_missing_values(tmp_path):
    gappy = pd.DataFrame({"step": [0, 1, 2, 3], "loss": [3.0, np.nan, np.nan, 1.0]})
    training_curves(gappy, tmp_path / "a.png", x="step", panels={"loss": ["loss"]})
    training_curves(gappy.dropna(), tmp_path / "b.png", x="step", panels={"loss": ["loss"]})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_curves_that_are_empty(tmp_path):
    training_curves(HISTORY[:0], tmp_path / "a.png", x="epoch", panels=PANELS)
    training_curves(HISTORY.assign(loss=np.nan), tmp_path / "b.png", x="epoch", panels={"loss": ["loss", "recall@1"]})
    assert (tmp_path / "a.png").stat().st_size > 0
    assert (tmp_path / "b.png").stat().st_size > 0
