"""The loop: best and last, resume to the same bytes, a loss that breaks."""

import pytest
import torch
from torch import nn

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.base.names import VALIDATION
from pipeline.training.loop import train


class DropoutRecipe:
    """A recipe with a random layer and momentum, so that a careless resume shows."""

    def __init__(self, die_at=None, bad_at=None):
        torch.manual_seed(0)
        self.embedder = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        self.optimizer = torch.optim.SGD(self.embedder.parameters(), 0.1, momentum=0.9)
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
        self.embedder.train()
        loss = self.embedder(rows).pow(2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": float("inf") if place == self.bad_at else loss.item()}

    def state(self):
        return {"embedder": self.embedder.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state(self, state):
        self.embedder.load_state_dict(state["embedder"])
        self.optimizer.load_state_dict(state["optimizer"])


def run(recipe, path, *, keep="last", scores=(0.1, 0.3, 0.3, 0.2), seconds=1e9):
    scores = iter(scores)
    known = {}

    def validate(model):
        # One score an epoch, the same one when an epoch is repeated.
        key = len(recipe.seen)
        known.setdefault(key, next(scores, 0.0))
        return {VALIDATION: known[key]}

    return train(
        recipe,
        validate,
        epochs=4,
        seed=1,
        keep=keep,
        checkpoint=Checkpoint(path, seconds),
        say=lambda _: None,
        log_steps=1,
    )


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("seconds", [0, 1e9])
@pytest.mark.parametrize("die_at", [(0, 3), (2, 0), (3, 4)])
def test_interrupted_and_resumed_equals_undisturbed(tmp_path, die_at, seconds):
    undisturbed = run(DropoutRecipe(), tmp_path / "a.pt", scores=[0.0] * 4)
    with pytest.raises(KeyboardInterrupt):
        run(DropoutRecipe(die_at), tmp_path / "b.pt", seconds=seconds, scores=[0.0] * 4)
    torch.rand(7)  # whatever the new process did before
    recipe = DropoutRecipe()
    resumed = run(recipe, tmp_path / "b.pt", scores=[0.0] * 4)
    assert same(resumed.weights, undisturbed.weights)
    assert resumed.history == undisturbed.history
    first = die_at if seconds == 0 else (die_at[0], 0)
    assert recipe.seen[0] == first, "it must go on where the checkpoint was"


def test_best_is_the_first_of_the_highest_and_last_is_the_last(tmp_path):
    best = run(DropoutRecipe(), tmp_path / "a.pt", keep="best")
    last = run(DropoutRecipe(), tmp_path / "b.pt", keep="last")
    assert (best.epoch, last.epoch) == (1, 3)
    assert not same(best.weights, last.weights)
    assert [row["epoch"] for row in last.history] == [1, 2, 3, 4]


def test_a_broken_loss_names_the_place(tmp_path):
    with pytest.raises(UserError, match=r"epoch 2, batch 3; lower finetune\.optim\.lr"):
        run(DropoutRecipe(bad_at=(1, 2)), tmp_path / "a.pt")


def test_checkpoint_survives_a_failed_save(tmp_path):
    checkpoint = Checkpoint(tmp_path / "a.pt", 0)
    assert checkpoint.load() is None
    checkpoint.save({"x": torch.ones(2)})
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save({"x": lambda: 0})
    assert torch.equal(checkpoint.load()["x"], torch.ones(2))
