"""The loop: best and last, resume to the same bytes, a loss that breaks."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.base.names import VALIDATION
from pipeline.training.fabric import start_fabric
from pipeline.training.face import KEPT
from pipeline.training.loop import Course, train

COURSE = Course(
    epochs=4,
    seed=1,
    keep="last",
    place=lambda epoch, batch: f"epoch {epoch + 1}, batch {batch + 1}",
    stage="finetune",
    rate="finetune.optim.lr",
    label="test",
)


class DropoutRecipe:
    """A recipe with a random layer and momentum, so that a careless resume shows."""

    def __init__(self, die_at=None, bad_at=None, *, classes=("a", "b"), margin=0.3):
        torch.manual_seed(0)
        embedder = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        self.networks = {KEPT: embedder, "proxies": nn.Linear(2, 3)}
        self.optimizers = {
            "model": torch.optim.SGD(embedder.parameters(), 0.1, momentum=0.9),
            "proxies": torch.optim.Adam(self.networks["proxies"].parameters(), 0.1),
        }
        self.facts = {"classes": list(classes), "margin": margin}
        self.die_at, self.bad_at, self.seen = die_at, bad_at, []

    def n_batches(self, epoch):
        return 5

    def batches(self, epoch, first):
        for index in range(first, 5):
            generator = torch.Generator().manual_seed(epoch * 5 + index)
            yield (epoch, index), torch.rand(6, 4, generator=generator)

    def step(self, batch, epoch):
        place, rows = batch
        if place == self.die_at:
            raise KeyboardInterrupt
        self.seen.append(place)
        self.networks[KEPT].train()
        loss = self.networks["proxies"](self.networks[KEPT](rows)).pow(2).mean()
        for optimizer in self.optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for optimizer in self.optimizers.values():
            optimizer.step()
        return {"loss": float("inf") if place == self.bad_at else loss.item()}


def run(recipe, path, *, keep="last", first=0, scores=(0.1, 0.3, 0.3, 0.2), seconds=1e9, validated=True):
    scores = iter(scores)
    known = {}

    def validate(model):
        # One score an epoch, the same one when an epoch is repeated.
        key = len(recipe.seen)
        known.setdefault(key, next(scores, 0.0))
        return {VALIDATION: known[key]}

    return train(
        recipe,
        COURSE if keep == "last" else replace(COURSE, keep=keep, first=first),
        start_fabric("cpu", "32-true"),
        checkpoint=Checkpoint(path, seconds),
        say=lambda _: None,
        log_steps=1,
        validate=validate if validated else None,
    )


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("seconds", [0, 1e9])
@pytest.mark.parametrize("die_at", [(0, 3), (2, 0), (3, 4)])
def test_interrupted_and_resumed_equals_undisturbed(tmp_path, die_at, seconds, keep):
    undisturbed = run(DropoutRecipe(), tmp_path / "a.pt", keep=keep, scores=[0.0] * 4)
    with pytest.raises(KeyboardInterrupt):
        run(DropoutRecipe(die_at), tmp_path / "b.pt", seconds=seconds, keep=keep, scores=[0.0] * 4)
    torch.rand(7)  # whatever the new process did before
    recipe = DropoutRecipe()
    resumed = run(recipe, tmp_path / "b.pt", keep=keep, scores=[0.0] * 4)
    assert same(resumed.weights, undisturbed.weights)
    assert resumed.history == undisturbed.history
    first = die_at if seconds == 0 else (die_at[0], 0)
    assert recipe.seen[0] == first, "it must go on where the checkpoint was"


def test_best_is_the_first_of_the_highest_and_last_is_the_last(tmp_path):
    best = run(DropoutRecipe(), tmp_path / "a.pt", keep="best")
    last = run(DropoutRecipe(), tmp_path / "b.pt", keep="last")
    late = run(DropoutRecipe(), tmp_path / "c.pt", keep="best", first=2)
    assert (best.epoch, last.epoch, late.epoch) == (1, 3, 2)
    assert not same(best.weights, last.weights)
    assert [row["epoch"] for row in last.history] == [1, 2, 3, 4]


def test_without_validation_only_what_is_due_is_saved(tmp_path):
    undisturbed = run(DropoutRecipe(), tmp_path / "a.pt", validated=False)
    assert [set(row) for row in undisturbed.history] == [{"epoch", "loss"}] * 4
    for seconds, first in ((0, (2, 0)), (1e9, (0, 0))):
        path = tmp_path / f"{seconds}.pt"
        with pytest.raises(KeyboardInterrupt):
            run(DropoutRecipe((2, 0)), path, seconds=seconds, validated=False)
        recipe = DropoutRecipe()
        resumed = run(recipe, path, validated=False)
        assert recipe.seen[0] == first
        assert same(resumed.weights, undisturbed.weights)
        assert resumed.history == undisturbed.history
    done = DropoutRecipe()
    assert same(run(done, path, validated=False).weights, undisturbed.weights)
    assert not done.seen, "the end is saved"


def test_a_recipe_without_optimisers_gives_its_weights(tmp_path):
    recipe = DropoutRecipe(die_at=(0, 0))
    recipe.optimizers = {}
    before = {name: value.clone() for name, value in recipe.networks[KEPT].state_dict().items()}
    done = run(recipe, tmp_path / "a.pt")
    assert same(done.weights, before)
    assert done.history == []
    assert not (tmp_path / "a.pt").exists()


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"classes": "bcd"}, "was trained on 2 classes, of which 1 are among the 3 of the source; delete it to train"),
        ({"margin": 0.4}, "is of margin 0.3, where this run has 0.4; delete it to train anew"),
    ],
)
def test_a_checkpoint_of_other_facts(tmp_path, facts, says):
    run(DropoutRecipe(), tmp_path / "a.pt")
    other = DropoutRecipe(**facts)
    before = {name: value.clone() for name, value in other.networks[KEPT].state_dict().items()}
    with pytest.raises(UserError, match=says):
        run(other, tmp_path / "a.pt")
    assert same(before, other.networks[KEPT].state_dict())


def test_a_broken_loss_names_the_place(tmp_path):
    with pytest.raises(
        UserError, match=r"^finetune: the loss became inf at epoch 2, batch 3; lower finetune\.optim\.lr$"
    ):
        run(DropoutRecipe(bad_at=(1, 2)), tmp_path / "a.pt")


def test_checkpoint_survives_a_failed_save(tmp_path):
    checkpoint = Checkpoint(tmp_path / "a.pt", 0)
    assert checkpoint.load() is None
    checkpoint.save({"x": torch.ones(2)})
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save({"x": lambda: 0})
    assert torch.equal(checkpoint.load()["x"], torch.ones(2))
