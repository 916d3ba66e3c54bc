"""Learning-rate factor over a training run."""

import math

from pipeline.params.finetune import OptimParams


def lr_factor(params: OptimParams, epoch: float, epochs: int) -> float:
    """What `lr` is multiplied with at `epoch` (fractional) of `epochs`.

    step: gamma^floor(epoch / step_epochs). cosine: from 1 to 0. Both rise linearly from 0 over `warmup_epochs`.
    """
    warmup = min(1.0, epoch / params.warmup_epochs) if params.warmup_epochs else 1.0
    if params.schedule == "step":
        return warmup * params.gamma ** math.floor(epoch / params.step_epochs)
    return warmup * 0.5 * (1 + math.cos(math.pi * min(epoch / epochs, 1.0)))
