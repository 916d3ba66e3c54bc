"""The loss of the adaptation: batch-hard triplets among the pictures of a category."""

import torch
import torch.nn.functional as F
from torch import Tensor


def batch_hard(embeddings: Tensor, labels: Tensor, copies: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The farthest row of the same label and the nearest of another label, for each row.

    `embeddings` (R, D) of unit length, `labels` (R,) int64, `copies` (R,) int64: how often each row occurs; a row that
    occurs twice has itself as a positive. Returns indices positives (R,), negatives (R,), and (R,) bool: whether the
    row has both; where not, its indices mean nothing. The first of equal distances is taken.
    Hermans, Beyer, Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017, eq. 5.
    """
    similarities = embeddings @ embeddings.T
    same = labels[:, None] == labels[None, :]
    nearest, negatives = similarities.masked_fill(same, -torch.inf).max(dim=1)
    similarities.diagonal()[:] = torch.where(copies > 1, 1, torch.inf)
    farthest, positives = similarities.masked_fill_(~same, torch.inf).min(dim=1)
    return positives, negatives, farthest.isfinite() & nearest.isfinite()


def triplet_loss(embeddings: Tensor, labels: Tensor, copies: Tensor, margin: float) -> Tensor:
    """Mean of the positive terms max(0, d_ap - d_an + margin) over batch-hard triplets; 0 where there is none.

    `embeddings` (R, D) of unit length, `labels` (R,), `copies` (R,) as in `batch_hard`: a row counts so often. d is
    the Euclidean distance. Triplets are mined without gradient, then only the chosen distances are differentiated.
    """
    with torch.no_grad():
        positives, negatives, usable = batch_hard(embeddings, labels, copies)
    # index_select: on the CPU its gradient adds up in a fixed order, that of plain indexing does not once there are
    # many rows. On CUDA `be_deterministic` sees to it.
    to_positive, to_negative = (
        _distance(embeddings, embeddings.index_select(0, rows)) for rows in (positives, negatives)
    )
    terms = F.relu(to_positive - to_negative + margin)
    weights = copies * (usable & (terms > 0))
    return (weights * terms).sum() / weights.sum().clamp(min=1)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    # The floor keeps the gradient of the root finite for copies of one picture.
    return (a - b).pow(2).sum(dim=1).clamp(min=1e-16).sqrt()
