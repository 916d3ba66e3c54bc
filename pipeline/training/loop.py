"""The training loop: epochs, checkpoints, resume, curves. It sees a recipe only through its common face."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm import tqdm

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.base.names import VALIDATION
from pipeline.base.progress import progress
from pipeline.base.seeds import mixed_seed
from pipeline.training.face import KEPT, Recipe
from pipeline.training.networks import load_state, set_up, state_of

Validate = Callable[[nn.Module], dict[str, float]]


@dataclass(frozen=True)
class Course:
    """How long a run is, what of it is kept, and in which words it is spoken of.

    keep: the weights after the last epoch, or those of the best: highest in the figure `watched`, first on ties, from
    epoch `first` on; place: says where (epoch, batch), both counted from 0, are; stage, rate: whose run it is, and the
    param to lower when the loss stops being finite; label: on the progress bar.
    """

    epochs: int
    seed: int
    keep: Literal["best", "last"]
    place: Callable[[int, int], str]
    stage: str
    rate: str
    label: str
    watched: str = VALIDATION
    first: int = 0


@dataclass(frozen=True)
class Trained:
    """Result of `train`: weights of the kept network, the epoch they are from (0-based), a row of figures an epoch."""

    weights: dict[str, Tensor]
    epoch: int
    history: list[dict[str, float]]


def train(
    recipe: Recipe,
    course: Course,
    fabric: Fabric,
    *,
    checkpoint: Checkpoint,
    say: Callable[[str], None],
    log_steps: int,
    validate: Validate | None = None,
) -> Trained:
    """Train for the epochs of `course`, going on from `checkpoint` where there is one.

    A run that was interrupted and resumed gives the same weights as an undisturbed one: batches depend only on
    (seed, epoch, index), random layers likewise, and the checkpoint holds everything else. With `validate` the figures
    of an epoch are said and saved at its end; without, a checkpoint is saved when it is due, and in the end. A recipe
    without optimisers gives its weights as they are, with an empty history.
    Raises UserError when the loss stops being finite, or the checkpoint is one of other facts.
    """
    if not recipe.optimizers:
        return Trained(_weights(recipe), 0, [])
    set_up(recipe, fabric)
    run = _Run(recipe)
    if (state := checkpoint.load()) is not None:
        load_state(recipe, state["recipe"], course.stage)
        vars(run).update(state["run"])
        say(f"resuming at {course.place(run.epoch, run.batch)}")
    sizes = [recipe.n_batches(epoch) for epoch in range(course.epochs)]
    done = sum(sizes[: run.epoch]) + run.batch
    with progress(what=course.label, total=sum(sizes), initial=done, unit="batch") as bar:
        while run.epoch < course.epochs:
            _train_epoch(run, course, checkpoint, log_steps, bar)
            row = {"epoch": run.epoch + 1, **run.mean_losses()}
            if validate is not None:
                row |= validate(recipe.networks[KEPT])
                figures = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name != "epoch")
                bar.clear()
                say(f"epoch {run.epoch + 1}/{course.epochs}  {figures}")
            run.end_epoch(row, course)
            if validate is not None or checkpoint.due() or run.epoch == course.epochs:
                checkpoint.save(run.state())
    if course.keep == "best":
        return Trained(run.best, run.best_epoch, run.history)
    return Trained(_weights(recipe), course.epochs - 1, run.history)


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

    def end_epoch(self, row: dict[str, float], course: Course) -> None:
        self.history.append(row)
        if course.keep == "best" and self.epoch >= course.first:
            best = self.history[self.best_epoch][course.watched]
            if self.best is None or row[course.watched] > best:
                self.best, self.best_epoch = _weights(self.recipe), self.epoch
        self.start_epoch(self.epoch + 1)

    def state(self) -> dict[str, Any]:
        own = {name: value for name, value in vars(self).items() if name != "recipe"}
        return {"run": own, "recipe": state_of(self.recipe)}


def _weights(recipe: Recipe) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in recipe.networks[KEPT].state_dict().items()}


def _train_epoch(run: _Run, course: Course, checkpoint: Checkpoint, log_steps: int, bar: tqdm) -> None:
    total = run.recipe.n_batches(run.epoch)
    for batch in run.recipe.batches(run.epoch, run.batch):
        # Dropout and the like depend on where the run stands, not on how it got there.
        torch.manual_seed(mixed_seed(course.seed, run.epoch, run.batch))
        losses = run.recipe.step(batch, run.epoch + run.batch / total)
        for name, value in losses.items():
            if not math.isfinite(value):
                place = course.place(run.epoch, run.batch)
                raise UserError(f"{course.stage}: the {name} became {value} at {place}; lower {course.rate}")
        run.add(losses)
        bar.update()
        if run.batch % log_steps == 0:
            bar.set_postfix({name: f"{value:.4f}" for name, value in run.mean_losses().items()})
        if checkpoint.due():
            checkpoint.save(run.state())
