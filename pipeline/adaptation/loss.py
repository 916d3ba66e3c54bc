"""The loss of the adaptation: batch-hard triplets among the pictures of a category."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.adaptation.pairs import Pairs
from pipeline.models.head import Head
from pipeline.training.face import Backward


class Rows(NamedTuple):
    """Pooled features (N, P), and the codes (N,) int64 of their domains."""

    pooled: Tensor
    domain: Tensor

    def embedded(self, head: Head, places: Tensor) -> Tensor:
        """Embeddings (n, D) of those at these places (n,)."""
        return head(self.pooled.index_select(0, places), self.domain.index_select(0, places))


def backward_step(head: Head, rows: Rows, pairs: Pairs, margin: float, backward: Backward = Tensor.backward) -> Tensor:
    """Sum over the categories of `pairs` of the triplet loss among the rows of its pairs; adds to the gradients.

    In a category, a picture that occurs several times is embedded once and counts as often. Forward
    and backward run category by category, so that what lies between them stays in the processor's cache. Without pairs
    the loss is 0: a step of the control may draw nothing but target-only categories.
    """
    total = torch.zeros((), device=rows.pooled.device)
    if not len(pairs.product):
        return total
    # One number for (category, product, row), so that the rows of a category are neighbours.
    shape = (int(pairs.category.max()) + 1, int(pairs.product.max()) + 1, len(rows.pooled))
    drawn = [np.ravel_multi_index((pairs.category, pairs.product, each), shape) for each in (pairs.first, pairs.second)]
    distinct, copies = np.unique(np.concatenate(drawn), return_counts=True)
    category, product, row = np.unravel_index(distinct, shape)
    sizes = np.unique(category, return_counts=True)[1].tolist()
    parts = (torch.from_numpy(part).to(rows.pooled.device).split(sizes) for part in (row, product, copies))
    for places, products, counts in zip(*parts, strict=True):
        once, place = places.unique(return_inverse=True)
        if len(once) == len(places):
            embeddings = rows.embedded(head, places)
        else:  # a picture linked to several products
            embeddings = rows.embedded(head, once).index_select(0, place)
        loss = triplet_loss(embeddings, products, counts, margin)
        backward(loss)
        total += loss.detach()
    return total


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
