"""Retraining the head on features in memory."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pipeline.adaptation.head import Head
from pipeline.adaptation.loss import triplet_loss
from pipeline.adaptation.sampler import Pairs, PairSampler
from pipeline.errors import UserError
from pipeline.params.adapt import AdaptParams
from pipeline.progress import progress
from pipeline.training.checkpoint import Checkpoint

# The curve has about this many points, whatever the number of steps.
CURVE_POINTS = 200


def step_loss(head: Head, pooled: Tensor, pairs: Pairs, margin: float) -> Tensor:
    """Sum over the categories of `pairs` of the triplet loss among the rows of its pairs.

    `pooled` (N, P). A picture that occurs several times is embedded once and stands in several rows. Without pairs
    the loss is 0: a step of the control may draw nothing but target-only categories.
    """
    rows, inverse = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    embeddings = head(pooled[torch.from_numpy(rows).to(pooled.device)])
    places = torch.from_numpy(inverse.reshape(2, -1)).to(pooled.device)
    products = torch.from_numpy(pairs.product).to(pooled.device)
    losses = []
    for category in np.unique(pairs.category):
        mine = torch.from_numpy(np.flatnonzero(pairs.category == category)).to(pooled.device)
        own = embeddings.index_select(0, places[:, mine].flatten())
        losses.append(triplet_loss(own, products[mine].repeat(2), margin))
    return torch.stack(losses).sum() if losses else embeddings.sum()


def train_head(
    head: Head,
    pooled: Tensor,
    sampler: PairSampler,
    params: AdaptParams,
    *,
    name: str,
    checkpoint: Checkpoint,
    say: Callable[[str], None],
) -> list[dict[str, float]]:
    """Train `head` in place for `params.steps` steps; returns the curve as rows {step, loss: mean since the last row}.

    Goes on from `checkpoint` where there is one. Raises UserError when the loss is not finite.
    """
    optimizer = _optimizer(head, params)
    step, recent, curve = 0, [], []
    if (state := checkpoint.load()) is not None:
        head.load_state_dict(state["head"])
        optimizer.load_state_dict(state["optimizer"])
        step, recent, curve = state["step"], state["recent"], state["curve"]
        say(f"{name}: resuming at step {step + 1}")
    every = max(1, params.steps // CURVE_POINTS)
    with progress(what=f"adapt ({name})", total=params.steps, initial=step, unit="step") as bar:
        while step < params.steps:
            for group in optimizer.param_groups:
                group["lr"] = params.lr * params.gamma ** (step // params.lr_steps)
            loss = step_loss(head, pooled, sampler.draw(step), params.margin)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recent.append(loss.item())
            if not np.isfinite(recent[-1]):
                raise UserError(f"adapt: the loss became {recent[-1]} at step {step + 1}; lower adapt.lr")
            step += 1
            bar.update()
            if step % every == 0 or step == params.steps:
                curve.append({"step": step, "loss": float(np.mean(recent))})
                recent = []
            if checkpoint.due():
                checkpoint.save(_state(head, optimizer, step, recent, curve))
    checkpoint.save(_state(head, optimizer, step, recent, curve))
    return curve


def _optimizer(head: Head, params: AdaptParams) -> torch.optim.Optimizer:
    if params.optimizer == "sgd":
        return torch.optim.SGD(head.parameters(), params.lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    return torch.optim.Adam(head.parameters(), params.lr)


def _state(head: Head, optimizer: torch.optim.Optimizer, step: int, recent: list, curve: list) -> dict:
    return {
        "head": head.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "recent": recent,
        "curve": curve,
    }
