"""Steps of the recipe: who learns in which phase, at which rate and how often, and what the losses are given."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from support.project import default_params

from pipeline.base.params import parse_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.dada.recipe import Params, build
from pipeline.training.context import TrainingContext
from pipeline.training.fabric import start_fabric
from pipeline.training.networks import state_of

DIM = 16
NETWORKS = {"domain_network", "class_network"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Folder and table of four items with two pictures each."""
    raw, rng = tmp_path_factory.mktemp("raw"), np.random.default_rng(0)
    table = pd.DataFrame({"image": [f"{k}.png" for k in range(8)], "item": [f"item{k // 2}" for k in range(8)]})
    for name in table["image"]:
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(raw / name)
    return raw, table.assign(category="dress", domain="shop", dataset="a", **dict.fromkeys("xywh", np.nan))


@pytest.fixture
def make(pictures):
    def build_recipe(**changes):
        (raw, table), defaults = pictures, default_params()
        finetune = defaults["finetune"] | {"epochs": 9}
        finetune["model"] |= {"embedding_dim": DIM, "image_size": 16, "output": "layernorm"}
        finetune["optim"] |= {"lr": 0.001, "schedule": "step", "step_epochs": 2, "gamma": 0.5, "warmup_epochs": 0.0}
        section = defaults["recipes"]["dada"] | {"batch_size": 8} | changes
        torch.manual_seed(0)
        context = TrainingContext(
            table,
            raw,
            parse_section(finetune, "finetune", FinetuneParams),
            seed=1,
            workers=0,
            fabric=start_fabric("cpu", "32-true"),
        )
        return build(context, parse_section(section, "recipes.dada", Params))

    return build_recipe


def step(recipe, epoch):
    recipe.step(next(recipe.batches(0, 0)), epoch)


def rates(recipe):
    optimizers = recipe.optimizers.values()
    return np.array([group["lr"] for optimizer in optimizers for group in optimizer.param_groups])


def weights(recipe):
    named = [*recipe.criterion.named_parameters(), *recipe.embedder.named_parameters()]
    return {name: weight.detach().clone() for name, weight in named}


def test_who_learns_in_which_phase(make):
    recipe = make(discriminator_epochs=1, head_epochs=2)
    head = NETWORKS | {"proxies", "head"}
    for epoch, expected in enumerate([NETWORKS, head, head | {"pooling", "backbone"}]):
        before = weights(recipe)
        step(recipe, epoch)
        changed = {name for name, weight in weights(recipe).items() if not weight.equal(before[name])}
        assert {name.split(".")[0] for name in changed} == expected


@pytest.mark.parametrize(("discriminator_epochs", "head_epochs"), [(1, 3), (3, 1), (0, 0)])
def test_all_rates_fall_with_the_epochs_in_which_everything_learns(make, discriminator_epochs, head_epochs):
    recipe = make(discriminator_epochs=discriminator_epochs, head_epochs=head_epochs)
    built, start = rates(recipe), max(discriminator_epochs, head_epochs)
    assert len(built) == 4, "of the two networks, the proxies and the model"
    for epoch, factor in [(0, 1), (start + 1.9, 1), (start + 2, 0.5), (start + 5, 0.25)]:
        step(recipe, epoch)
        assert rates(recipe) == pytest.approx(factor * built)


def test_steps_of_each_side_in_a_batch(make):
    recipe = make(discriminator_steps=4, generator_steps=3)
    step(recipe, 0)
    steps = {
        name: {int(of_weight["step"]) for of_weight in state["state"].values()}
        for name, state in state_of(recipe)["optimizers"].items()
    }
    assert steps == {"discriminators": {4}, "proxies": {3}, "model": {3}}


def test_the_losses_are_given_embeddings_before_the_final_l2(make, monkeypatch):
    recipe, lengths = make(), []
    rows = recipe.criterion.rows

    def measure(embeddings, *others):
        lengths.extend(embeddings.norm(dim=1).tolist())
        return rows(embeddings, *others)

    monkeypatch.setattr(recipe.criterion, "rows", measure)
    step(recipe, 0)
    assert lengths == pytest.approx([math.sqrt(DIM)] * 8 * (3 + 1), rel=0.01)
