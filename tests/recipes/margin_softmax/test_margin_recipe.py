"""Steps of the recipe: what learns at which rate, that something is learnt, and what is refused."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from support.coloured import coloured_pictures
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.margin_softmax.params import LOSSES, Params
from pipeline.recipes.margin_softmax.recipe import build, check
from pipeline.training.context import TrainingContext
from pipeline.training.fabric import start_fabric
from pipeline.training.networks import load_state, set_up, state_of

COLOURS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)]
SECTION = "recipes.margin_softmax"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Four items of one colour each, with 2, 4, 6 and 8 pictures."""
    shown = ((colour, f"item{item}", "dress") for item, colour in enumerate(COLOURS) for _ in range(2 * item + 2))
    return coloured_pictures(tmp_path_factory.mktemp("raw"), shown)


def sections(model=(), optim=(), **changes):
    defaults = default_params()
    finetune = defaults["finetune"]
    finetune["epochs"] = 8
    finetune["model"] |= {"embedding_dim": 8, "image_size": 32, "pooling": "avg"} | dict(model)
    finetune["augment"] |= {"rotation": 0.0, "jitter": 0.0, "flip": 0.0}
    finetune["optim"] |= {"warmup_epochs": 0.0} | dict(optim)
    section = defaults["recipes"]["margin_softmax"] | {"batch_size": 6} | changes
    return parse_section(finetune, "finetune", FinetuneParams), parse_section(section, SECTION, Params)


@pytest.fixture
def make(table, tmp_path):
    def build_recipe(rows=table, **changes):
        common, section = sections(**changes)
        torch.manual_seed(0)
        fabric = start_fabric("cpu", "32-true")
        recipe = build(TrainingContext(rows, tmp_path, common, seed=1, workers=0, fabric=fabric), section)
        set_up(recipe, fabric)
        return recipe

    return build_recipe


def run(recipe, epochs):
    """The mean loss of each epoch."""
    made = []
    for epoch in epochs:
        n, losses = recipe.n_batches(epoch), []
        for index, batch in enumerate(recipe.batches(epoch, 0)):
            torch.manual_seed(100 * epoch + index)
            losses.append(recipe.step(batch, epoch + index / n)["loss"])
        made.append(np.mean(losses))
    return made


def weights(recipe):
    return {name: value.clone() for key in recipe.networks for name, value in recipe.networks[key].state_dict().items()}


@pytest.mark.parametrize("sam_rho", [None, 0.05])
def test_items_are_learnt(make, sam_rho):
    recipe = make(
        optim={"lr": 0.003, "schedule": "step", "gamma": 1.0}, sam_rho=sam_rho, scale=10.0, margin=0.2, dropout=0.0
    )
    losses = run(recipe, range(16))
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_goes_on_from_its_state(make, loss):
    changes = {"loss": loss, "margin": 1.5 if loss == "sphereface" else 0.3, "sampled": 3, "centres": 2}
    first, second = make(**changes), make(**changes)
    start = weights(first)
    run(first, [0])
    load_state(second, deepcopy(state_of(first)), "finetune")
    undisturbed, resumed = run(first, [1, 2]), run(second, [1, 2])
    assert undisturbed == resumed
    assert np.isfinite(resumed).all()
    after = weights(second)
    assert all(value.equal(after[name]) for name, value in weights(first).items())
    for name in ("scale", "t", "mean", "std"):
        assert name not in start or not after[name].equal(start[name])


def test_a_checkpoint_of_other_items_is_refused(make, table):
    state = state_of(make())
    with pytest.raises(UserError, match=r"was trained on 4 classes, of which 3 are among the 3 of the source"):
        load_state(make(table[table["item"] != "item0"]), state, "finetune")


def test_margins_of_clam_follow_the_pictures_of_each_item(make):
    margins = make(loss="clam").networks["loss"].margins.tolist()
    share = np.array([0, 1, 2, 3]) / 3
    assert margins == pytest.approx(0.2 + 0.15 * (1 + np.cos(np.pi * share)))


