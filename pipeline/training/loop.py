"""The training loop: epochs, checkpoints, resume, curves. It sees a recipe only through its common face."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.base.names import VALIDATION
from pipeline.base.progress import progress
from pipeline.base.seeds import mixed_seed
from pipeline.training.recipe import Recipe

Validate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class Trained:
    """Result of `train`: the kept weights, the epoch they are from (0-based), and a row of figures an epoch."""

    weights: dict[str, Tensor]
    epoch: int
    history: list[dict[str, float]]


def train(
    recipe: Recipe,
    validate: Validate,
    *,
    epochs: int,
    seed: int,
    keep: Literal["best", "last"],
    checkpoint: Checkpoint,
    say: Callable[[str], None],
    log_steps: int,
) -> Trained:
    """Train for `epochs` epochs, going on from `checkpoint` where there is one.

    A run that was interrupted and resumed gives the same weights as an undisturbed one: batches depend only on
    (seed, epoch, index), random layers likewise, and the checkpoint holds everything else. `keep` best: highest
    `val_recall@1`, first on ties.
    Raises UserError when the loss stops being finite.
    """
    run = _Run(recipe)
    if (state := checkpoint.load()) is not None:
        run.load_state(state)
        say(f"resuming at epoch {run.epoch + 1}, batch {run.batch + 1}")
    while run.epoch < epochs:
        _train_epoch(run, epochs, seed, checkpoint, log_steps)
        row = {"epoch": run.epoch + 1, **run.mean_losses(), **validate(recipe.embedder)}
        run.history.append(row)
        figures = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "epoch")
        say(f"epoch {run.epoch + 1}/{epochs}  {figures}")
        if keep == "last" or run.best is None or row[VALIDATION] > run.history[run.best_epoch][VALIDATION]:
            run.best_epoch = run.epoch
            run.best = {name: tensor.detach().cpu().clone() for name, tensor in recipe.embedder.state_dict().items()}
        run.start_epoch(run.epoch + 1)
        checkpoint.save(run.state())
    return Trained(run.best, run.best_epoch, run.history)


class _Run:
    """Where a run stands; `batch` batches of `epoch` are done and their losses summed."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Tensor] | None = None
        self.best_epoch = 0
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        self.epoch, self.batch, self.sums = epoch, 0, {}

    def add(self, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.batch += 1

    def mean_losses(self) -> dict[str, float]:
        return {name: total / self.batch for name, total in self.sums.items()}

    def state(self) -> dict[str, Any]:
        own = {name: value for name, value in vars(self).items() if name != "recipe"}
        return {"run": own, "recipe": self.recipe.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        vars(self).update(state["run"])
        self.recipe.load_state(state["recipe"])


def _train_epoch(run: _Run, epochs: int, seed: int, checkpoint: Checkpoint, log_steps: int) -> None:
    total = run.recipe.n_batches(run.epoch)
    with progress(what=f"epoch {run.epoch + 1}/{epochs}", total=total, initial=run.batch, unit="batch") as bar:
        for batch in run.recipe.batches(run.epoch, run.batch):
            # Dropout and the like depend on where the run stands, not on how it got there.
            torch.manual_seed(mixed_seed(seed, run.epoch, run.batch))
            losses = run.recipe.step(batch, run.epoch + run.batch / total)
            if not all(math.isfinite(value) for value in losses.values()):
                raise UserError(
                    f"finetune: the loss became {losses} in epoch {run.epoch + 1}, batch {run.batch + 1}; "
                    "lower finetune.optim.lr"
                )
            run.add(losses)
            bar.update()
            if run.batch % log_steps == 0:
                bar.set_postfix({name: f"{value:.4f}" for name, value in run.mean_losses().items()})
            if checkpoint.due():
                checkpoint.save(run.state())
