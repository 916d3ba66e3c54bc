"""Average precision of ranked lists, where every query has its own idea of what is relevant.

It stands here, beside the metrics of evaluation, because training needs it, which may not import these.
"""

import torch
from torch import Tensor


def average_precisions(similar: Tensor, relevant: Tensor, ignored: Tensor | None = None) -> Tensor:
    """(Q,) float64: the mean over the relevant candidates of the precision at their rank, 0 where there is none.

    similar (Q, G); relevant (Q, G) bool; candidates in `ignored` (Q, G) bool are passed over as if they were not there.
    Of equally similar candidates the one with the larger index comes first.
    """
    kept = torch.ones_like(relevant) if ignored is None else ~ignored
    order = similar.shape[1] - 1 - similar.flip(1).argsort(dim=1, descending=True, stable=True)
    kept, relevant = kept.gather(1, order), (relevant & kept).gather(1, order)
    found, rank = relevant.cumsum(dim=1), kept.cumsum(dim=1)
    precision = (found.double() / rank.clamp(min=1)) * relevant
    return precision.sum(dim=1) / relevant.sum(dim=1).clamp(min=1)
