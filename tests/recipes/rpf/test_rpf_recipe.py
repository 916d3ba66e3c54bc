"""Steps of the recipe: what learns when and at which rate, resume, batches of one, and what is refused."""

import pytest
import torch
from support.attribute_recipe import LOCAL, context, make_recipe, pictures, sections

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.base.names import VALIDATION_MAP
from pipeline.base.runtime import RuntimeParams
from pipeline.models.kinds import save_embedder
from pipeline.recipes.rpf import recipe as module
from pipeline.recipes.rpf.recipe import build, check
from pipeline.training.face import KEPT
from pipeline.training.loop import Course, train

FIRST = {"network": {"patch": None}}
ASEN = {"family": "asen", "patch": None, "embedding_dim": 8, "layer": 3}


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    return tmp_path_factory.mktemp("raw")


@pytest.fixture(scope="module")
def source(raw):
    return pictures(raw)


@pytest.fixture
def make(source, raw):
    return lambda **changes: make_recipe(*source, raw, **changes)


def weights(recipe):
    return {name: value.clone() for name, value in recipe.networks[KEPT].state_dict().items()}


def changed(recipe, epoch):
    """The parts of the network that a step at `epoch` moves, but for statistics, and its losses."""
    before = weights(recipe)
    losses = recipe.step(next(recipe.batches(int(epoch), 0)), epoch)
    names = {name.split(".")[0] for name, _ in recipe.embedder.named_parameters()}
    after = weights(recipe)
    return {
        part
        for part in names
        if any(
            not torch.equal(before[name], after[name])
            for name, _ in recipe.embedder.named_parameters()
            if name.split(".")[0] == part
        )
    }, losses


def test_the_first_branch_learns_alone_then_both(make):
    recipe = make()
    parts, losses = changed(recipe, 1.5)
    assert (parts, set(losses)) == ({"table", "first"}, {"loss"})
    parts, losses = changed(recipe, 2.0)
    assert parts == {"table", "first", "second"}
    assert set(losses) == {"loss", "region_loss", "patch_loss", "between_loss"}
    assert losses["loss"] == pytest.approx(
        losses["region_loss"] + 0.1 * losses["patch_loss"] + 0.04 * losses["between_loss"], abs=1e-5
    )


def test_each_phase_has_rates_of_its_own_that_fall_from_its_start(make):
    recipe = make(optim={"schedule": "step", "step_epochs": 1, "gamma": 0.9}, patch_lr_factor=1.1, region_lr_factor=0.2)
    rates = {}
    for epoch in range(4):
        recipe.step(next(recipe.batches(epoch, 0)), float(epoch))
        rates[epoch] = {
            name: [group["lr"] for group in optimizer.param_groups] for name, optimizer in recipe.optimizers.items()
        }
    assert [rates[epoch]["first"][0] for epoch in range(2)] == pytest.approx([1e-3, 0.9e-3])
    assert rates[2]["both"] == pytest.approx([0.2e-3, 1.1e-3])
    assert rates[3]["both"] == pytest.approx([0.18e-3, 0.99e-3])
    assert len(recipe.optimizers["both"].state_dict()["state"])


@pytest.mark.parametrize(
    ("changes", "optimizers", "branches"),
    [
        (FIRST, {"first"}, {"region": 128}),
        ({"region_epochs": 0}, {"both"}, {"region": 128, "patch": 128}),
        ({"network": ASEN}, {"first"}, {"global": 8}),
        ({"network": ASEN | {"local": LOCAL}, "joined": True}, {"first", "both"}, {"global": 8, "local": 8}),
    ],
)
def test_families_and_branches(make, changes, optimizers, branches):
    recipe = make(**changes)
    assert set(recipe.optimizers) == optimizers
    assert recipe.embedder.branches.keys() == branches.keys()
    _, losses = changed(recipe, 3.0)
    assert ("between_loss" in losses) == (len(branches) > 1)


