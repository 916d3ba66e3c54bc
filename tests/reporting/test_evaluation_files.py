"""What an evaluation leaves for DVC and for people."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.base.names import BOX, CATEGORY, DATASET, DOMAIN, IMAGE, ITEM, META_DOMAIN, SPLIT, ModelName
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.reporting import fonts
from pipeline.reporting.evaluation import LEGEND_FILE, write_evaluation
from pipeline.reporting.fonts import font_for

CATEGORIES = ("上衣", "hats")
BASELINE, CONTROL, VIEWED = (str(name) for name in (ModelName.BASELINE, ModelName.CONTROL, ModelName.VIEWED))
HEADLINE = {"map_trapezoidal", "cmc@1", "cmc@10"}
MODELS = {name: np.random.default_rng(seed).normal(size=(24, 8)) for seed, name in enumerate((BASELINE, CONTROL))}
MODELS[VIEWED] = MODELS[CONTROL] + 1


def table_of(raw: Path) -> pd.DataFrame:
    """Six items of either category, a query and a gallery picture each."""
    rows = []
    for number in range(24):
        image = f"{number}.png"
        Image.new("RGB", (20, 30), (10 * number, 0, 90)).save(raw / image)
        query = number % 2 == 0
        rows.append(
            {
                IMAGE: image,
                ITEM: f"商品{number // 2}",
                CATEGORY: CATEGORIES[number // 12],
                DOMAIN: "consumer" if query else "shop",
                META_DOMAIN: "target",
                DATASET: "shop",
                SPLIT: "query" if query else "gallery",
                **dict.fromkeys(BOX, np.nan),
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "_installed", tuple)
    font_for.cache_clear()

    def written(models=MODELS, protocol="street2shop") -> tuple[Path, str]:
        table = table_of(tmp_path)
        if protocol == "attributes":
            sleeves = ["long" if number % 4 < 3 else "短袖" for number in range(len(table))]
            table = table.assign(attribute=["neck", "sleeve"] * 12, value=sleeves)
            table.loc[::3, "attribute"] = "sleeve"
        evaluation = evaluate(models, table, PROTOCOLS[protocol], resamples=20, examples=1)
        out = tmp_path / "metrics"
        return out, write_evaluation(out, evaluation, tmp_path)

    yield written
    font_for.cache_clear()


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_headlines_are_few_and_those_of_the_whole(write):
    out, _ = write()
    headline, means, gains = (read(out / f"{name}.json") for name in ("headline", "evaluate", "gains"))
    assert set(headline) == {BASELINE, VIEWED, "gain"}
    for model in (BASELINE, VIEWED):
        assert headline[model] == {key: means[model]["all"][key] for key in HEADLINE}
    assert headline["gain"] == gains["viewed - control"]["all"]["map_trapezoidal"]["mean"]
    control = headline[VIEWED]["map_trapezoidal"] - headline["gain"]
    assert control == pytest.approx(means[CONTROL]["all"]["map_trapezoidal"], abs=2e-6)


def test_the_headline_is_of_the_last_model_there_is(write):
    out, _ = write({BASELINE: MODELS[BASELINE], CONTROL: MODELS[CONTROL]})
    headline, gains = (read(out / f"{name}.json") for name in ("headline", "gains"))
    assert (list(headline), set(gains)) == ([BASELINE, CONTROL, "gain"], {"control - baseline"})
    assert headline["gain"] == gains["control - baseline"]["all"]["map_trapezoidal"]["mean"]


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_a_baseline_alone_has_headlines_under_any_protocol(write, protocol):
    out, _ = write({BASELINE: MODELS[BASELINE]}, protocol)
    assert read(out / "headline.json").keys() == {BASELINE}
    assert list(read(out / "headline.json")[BASELINE]) == list(PROTOCOLS[protocol].headline)


def test_figures_of_the_universal_protocol_by_category_and_dataset(write):
    out, said = write(MODELS, "universal")
    told = read(out / "categories.json")[VIEWED]
    assert list(told) == ["all", "category hats", "category 上衣", "dataset shop"]
    assert told["dataset shop"] == {key: told["all"][key] for key in told["dataset shop"]}
    assert "mMP@5" in said
    assert "mmp@5_ties_best" in read(out / "evaluate.json")[VIEWED]["all"]


def test_names_that_cannot_be_drawn_have_a_legend_beside_the_pictures(write, recwarn):
    out, said = write()
    legend = (out / "plots" / LEGEND_FILE).read_text(encoding="utf-8").splitlines()[1:]
    assert legend == ["#1 上衣", "#2 商品6", "#3 商品0", "#4 商品1"], (
        "a category once, then the items of the sheets, hats first"
    )
    assert str(out / "plots" / LEGEND_FILE) in said
    assert not recwarn


def test_no_legend_where_all_can_be_drawn(write, monkeypatch):
    monkeypatch.setattr("pipeline.reporting.fonts.font_for", Path)
    out, said = write()
    assert not (out / "plots" / LEGEND_FILE).exists()
    assert LEGEND_FILE not in said


def test_a_sheet_has_a_row_for_each_model(write):
    heights = []
    for chosen in ((BASELINE,), (BASELINE, VIEWED), (BASELINE, CONTROL, VIEWED)):
        out, _ = write({name: MODELS[name] for name in chosen})
        with Image.open(out / "plots/gallery/query_000000.png") as sheet:
            heights.append(sheet.height)
    assert heights[0] <= heights[1] < heights[2]
