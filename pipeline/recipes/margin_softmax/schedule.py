"""The published schedule: a rise times a fall, both by batches, that ends at a share of the rate."""

import math

from pipeline.params.finetune import OptimParams
from pipeline.recipes.margin_softmax.params import Params
from pipeline.training.schedule import decay


def batch_factor(optim: OptimParams, params: Params, epoch: float, epochs: int, n_batches: int) -> float:
    """What `optim.lr` is multiplied with in the batch at `epoch` (fractional) of `epochs`, of `n_batches` batches each.

    The rise is over W = warmup_epochs * n_batches batches, in batch i = 0, 1, ... min(1, (i + 1) / W), or exponential,
    1 - exp(-(i + 1) / W). The fall is the schedule of `optim` from 1 to `final_share` (min_lr / lr of MDFE) instead of
    0, and may move once an epoch alone.
    """
    fall = decay(optim, math.floor(epoch) if params.schedule_step == "epoch" else epoch, epochs)
    fall = params.final_share + (1 - params.final_share) * fall
    if not optim.warmup_epochs:
        return fall
    risen = (epoch + 1 / n_batches) / optim.warmup_epochs
    return fall * (min(1.0, risen) if params.warmup == "linear" else -math.expm1(-risen))
