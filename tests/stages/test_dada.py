"""The chain with the recipe dada: what comes out, interrupted or not, and mistakes in its params."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from pipeline.constants import DOMAIN, FEATURES_FOLDER, MANIFEST_FILE, META_DOMAIN, MODEL_FOLDER, POOLED
from pipeline.io.features import read_features
from pipeline.models.files import load_head_weights
from pipeline.recipes.dada import DadaRecipe

LOSSES = ["loss", "proxy_loss", "domain_loss", "class_loss", "discriminator_loss"]


def test_the_chain_runs_to_its_end(finished_dada):
    curves = pd.read_csv(finished_dada.folder / "metrics/curves/finetune/curves.csv")
    assert list(curves["epoch"]) == [1, 2, 3]
    assert np.isfinite(curves[LOSSES].to_numpy()).all()
    assert curves["proxy_loss"].iloc[2] < curves["proxy_loss"].iloc[0], "proxies and model must learn"
    report = json.loads((finished_dada.folder / "metrics/evaluate.json").read_text())
    assert {"baseline", "control", "adapted"} <= set(report)


def test_adaptation_starts_from_the_models_embeddings(finished_dada):
    features = read_features(finished_dada.folder / FEATURES_FOLDER / "source_train.h5")
    weight, bias, _ = load_head_weights(finished_dada.folder / MODEL_FOLDER)
    made = F.normalize(F.linear(torch.from_numpy(features.pooled), weight, bias), dim=1)
    np.testing.assert_allclose(made, features.embedding, atol=1e-5)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("at", [0, 1, 2], ids=["networks", "head", "all"])
def test_interrupted_and_resumed_gives_the_same_bytes(finished_dada, tmp_path, monkeypatch, at):
    step = DadaRecipe.step

    def dying(self, batch, epoch):
        if epoch > at + 0.3:
            raise KilledError
        return step(self, batch, epoch)

    chain = finished_dada.copy(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(DadaRecipe, "step", dying)
        with pytest.raises(KilledError):
            chain.run("finetune")
    said = chain.run("finetune").stdout
    assert f"resuming at epoch {at + 1}, batch 3" in said
    assert chain.digests() == finished_dada.digests()


def test_without_consumer_pictures(finished_dada, tmp_path):
    chain = finished_dada.copy(tmp_path, {"finetune.keep": "last", "finetune.val_share": 0.0, "finetune.epochs": 1})
    path = chain.folder / MANIFEST_FILE
    table = pd.read_parquet(path)
    photos = (table[META_DOMAIN] == "source") & (table[DOMAIN] == "consumer")
    assert photos.any()
    table[~photos].reset_index(drop=True).to_parquet(path, index=False)
    before = chain.digests("data/models/backbone")
    chain.succeed("finetune", "extract --part source_train")
    assert chain.digests("data/models/backbone") != before
    assert len(read_features(chain.folder / FEATURES_FOLDER / "source_train.h5", POOLED).row)


@pytest.mark.parametrize("stage", ["check", "finetune"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"samples_per_class": 3}, "recipes.dada.samples_per_class: should divide batch_size (32), found 3"),
        ({"mix.alfa": 1.0}, "recipes.dada.mix.alfa: unknown key"),
        ({"mix.shift": -1.0}, "recipes.dada.mix.shift: greater than -1, found -1.0"),
        ({"networks.domain_norm": "none"}, "recipes.dada.networks.domain_norm: 'joint' or 'each', found 'none'"),
        ({"networks.class_hidden": [64]}, "recipes.dada.networks.class_hidden.1: "),
    ],
)
def test_params(finished_dada, tmp_path, stage, changes, says):
    chain = finished_dada.copy(tmp_path, {f"recipes.dada.{name}": value for name, value in changes.items()})
    chain.fails(stage, says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batch_size": 80}, "recipes.dada.batch_size: 80 is 40 items of 2 pictures, more than the 38 source items"),
        ({"batch_size": 80000, "sampler": "random"}, "recipes.dada.batch_size: 80000 is more than the"),
    ],
)
def test_params_that_show_in_training(finished_dada, tmp_path, changes, says):
    chain = finished_dada.copy(tmp_path, {f"recipes.dada.{name}": value for name, value in changes.items()})
    chain.fails("finetune", says)
