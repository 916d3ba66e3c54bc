"""A network of another kind, which is told something beside each picture, through the stages."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from support import conditioned

from pipeline.base.names import FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, ModelName
from pipeline.features.store import open_features
from pipeline.images.loading import Conditioned
from pipeline.models.kinds import KINDS, load_embedder
from pipeline.training import context

KIND = conditioned.ConditionedNetwork.kind


@pytest.fixture
def toy(chain, monkeypatch):
    """The tiny chain, in which finetune trains the toy network."""
    recipe = SimpleNamespace(
        __name__="pipeline.recipes.triplet.recipe", build=conditioned.build, Params=conditioned.Params
    )
    monkeypatch.setattr(context, "load_recipe", lambda *_: (recipe, conditioned.Params()))
    monkeypatch.setitem(KINDS, KIND, conditioned.ConditionedNetwork)
    return chain


def test_a_kind_of_network_with_a_condition(toy, monkeypatch):
    toy.succeed("finetune", "extract", "draw", "cluster", "weight", "adapt", "evaluate")
    model = json.loads((toy.folder / MODEL_FOLDER / "model.json").read_text())
    assert model["kind"] == KIND
    results = json.loads((toy.folder / "metrics/evaluate.json").read_text())
    assert set(ModelName) <= set(results)

    network = load_embedder(toy.folder / MODEL_FOLDER)
    table = pd.read_parquet(toy.folder / MANIFEST_FILE)
    features = open_features(toy.folder / FEATURES_FOLDER / "source_train.h5")
    told = network.conditions(table.iloc[features.row])
    assert set(told) == set(range(1, len(model["settings"]["values"]) + 1))
    # What is not of the colours is of the condition: rows of a condition differ by a linear function of three numbers.
    with torch.no_grad():
        left = features.pooled - network.known(torch.from_numpy(told)).numpy() - network.colours.bias.numpy()
    assert np.linalg.matrix_rank(left, tol=1e-3) == 3
    assert np.linalg.matrix_rank(features.pooled - features.pooled.mean(axis=0), tol=1e-3) > 3
    assert not network.conditions(table[table["category"] == "hats"]).any()  # the source has none

    adapted = load_embedder(toy.folder / MODEL_FOLDER, toy.folder / "data/models/adapter/udma")
    inputs = Conditioned(torch.rand(2, 3, 32, 32), torch.tensor([1, 2]))
    assert torch.equal(adapted.pool(inputs), network.pool(inputs))
    assert not torch.equal(adapted(inputs), network(inputs))

    monkeypatch.delitem(KINDS, KIND)
    toy.fails(
        "extract",
        f"data/models/backbone: a network of the unknown kind '{KIND}'; known: embedder, attributes; run `dvc repro",
    )


def test_conditions_survive_workers_and_batches(toy):
    toy.succeed("finetune", "extract --part source_train")
    before = toy.digests("data/models/backbone", "data/features")
    toy.change({"runtime.workers": 2}).succeed("finetune", "extract --part source_train")
    assert toy.digests("data/models/backbone", "data/features") == before
