"""The table, the figures and the picture of a comparison of settings."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.experiments.figure import settings_figure
from pipeline.experiments.summary import SettingResult, summarize
from pipeline.experiments.table import settings_json, settings_table

TITLE = {"metric": "map_trapezoidal", "scope": "all"}
# Half widths: 12.706205 times half the distance of two values.
VALUES = {
    ("good", 1): {"baseline": 0.30, "control": 0.40, "adapted": 0.50},
    ("good", 2): {"baseline": 0.32, "control": 0.42, "adapted": 0.54},
    ("plain", 1): {"baseline": 0.1},
}


def results() -> list[SettingResult]:
    return summarize(["plain", "failed", "good"], VALUES)


TABLE = """**mAP (trapezoidal)**

| setting |        baseline |         control |         adapted | adapted - control [95 % interval] | seeds |
| ------- | --------------: | --------------: | --------------: | --------------------------------: | ----: |
| good    | 0.3100 ± 0.1271 | 0.4100 ± 0.1271 | 0.5200 ± 0.2541 |        +0.1100 [-0.0171, +0.2371] |     2 |
| plain   |    0.1000 ± n/a |             n/a |             n/a |                               n/a |     1 |
| failed  |             n/a |             n/a |             n/a |                               n/a |     0 |

Mean over seeds ± half the 95 % interval (Student's t); the difference is paired over seeds.
"""


def test_table():
    assert settings_table(results(), **TITLE) == TABLE


def test_a_chain_without_target_has_one_column():
    table = settings_table(summarize(["plain"], VALUES), metric="unheard", scope="aligned")
    assert table.splitlines()[0] == "**unheard, aligned categories**"
    assert table.splitlines()[2] == "| setting |     baseline | seeds |"
    assert "paired" not in table


def test_json_has_params_single_values_and_failures():
    changes = {"good": {"adapt.lr": 1e-9}, "plain": {}, "failed": {}}
    content = json.loads(settings_json(results(), changes, {"x-failed-1-0": "no"}, **TITLE))
    assert list(content["settings"]) == ["good", "plain", "failed"]
    good = content["settings"]["good"]
    assert good["params"] == {"adapt.lr": 1e-9}
    assert good["control"]["seeds"] == {"1": 0.4, "2": 0.42}
    assert good["adapted - control"] == pytest.approx({"mean": 0.11, "low": -0.017062, "high": 0.237062})
    assert content["settings"]["plain"] == {
        "params": {},
        "baseline": {"mean": 0.1, "low": None, "high": None, "seeds": {"1": 0.1}},
    }
    assert content["failures"] == {"x-failed-1-0": "no"}


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
