"""Sharpness-aware minimisation: steps by the gradient of a place uphill.

Foret, Kleiner, Mobahi, Neyshabur, "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR 2021,
algorithm 1.
"""

from collections.abc import Callable

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import Optimizer

from pipeline.training.face import Backward
from pipeline.training.processes import mean_gradients

EPS = 1e-12


def sam_step(
    optimizer: Optimizer, loss: Callable[[], Tensor], *, rho: float, fabric: Fabric, backward: Backward
) -> Tensor:
    """A step of `optimizer` by the gradient of `loss` at `rho` g / |g| from where its weights are; the loss there.

    g is the gradient at the weights, |g| its norm over all of them (equation 2). `loss` makes the scalar loss anew, and
    is called twice: what it moves, such as running statistics, moves twice.
    """
    optimizer.zero_grad()
    first = loss()
    backward(first)
    mean_gradients(optimizer, fabric)
    places = climb(optimizer, rho)
    optimizer.zero_grad()
    backward(loss())
    with torch.no_grad():
        for weight, place in places:
            weight.copy_(place)
    optimizer.step()
    return first


@torch.no_grad()
def climb(optimizer: Optimizer, rho: float) -> list[tuple[Tensor, Tensor]]:
    """Move the weights of `optimizer` by `rho` along their gradient; gives each weight that moved, and where it was."""
    weights = [one for group in optimizer.param_groups for one in group["params"] if one.grad is not None]
    norm = torch.stack([weight.grad.norm() for weight in weights]).norm()
    places = [(weight, weight.clone()) for weight in weights]
    for weight in weights:
        weight.add_(weight.grad * (rho / (norm + EPS)))
    return places
