"""Steps of the recipe: what learns in which phase, that something is learnt, and whose checkpoints are taken."""

import pandas as pd
import pytest
import torch
from support.coloured import coloured_pictures
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.category_triplet.recipe import Params, build
from pipeline.training.context import TrainingContext
from pipeline.training.fabric import start_fabric
from pipeline.training.networks import load_state, state_of

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Three categories of one colour each, four items of two pictures each."""
    shown = ((colour, f"{category}{k // 2}", category) for category, colour in COLOURS.items() for k in range(8))
    return coloured_pictures(tmp_path_factory.mktemp("raw"), shown)


@pytest.fixture
def make(table, tmp_path):
    def build_recipe(rows=table, *, model=(), optim=(), **changes):
        defaults = default_params()
        finetune = defaults["finetune"]
        finetune["epochs"] = 4
        finetune["model"] |= {"embedding_dim": 8, "image_size": 16, "pooling": "avg"} | dict(model)
        finetune["augment"] |= {"rotation": 0.0, "jitter": 0.0, "flip": 0.0}
        finetune["optim"] |= {"warmup_epochs": 0.0} | dict(optim)
        section = defaults["recipes"]["category_triplet"] | {"batch_size": 12, "triplets": 4} | changes
        torch.manual_seed(0)
        context = TrainingContext(
            rows,
            tmp_path,
            parse_section(finetune, "finetune", FinetuneParams),
            seed=1,
            workers=0,
            fabric=start_fabric("cpu", "32-true"),
        )
        return build(context, parse_section(section, "recipes.category_triplet", Params))

    return build_recipe


def run(recipe, epoch):
    """The mean losses of an epoch."""
    n = recipe.n_batches(epoch)
    steps = [recipe.step(batch, epoch + index / n) for index, batch in enumerate(recipe.batches(epoch, 0))]
    return pd.DataFrame(steps).mean()


def weights(recipe):
    return {name: tensor.clone() for name, tensor in recipe.embedder.state_dict().items()}


def changed(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_the_backbone_does_not_change_while_frozen_and_all_does_then(make):
    recipe = make(frozen_epochs=1, model={"pooling": "gem"})
    start, classifier = weights(recipe), recipe.networks["classifier"].weight.clone()
    run(recipe, 0)
    frozen = weights(recipe)
    assert changed(start, frozen) == {"head.weight", "head.bias"}, "neither weights nor running statistics"
    assert not torch.equal(recipe.networks["classifier"].weight, classifier)
    run(recipe, 1)
    assert changed(frozen, weights(recipe)) == set(frozen)


def test_batch_norms_keep_their_statistics_as_published_if_asked_to(make):
    recipe = make(model={"frozen_bn": True})
    start = weights(recipe)
    run(recipe, 0)
    statistics = {name for name in start if "running_" in name or "num_batches" in name}
    assert statistics
    assert changed(start, weights(recipe)) == set(start) - statistics


def test_both_losses_are_learnt(make):
    recipe = make(optim={"schedule": "step", "gamma": 1.0}, item_share=0.0)
    losses = [run(recipe, epoch) for epoch in range(8)]
    for name in ("classification_loss", "triplet_loss"):
        assert losses[-1][name] < losses[0][name] / 2
    for row in losses:
        assert row["loss"] == pytest.approx(row["classification_loss"] + 2 * row["triplet_loss"])


def test_weight_0_loads_no_triplets(make, table):
    recipe = make(table.assign(item=[f"item{row}" for row in range(len(table))]), triplet_weight=0.0)
    images, labels = next(recipe.batches(0, 0))
    assert len(images) == len(labels) == 12
    assert set(recipe.step((images, labels), 0.0)) == {"loss", "classification_loss"}


def test_the_two_batches_pass_by_themselves(make):
    recipe = make(triplet_weight=1e-9)
    images, labels = next(recipe.batches(0, 0))
    assert images.shape == (12 + 3 * 4, 3, 16, 16)
    alone = make(triplet_weight=0.0).step((images[:12], labels), 0.0)
    assert recipe.step((images, labels), 0.0)["classification_loss"] == pytest.approx(alone["classification_loss"])


def test_the_schedule_counts_from_the_end_of_the_frozen_epochs(make):
    recipe = make(frozen_epochs=2, optim={"name": "sgd", "lr": 0.01, "schedule": "step", "step_epochs": 1})
    batch = next(recipe.batches(0, 0))
    for epoch, lr in [(0, 0.01), (2.5, 0.01), (3, 0.001)]:
        recipe.step(batch, epoch)
        assert recipe.optimizers["model"].param_groups[0]["lr"] == pytest.approx(lr)


@pytest.mark.parametrize(
    ("category", "says"),
    [
        ("red", "trained on 2 classes, of which 2 are among the 3 of the source; delete it"),
        ("pink", "trained on 3 classes, of which 2 are among the 3 of the source; delete it"),
    ],
)
def test_checkpoint_of_another_classifier(make, table, category, says):
    other = make(table.replace({"category": {"blue": category}}))
    with pytest.raises(UserError, match=says):
        load_state(make(), state_of(other), "finetune")
