"""Learning-rate factor over a training run."""

import math

from pipeline.params.finetune import OptimParams


def lr_factor(params: OptimParams, epoch: float, epochs: int) -> float:
    """What `lr` is multiplied with at `epoch` (fractional) of `epochs`.

    step: gamma^floor(epoch / step_epochs). multistep: gamma^(number of `milestones` reached). linear: from 1 to gamma
    in `step_epochs` equal falls, one an epoch. cosine: from 1 to 0. All rise linearly from 0 over `warmup_epochs`.
    """
    return lagging_factor(params, epoch, epochs, lag=0)


def lagging_factor(params: OptimParams, epoch: float, epochs: int, *, lag: int) -> float:
    """As `lr_factor`, with a schedule that counts epochs from `lag` on; the linear rise is at the very start."""
    rise = min(1.0, epoch / params.warmup_epochs) if params.warmup_epochs else 1.0
    return rise * decay(params, max(0.0, epoch - lag), max(1, epochs - lag))


def decay(params: OptimParams, epoch: float, epochs: int) -> float:
    """The schedule alone, without the rise."""
    match params.schedule:
        case "step":
            return params.gamma ** math.floor(epoch / params.step_epochs)
        case "multistep":
            return params.gamma ** sum(epoch >= milestone for milestone in params.milestones)
        case "linear":
            return 1.0 + (params.gamma - 1.0) * min(1.0, math.floor(epoch) / params.step_epochs)
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(epoch / epochs, 1.0)))
    raise AssertionError(params.schedule)
