"""The chain with the recipe dada: what comes out, and mistakes in its params, items and checkpoints."""

import json
from shutil import copyfile

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from pipeline.base.names import (
    CATEGORY,
    DOMAIN,
    FEATURES_FOLDER,
    ITEM,
    MANIFEST_FILE,
    META_DOMAIN,
    MODEL_FOLDER,
    ModelName,
)
from pipeline.features.store import open_features
from pipeline.models.folder import load_head
from pipeline.recipes.dada.recipe import DadaRecipe

LOSSES = ["loss", "proxy_loss", "domain_loss", "class_loss", "discriminator_loss"]


def test_the_chain_runs_to_its_end(finished_dada):
    curves = pd.read_csv(finished_dada.folder / "metrics/curves/finetune/curves.csv")
    assert list(curves["epoch"]) == [1, 2, 3, 4]
    assert np.isfinite(curves[LOSSES].to_numpy()).all()
    assert curves["proxy_loss"].iloc[3] < curves["proxy_loss"].iloc[0], "proxies and model must learn"
    report = json.loads((finished_dada.folder / "metrics/evaluate.json").read_text())
    assert set(ModelName) <= set(report)


def test_adaptation_starts_from_the_models_embeddings(finished_dada):
    features = open_features(finished_dada.folder / FEATURES_FOLDER / "source_train.h5")
    head = load_head(finished_dada.folder / MODEL_FOLDER).folded()
    weight, bias = head.weight.detach(), head.bias.detach()
    made = F.normalize(F.linear(torch.from_numpy(features.pooled), weight, bias), dim=1)
    np.testing.assert_allclose(made, features.embedding, atol=1e-5)


def change_source(chain, change):
    """Rewrite the manifest with `change` of its source rows."""
    table = pd.read_parquet(chain.folder / MANIFEST_FILE)
    is_source = table[META_DOMAIN] == "source"
    changed = pd.concat([change(table[is_source]), table[~is_source]], ignore_index=True)
    assert not changed.equals(table)
    changed.to_parquet(chain.folder / MANIFEST_FILE, index=False)
    return chain


@pytest.mark.parametrize(
    "change",
    [lambda rows: rows[rows[DOMAIN] == "shop"], lambda rows: rows.drop_duplicates([CATEGORY, ITEM])],
    ids=["shop pictures only", "one picture an item"],
)
def test_pictures_of_any_kind_are_enough(finished_dada, tmp_path, change):
    chain = finished_dada.copy(tmp_path, {"finetune.keep": "last", "finetune.val_share": 0.0, "finetune.epochs": 1})
    change_source(chain, change)
    before = chain.digests("data/models/backbone")
    chain.succeed("finetune", "extract --part source_train")
    assert chain.digests("data/models/backbone") != before
    assert len(open_features(chain.folder / FEATURES_FOLDER / "source_train.h5").row)


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


def test_fewer_items_than_a_batch_needs(finished_dada, tmp_path):
    def ten_items(rows):
        return rows[rows[ITEM].isin(sorted(set(rows[ITEM]))[:10])]

    chain = finished_dada.copy(tmp_path, {"finetune.keep": "last", "finetune.val_share": 0.0})
    says = "recipes.dada.batch_size: 32 is 16 items of 2 pictures, more than the 10 source items; lower it"
    change_source(chain, ten_items).fails("finetune", says)


def rename_first(rows):
    return rows.replace({ITEM: {rows[ITEM].min(): "new"}})


class KilledError(Exception):
    pass


def checkpoint_of(chain, monkeypatch):
    """The checkpoint of a run of finetune that ends early in the second epoch."""
    step = DadaRecipe.step

    def dying(self, batch, epoch):
        if epoch > 1:
            raise KilledError
        return step(self, batch, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(DadaRecipe, "step", dying)
        with pytest.raises(KilledError):
            chain.run("finetune")
    (checkpoint,) = (chain.folder / "data/.partial/finetune").glob("*/checkpoint.pt")
    return checkpoint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[rows[ITEM] != rows[ITEM].min()], "42 classes, of which 41 are among the 41 of the source"),
        (rename_first, "42 classes, of which 41 are among the 42 of the source"),
    ],
    ids=["fewer items", "as many others"],
)
def test_checkpoint_of_other_items(finished_dada, tmp_path, monkeypatch, change, says):
    here = finished_dada.copy(tmp_path / "here", {"finetune.keep": "last", "finetune.val_share": 0.0})
    there = change_source(here.copy(tmp_path / "there"), change)
    copyfile(checkpoint_of(here, monkeypatch), checkpoint_of(there, monkeypatch))
    there.fails("finetune", f"finetune: the checkpoint below runtime.scratch was trained on {says}; delete it")