def test_colours_are_learnt(make, source, raw):
    recipe = make(**FIRST, epochs=6, triplets=24, batch_triplets=8, optim={"schedule": "step", "gamma": 1.0})
    means = []
    for epoch in range(6):
        losses = [recipe.step(batch, epoch + 0.1)["loss"] for batch in recipe.batches(epoch, 0)]
        means.append(sum(losses) / len(losses))
    assert means[-1] < 0.7 * means[0]
    figures = validation(recipe, source)(recipe.embedder)
    assert figures[VALIDATION_MAP] > 0.8


def validation(recipe, source):
    table, _ = source
    runtime = {"device": "cpu", "devices": 1, "workers": 0, "batch_size": 8}
    return recipe.validation(table, RuntimeParams.model_construct(**runtime))


def test_joined_roles_share_their_statistics(make):
    apart, joined = make(), make(joined=True)
    losses = [recipe.step(next(recipe.batches(0, 0)), 0.0)["loss"] for recipe in (apart, joined)]
    assert losses[0] != losses[1]
    statistic = "first.trunk.model.bn1.num_batches_tracked"
    name = statistic if statistic in weights(apart) else next(k for k in weights(apart) if k.endswith("_tracked"))
    assert [weights(recipe)[name].item() for recipe in (apart, joined)] == [3, 1]


def test_losses_are_float32_under_autocast(make, monkeypatch):
    seen = []
    original = module.einfonce

    def spied(*rows, **options):
        seen.extend(one.dtype for one in rows[:3])
        return original(*rows, **options)

    monkeypatch.setattr(module, "einfonce", spied)
    _, losses = changed(make(precision="bf16-mixed"), 2.0)
    assert seen == [torch.float32] * 3
    assert all(torch.tensor(value).isfinite() for value in losses.values())


def test_a_batch_of_one_triplet(make):
    recipe = make(triplets=5)
    assert recipe.n_batches(0) == 2
    *_, last = recipe.batches(0, 0)
    assert len(last[0].images) == 3
    for epoch in (0.5, 2.5):
        assert torch.tensor(recipe.step(last, epoch)["loss"]).isfinite()


def course(keep):
    place = lambda epoch, batch: f"{epoch}, {batch}"  # noqa: E731
    told = {"stage": "finetune", "rate": "finetune.optim.lr", "label": "test", "watched": VALIDATION_MAP, "first": 2}
    return Course(epochs=4, seed=1, keep=keep, place=place, **told)


@pytest.mark.parametrize("stop", [(1, 1), (3, 2)])
def test_killed_in_either_phase_it_goes_on_to_the_same_bytes(make, tmp_path, stop, monkeypatch):
    def run(path):
        recipe = make(ready=False)
        options = {"checkpoint": Checkpoint(path, 0), "say": lambda _: None, "log_steps": 100}
        return recipe, lambda: train(recipe, course("last"), recipe.context.fabric, **options)

    _, undisturbed = run(tmp_path / "whole.pt")
    expected = undisturbed()
    killed, start = run(tmp_path / "part.pt")
    original, done = killed.step, []

    def dying(batch, epoch):
        if len(done) == stop[0] * killed.n_batches(0) + stop[1]:
            raise KeyboardInterrupt
        done.append(epoch)
        return original(batch, epoch)

    monkeypatch.setattr(killed, "step", dying)
    with pytest.raises(KeyboardInterrupt):
        start()
    _, again = run(tmp_path / "part.pt")
    resumed = again()
    assert resumed.history == expected.history
    assert all(torch.equal(value, expected.weights[name]) for name, value in resumed.weights.items())


