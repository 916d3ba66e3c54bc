"""The table, the figures and the picture of a comparison of settings."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.base.names import COMPARED
from pipeline.experiments.figure import settings_figure
from pipeline.experiments.summary import Drawn, Estimate, SettingResult, summarize
from pipeline.experiments.table import settings_json, settings_table
from pipeline.reporting.drawing import COLOURS

TITLE = {"metric": "map_trapezoidal", "scope": "all"}
# Of no single queries. Half an interval: 12.706205 times half the distance of two values.
VALUES = {
    ("good", 1): {"baseline": 0.30, "control": 0.40, "linked": 0.50},
    ("good", 2): {"baseline": 0.32, "control": 0.42, "linked": 0.54},
    ("plain", 1): {"baseline": 0.1},
}


def results() -> list[SettingResult]:
    return summarize(["plain", "failed", "good"], VALUES)


TABLE = """**mAP (trapezoidal)**

| setting |                baseline |                 control |                  linked | linked - control [95 % interval] | seeds |
| ------- | ----------------------: | ----------------------: | ----------------------: | -------------------------------: | ----: |
| good    | 0.3100 [0.1829, 0.4371] | 0.4100 [0.2829, 0.5371] | 0.5200 [0.2659, 0.7741] |       +0.1100 [-0.0171, +0.2371] |     2 |
| plain   |              0.1000 n/a |                     n/a |                     n/a |                              n/a |     1 |
| failed  |                     n/a |                     n/a |                     n/a |                              n/a |     0 |

Mean over seeds [95 % interval: Student's t over seeds, since single queries have no mAP (trapezoidal)]; differences are paired by seed.
"""  # noqa: E501


def test_table():
    assert settings_table(results(), **TITLE) == TABLE


def test_a_chain_without_target_has_one_column():
    table = settings_table(summarize(["plain"], VALUES), metric="unheard", scope="aligned")
    assert table.splitlines()[0] == "**unheard, aligned categories**"
    assert table.splitlines()[2] == "| setting |   baseline | seeds |"
    assert "paired" not in table


def test_the_note_says_what_the_intervals_are_over():
    gain = {"baseline": Estimate(0.5, 0.25, 0.625), "control": Estimate(0.5, 0.25, 0.625)}
    some = SettingResult("some", (1, 2), {model: {1: 0.5, 2: 0.5} for model in gain}, gain, Drawn.NESTED)
    table = settings_table([some, replace(some, seeds=(1,), drawn=Drawn.ITEMS)], **TITLE)
    assert table.splitlines()[4] == "| some    | 0.5000 [0.2500, 0.6250] | 0.5000 [0.2500, 0.6250] |     2 |"
    assert table.endswith(
        "\n\nMean over seeds [95 % interval: a bootstrap draws seeds and the items of each, or the items of "
        "the one seed]; an item is drawn with all of its queries.\n"
    )


def test_json_has_params_single_values_and_failures():
    changes = {"good": {"adapt.lr": 1e-9}, "plain": {}, "failed": {}}
    content = json.loads(settings_json(results(), changes, {"x-failed-1-0": "no"}, **TITLE))
    assert list(content["settings"]) == ["good", "plain", "failed"]
    good = content["settings"]["good"]
    assert good["params"] == {"adapt.lr": 1e-9}
    assert good["control"]["seeds"] == {"1": 0.4, "2": 0.42}
    assert good["linked - control"] == pytest.approx({"mean": 0.11, "low": -0.017062, "high": 0.237062})
    assert content["settings"]["plain"] == {
        "params": {},
        "baseline": {"mean": 0.1, "low": None, "high": None, "seeds": {"1": 0.1}},
    }
    assert content["failures"] == {"x-failed-1-0": "no"}


def test_picture_has_all_models(tmp_path):
    assert len(COMPARED) > len(COLOURS)
    found = {("one", seed): {str(model): seed / 10 for model in COMPARED} for seed in (1, 2)}
    before = {("one", seed): {str(model): seed / 10 for model in COMPARED[:-1]} for seed in (1, 2)}
    all_of_them = drawn(tmp_path / "all.png", summarize(["one"], found))
    assert all_of_them.shape[0] > drawn(tmp_path / "before.png", summarize(["one"], before)).shape[0]
    last = summarize(["one"], found | {("one", 2): found["one", 2] | {str(COMPARED[-1]): 0.9}})
    assert (drawn(tmp_path / "last.png", last) != all_of_them).any()


def drawn(path: Path, shown: list[SettingResult]) -> np.ndarray:
    settings_figure(shown, path, **TITLE)
    return np.asarray(Image.open(path).convert("RGB"))


def test_picture_has_stable_bytes_shows_values_and_grows_with_rows(tmp_path, recwarn):
    first = drawn(tmp_path / "a.png", results())
    drawn(tmp_path / "b.png", results())
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    other = summarize(["plain", "failed", "good"], VALUES | {("plain", 1): {"baseline": 0.2}})
    assert (drawn(tmp_path / "c.png", other) != first).any()
    names = [f"a name as long as a sentence of about sixty characters {number}" for number in range(12)]
    many = summarize(names, {(name, seed): {"baseline": seed / 10} for name in names for seed in (1, 2)})
    assert drawn(tmp_path / "d.png", many).shape[1] == first.shape[1]
    assert drawn(tmp_path / "d.png", many).shape[0] > drawn(tmp_path / "e.png", many[:1]).shape[0]
    assert not recwarn
