"""Report files: what is written can be read by others, is stable, and never half there."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.base.reports import write_csv, write_json, write_text


def test_json_takes_what_metrics_are_made_of(tmp_path):
    path = tmp_path / "metrics/evaluate.json"
    write_json(
        path,
        {
            "map": np.float32(0.25),
            "gain": -1e-9,
            "third": 1 / 3,
            "undefined": float("nan"),
            "infinite": np.inf,
            "n": np.int64(3),
            "per": {"töps": [np.nan, (1, 2.0)], "axis": np.array([0.5, np.nan])},
            "ok": True,
        },
    )
    text = path.read_text()
    assert json.loads(text) == {
        "map": 0.25,
        "gain": 0.0,
        "third": 0.333333,
        "undefined": None,
        "infinite": None,
        "n": 3,
        "per": {"töps": [None, [1, 2.0]], "axis": [0.5, None]},
        "ok": True,
    }
    assert "-0.0" not in text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["map", "gain", "third", "undefined", "infinite", "n", "per", "ok"]


def test_csv_from_rows_and_from_a_table(tmp_path):
    rows = [{"step": 1000000, "loss": 1 / 3}, {"step": 2, "loss": None}]
    write_csv(tmp_path / "rows.csv", rows)
    write_csv(tmp_path / "table.csv", pd.DataFrame(rows, index=[7, 8]))
    assert (tmp_path / "rows.csv").read_text() == "step,loss\n1000000,0.333333\n2,\n"
    assert (tmp_path / "table.csv").read_bytes() == (tmp_path / "rows.csv").read_bytes()


def test_small_learning_rates_survive_in_csv(tmp_path):
    write_csv(tmp_path / "curve.csv", [{"lr": 1.5e-7}])
    assert pd.read_csv(tmp_path / "curve.csv")["lr"][0] == 1.5e-7


def test_text_ends_in_one_newline(tmp_path):
    write_text(tmp_path / "table.md", "| a |\n\n")
    assert (tmp_path / "table.md").read_text() == "| a |\n"


def test_failure_keeps_the_old_file(tmp_path):
    path = tmp_path / "metrics.json"
    write_json(path, {"map": 0.5})
    with pytest.raises(TypeError):
        write_json(path, {"map": object()})
    assert json.loads(path.read_text()) == {"map": 0.5}
    assert list(tmp_path.iterdir()) == [path]
