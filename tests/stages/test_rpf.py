"""The recipe rpf through the chain: both phases in one run and in two, and mistakes in one line."""

import hashlib
import json

import pandas as pd
import pytest
from support.chain import Chain

from pipeline.base.names import ATTRIBUTES_FILE, MODEL_FOLDER, VALIDATION_MAP
from pipeline.models.folder import WEIGHTS
from pipeline.models.kinds import load_embedder
from pipeline.table.attributes import no_attributes, write_attributes

# One epoch of each phase, of three batches.
RPF = {
    "finetune.recipe": "rpf",
    "finetune.epochs": 2,
    "finetune.model.embedding_dim": None,
    "recipes.rpf.region_epochs": 1,
    "recipes.rpf.triplets": 10,
    "recipes.rpf.batch_triplets": 4,
    "recipes.rpf.network.canvas": 40,
    "recipes.rpf.network.patch.image_size": 32,
}
PATCH = "recipes.rpf.network.patch"


@pytest.fixture(scope="module")
def prepared(finished, tmp_path_factory) -> Chain:
    return finished.copy(tmp_path_factory.mktemp("rpf"), RPF)


def figures(chain):
    return json.loads((chain.folder / "metrics/finetune.json").read_text())


def test_both_phases_in_one_run(prepared, tmp_path):
    chain = prepared.copy(tmp_path / "one")
    said = chain.succeed("finetune")
    curves = pd.read_csv(chain.folder / "metrics/curves/finetune/curves.csv")
    assert curves["patch_loss"].isna().tolist() == [True, False]
    assert f"kept epoch 2, {VALIDATION_MAP}" in said
    report = figures(chain)
    assert report["kept_epoch"] == 2
    assert report["val_queries"] > 0
    assert {VALIDATION_MAP, f"{VALIDATION_MAP}_region", f"{VALIDATION_MAP}_patch"} < set(report)
    network = load_embedder(chain.folder / MODEL_FOLDER)
    assert list(network.branches) == ["region", "patch"]
    known = pd.read_parquet(chain.folder / ATTRIBUTES_FILE)
    assert set(network.attributes) <= set(known["attribute"])


def test_a_run_for_each_phase(prepared, tmp_path):
    first = prepared.copy(tmp_path / "first", {PATCH: None, "finetune.epochs": 1})
    first.succeed("finetune")
    assert list(load_embedder(first.folder / MODEL_FOLDER).branches) == ["region"]
    changes = {"recipes.rpf.init_from": str(first.folder / MODEL_FOLDER), "recipes.rpf.region_epochs": 0}
    second = prepared.copy(tmp_path / "second", changes | {"finetune.epochs": 1})
    second.succeed("check", "finetune")
    weights = first.folder / MODEL_FOLDER / WEIGHTS
    assert figures(second)["start"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert "start" not in figures(first)
    start = str(second.folder / MODEL_FOLDER)
    wrong = prepared.copy(tmp_path / "wrong", {"recipes.rpf.init_from": start})
    for stage in ("check", "finetune"):
        wrong.fails(stage, "recipes.rpf.init_from", "a model of two branches")


def test_a_set_that_tells_no_attributes(prepared, tmp_path):
    chain = prepared.copy(tmp_path / "none")
    write_attributes(chain.folder / ATTRIBUTES_FILE, no_attributes())
    chain.fails("finetune", "finetune.recipe: rpf learns attributes, and atelier tells none", "data.sets")


def test_mistakes_that_are_found_before_data(prepared, tmp_path):
    chain = prepared.copy(tmp_path / "mistakes", {"recipes.rpf.region_epochs": 2})
    chain.fails("check", "recipes.rpf.region_epochs: 2 of 2 epochs")
    chain.change({"recipes.rpf.region_epochs": 1, "finetune.model.frozen": True})
    chain.fails("check", "finetune.model.frozen: true")
