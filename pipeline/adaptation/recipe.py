"""Retraining the head on features in memory, as a recipe of the training loop."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from pipeline.adaptation.loss import Rows, backward_step
from pipeline.adaptation.pairs import Pairs, PairSampler
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams
from pipeline.training.fabric import backward
from pipeline.training.face import KEPT
from pipeline.training.loop import Course
from pipeline.training.optim import build_optimizer, scale_lr
from pipeline.training.processes import share_of

# The curve has about this many points, whatever the number of steps.
CURVE_POINTS = 200


class AdaptationRecipe:
    """Trains `head` on `rows`; an epoch is what lies between two points of the curve.

    Several processes share out the categories of a step.
    """

    def __init__(self, head: Head, rows: Rows, sampler: PairSampler, params: AdaptParams, *, fabric: Fabric) -> None:
        self.head, self.rows, self.sampler, self.params, self.fabric = head, rows, sampler, params, fabric
        self.networks: dict[str, nn.Module] = {KEPT: head}
        self.optimizers: dict[str, Optimizer] = {"head": build_optimizer(head.parameters(), params.optim)}
        self.facts: dict[str, Any] = {}
        self.every = max(1, params.steps // CURVE_POINTS)

    def course(self, name: str, seed: int) -> Course:
        """The run of all steps, spoken of in steps."""
        return Course(
            epochs=-(-self.params.steps // self.every),
            seed=seed,
            keep="last",
            place=lambda epoch, batch: f"step {self.step_of(epoch, batch) + 1}",
            stage="adapt",
            rate="adapt.lr",
            label=f"adapt ({name})",
        )

    def step_of(self, epoch: int, batch: int) -> int:
        """The step, counted from 0, that a batch is for."""
        return min(epoch * self.every + batch, self.params.steps)

    def n_batches(self, epoch: int) -> int:
        """Steps of `epoch`; the last one may have fewer."""
        return self.step_of(epoch + 1, 0) - self.step_of(epoch, 0)

    def batches(self, epoch: int, first: int) -> Iterator[tuple[int, Pairs]]:
        """The number of each step and its pairs."""
        for step in range(self.step_of(epoch, first), self.step_of(epoch + 1, 0)):
            yield step, self.sampler.draw(step)

    def step(self, batch: tuple[int, Pairs], epoch: float) -> dict[str, float]:  # noqa: ARG002  it counts in steps
        """One optimiser step; reports the loss before it."""
        step, pairs = batch
        optimizer = self.optimizers["head"]
        scale_lr(optimizer, self.params.gamma ** (step // self.params.lr_steps))
        optimizer.zero_grad()
        loss = backward_step(self.head, self.rows, self._own(pairs), self.params.margin, self._backward)
        optimizer.step()
        return {"loss": self.fabric.all_reduce(loss, reduce_op="sum").item()}

    def _own(self, pairs: Pairs) -> Pairs:
        """Those of every so many-th category, for this process."""
        share = share_of(self.fabric)
        if share.count == 1:
            return pairs
        own = np.isin(pairs.category, np.unique(pairs.category)[share.rank :: share.count])
        return Pairs(**{name: values[own] for name, values in vars(pairs).items()})

    def _backward(self, loss: Tensor) -> None:
        # The mean of the processes' gradients is taken, and the losses of categories are summed.
        count = self.fabric.world_size
        backward(self.fabric, loss if count == 1 else loss * count)

    def curve(self, history: list[dict[str, float]]) -> list[dict[str, float]]:
        """Rows {step, loss: mean since the last row} from those of the loop."""
        return [{"step": self.step_of(row["epoch"], 0), "loss": row["loss"]} for row in history]
