"""Retraining the head on features in memory."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pipeline.adaptation.loss import triplet_loss
from pipeline.adaptation.pairs import Pairs, PairSampler
from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.base.progress import progress
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams

# The curve has about this many points, whatever the number of steps.
CURVE_POINTS = 200


def backward_step(head: Head, pooled: Tensor, pairs: Pairs, margin: float) -> Tensor:
    """Sum over the categories of `pairs` of the triplet loss among the rows of its pairs; adds to the gradients.

    `pooled` (N, P). In a category, a picture that occurs several times is embedded once and counts as often. Forward
    and backward run category by category, so that what lies between them stays in the processor's cache. Without pairs
    the loss is 0: a step of the control may draw nothing but target-only categories.
    """
    total = torch.zeros((), device=pooled.device)
    if not len(pairs.product):
        return total
    # One number for (category, product, row), so that the rows of a category are neighbours.
    shape = (int(pairs.category.max()) + 1, int(pairs.product.max()) + 1, len(pooled))
    drawn = [np.ravel_multi_index((pairs.category, pairs.product, rows), shape) for rows in (pairs.first, pairs.second)]
    distinct, copies = np.unique(np.concatenate(drawn), return_counts=True)
    category, product, row = np.unravel_index(distinct, shape)
    sizes = np.unique(category, return_counts=True)[1].tolist()
    parts = (torch.from_numpy(part).to(pooled.device).split(sizes) for part in (row, product, copies))
    for rows, products, counts in zip(*parts, strict=True):
        once, place = rows.unique(return_inverse=True)
        if len(once) == len(rows):
            embeddings = head(pooled.index_select(0, rows))
        else:  # a picture linked to several products
            embeddings = head(pooled.index_select(0, once)).index_select(0, place)
        loss = triplet_loss(embeddings, products, counts, margin)
        loss.backward()
        total += loss.detach()
    return total


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
            optimizer.zero_grad()
            loss = backward_step(head, pooled, sampler.draw(step), params.margin)
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
