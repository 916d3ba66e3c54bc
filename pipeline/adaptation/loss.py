"""The loss of the adaptation: batch-hard triplets in each category, summed over categories."""

import torch
import torch.nn.functional as F
from torch import Tensor


def batch_hard(distances: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Anchor, positive and negative indices (T,): for each row its farthest same-label and nearest other-label row.

    `distances` (R, R), `labels` (R,). Rows that lack either are left out; the first of equal distances is taken.
    Hermans, Beyer, Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017, eq. 5.
    """
    same = labels[:, None] == labels[None, :]
    different = ~same
    own = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positives = same & ~own
    farthest = distances.masked_fill(~positives, -torch.inf).argmax(dim=1)
    nearest = distances.masked_fill(same, torch.inf).argmin(dim=1)
    anchors = (positives.any(dim=1) & different.any(dim=1)).nonzero().squeeze(1)
    return anchors, farthest[anchors], nearest[anchors]


def triplet_loss(embeddings: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Mean of the positive terms max(0, d_ap - d_an + margin) over batch-hard triplets; 0 where there is none.

    `embeddings` (R, D) of unit length, `labels` (R,); d is the Euclidean distance. Triplets are mined without
    gradient, then only the chosen distances are differentiated.
    """
    with torch.no_grad():
        anchors, positives, negatives = batch_hard(torch.cdist(embeddings, embeddings), labels)
    # index_select: its gradient adds up in a fixed order, that of plain indexing does not once there are many rows.
    anchor, positive, negative = (embeddings.index_select(0, rows) for rows in (anchors, positives, negatives))
    terms = F.relu(_distance(anchor, positive) - _distance(anchor, negative) + margin)
    active = terms > 0
    return terms.sum() / active.sum().clamp(min=1)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    # The floor keeps the gradient of the root finite for copies of one picture.
    return (a - b).pow(2).sum(dim=1).clamp(min=1e-16).sqrt()