def test_a_model_of_the_first_branch_is_started_from(make, tmp_path):
    first = make(**FIRST)
    changed(first, 0.0)
    save_embedder(tmp_path / "model", first.embedder)
    recipe = make(init_from=str(tmp_path / "model"), region_epochs=0)
    after, before = weights(recipe), weights(first)
    assert all(torch.equal(after[name], before[name]) for name in before if not name.startswith("head."))
    assert recipe.facts["start"] is not None
    save_embedder(tmp_path / "both", recipe.embedder)
    with pytest.raises(UserError, match="both: a model of two branches; name one of the first alone"):
        make(init_from=str(tmp_path / "both"))


def test_a_model_to_start_from_takes_the_place_of_published_weights(make, tmp_path):
    first = make(**FIRST, model={"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]})
    save_embedder(tmp_path / "model", first.embedder)
    changes = {"init_from": str(tmp_path / "model"), "region_epochs": 0, "model": {"weights": "nowhere/weights.pth"}}
    check(*sections(**changes))
    started = make(**changes).embedder
    assert started.input == first.embedder.input
    assert started.settings["weights"] == first.embedder.settings["weights"]
    assert make(**changes | {"model": {"mean": [0.5, 0.5, 0.5]}}).embedder.input.mean == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"network": {"table_dim": 9}}, r"table.weight is \(2, 8\) instead of \(2, 9\); set finetune.model and"),
        ({"model": {"backbone": "timm/resnet14t"}}, "layer1.0.conv1.weight is "),
        ({"network": {"family": "asen", "local": LOCAL}}, "is missing"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(make, tmp_path, changes, says):
    save_embedder(tmp_path / "model", make(**FIRST).embedder)
    changes = {"init_from": str(tmp_path / "model"), **changes}
    with pytest.raises(UserError, match=f"^recipes.rpf.init_from: .*model: .*{says}"):
        make(**changes)
    with pytest.raises(UserError, match=says):
        check(*sections(**changes))


def test_a_model_of_other_attributes_is_refused(make, source, raw, tmp_path):
    table, attributes = source
    save_embedder(
        tmp_path / "model", make_recipe(table, attributes[attributes["attribute"] == "colour"], raw, **FIRST).embedder
    )
    with pytest.raises(UserError, match="a model of the attributes colour, where the source has colour, warmth"):
        make(init_from=str(tmp_path / "model"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": {"frozen": True}}, "finetune.model.frozen: true, but .* set it to false"),
        ({"model": {"norm_features": True}}, "finetune.model.norm_features"),
        ({"model": {"output": "layernorm"}}, "finetune.model.output"),
        ({"model": {"embedding_dim": 7}}, "finetune.model.embedding_dim: 7, .* no head; set it to null"),
        ({"model": {"embedding_dim": 256}}, "finetune.model.embedding_dim: 256"),  # of both branches
        ({"region_epochs": 4}, "recipes.rpf.region_epochs: 4 of 4 epochs leave none .*network.patch: null"),
        ({"network": {"canvas": 16}}, "recipes.rpf.network.canvas: 16 is less than"),
        ({"init_from": "nowhere/model"}, "nowhere/model: .* name the folder of a model of recipe rpf"),
    ],
)
def test_what_does_not_go_together_is_found_before_data(source, raw, changes, says):
    with pytest.raises(UserError, match=says):
        check(*sections(**changes))
    with pytest.raises(UserError, match=says):
        build(context(*source, raw, sections(**changes)[0]), sections(**changes)[1])
    check(*sections())


def test_pictures_of_which_nothing_is_known(source, raw):
    table, attributes = source
    common, section = sections()
    for known in (None, attributes.iloc[:0]):
        with pytest.raises(UserError, match="finetune.recipe: rpf learns attributes, and .* tells none"):
            build(context(table.assign(dataset="atelier"), known, raw, common), section)


def test_what_is_left_out_is_said(source, raw):
    table, attributes = source
    attributes = attributes[attributes["value"] != "cool"]
    common, section = sections()
    said = []
    recipe = build(context(table, attributes, raw, common, say=said.append), section)
    assert said == ["attributes: warmth is left out, having one value"]
    assert recipe.embedder.attributes == ("colour",)