def test_the_loss_reads_what_is_before_the_final_l2_and_behind_the_dropout(make, monkeypatch):
    seen = []

    def embeddings(recipe):
        monkeypatch.setattr(
            recipe.networks["loss"], "forward", lambda rows, *_: seen.append(rows.detach()) or rows.square().mean()
        )
        torch.manual_seed(0)
        recipe.step(next(recipe.batches(0, 0)), 0.0)
        return seen[-1]

    plain = embeddings(make(dropout=0.0))
    assert not torch.allclose(plain.norm(dim=1), torch.ones(6))
    assert not torch.allclose(embeddings(make(dropout=0.5)), plain)


def test_rates_of_backbone_head_and_centres(make):
    recipe = make(backbone_lr_factor=0.1, centres_lr_factor=5.0, optim={"lr": 0.01, "schedule": "cosine"})
    optimizer = recipe.optimizers["model"]
    networks = {"head": recipe.embedder.head, "centres": recipe.networks["loss"], "backbone": recipe.embedder.backbone}

    def rates():
        of = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
        return {name: {of[id(weight)] for weight in network.parameters()} for name, network in networks.items()}

    batch = next(recipe.batches(0, 0))
    recipe.step(batch, 0.0)
    assert rates() == {"head": {0.01}, "centres": {0.05}, "backbone": {0.001}}
    recipe.step(batch, 4.0)
    halfway = 0.05 + 0.95 / 2
    assert [next(iter(rate)) for rate in rates().values()] == pytest.approx(
        [0.01 * halfway, 0.05 * halfway, 0.001 * halfway]
    )


def test_layers_of_the_backbone_learn_the_slower_the_earlier_they_are(make):
    recipe = make(layer_decay=0.5, optim={"lr": 0.01})
    of = {id(weight): group["lr"] for group in recipe.optimizers["model"].param_groups for weight in group["params"]}
    rates = {name: of[id(weight)] for name, weight in recipe.embedder.backbone.trunk.named_parameters()}
    assert len(of) == len(rates) + 3, "all, with the head's two and the centres"
    assert rates["conv1.0.weight"] < rates["layer1.0.conv1.weight"] < rates["layer4.0.conv1.weight"] == 0.01
    assert rates["layer3.0.conv1.weight"] == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("model", "changes", "says"),
    [
        ({"backbone": "torchvision/resnet18"}, {"layer_decay": 0.7}, "layer_decay: only timm tells the layers"),
        ({"frozen": True}, {"layer_decay": 0.7}, "layer_decay: finetune.model.frozen holds the backbone"),
        (
            {"output": "l2"},
            {"loss": "adaface"},
            r"loss: adaface reads the lengths of embeddings, which finetune.model.output: l2",
        ),
        ({"backbone": "timm/resnet11t"}, {}, r"unknown backbone 'timm/resnet11t'; known: .*timm/resnet10t"),
        ({}, {"loss": "arcfase"}, rf"^{SECTION}.loss: should be one of adacos.* \(did you mean arcface\?\), found"),
        ({}, {"loss": "sphereface"}, f"{SECTION}.margin: should be at least 1 with sphereface"),
        ({}, {"batch_size": 1, "loss": "adaface"}, f"{SECTION}.batch_size: greater than or equal to 2, found 1"),
        ({}, {"clam": {"margin_min": 0.5, "margin_max": 0.2}}, "clam.margin_max: should be at least margin_min"),
    ],
)
def test_mistakes(model, changes, says):
    with pytest.raises(UserError, match=says) as raised:
        check(*sections(model=model, **changes))
    assert "\n" not in str(raised.value)


def test_sources_that_are_too_small(make, table):
    with pytest.raises(UserError, match=rf"^{SECTION}: the 2 source pictures show one item"):
        make(table[table["item"] == "item0"])
    with pytest.raises(UserError, match=rf"^{SECTION}.loss: adacos needs three classes, with 2 its scale is 0"):
        make(table[table["item"] > "item1"], loss="adacos")
    equal = table.groupby("item").head(2)
    assert np.isfinite(run(make(equal, loss="clam"), [0])).all()
