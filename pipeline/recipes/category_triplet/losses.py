"""Cross entropy of categories, and a triplet margin loss beside it."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

Distance = Literal["euclidean", "cosine"]
EPS = 1e-6  # added to the differences under the Euclidean distance


def weighted_losses(
    logits: Tensor, labels: Tensor, triplets: Tensor | None, *, weight: float, margin: float, distance: Distance
) -> dict[str, Tensor]:
    """`loss` = `classification_loss` + `weight` x `triplet_loss`, scalars; the last is absent without `triplets`.

    logits (B, C) and labels (B,) int64; `triplets` (3T, D): anchors, then positives, then negatives.
    """
    classification = F.cross_entropy(logits, labels)
    if triplets is None:
        return {"loss": classification, "classification_loss": classification}
    triplet = triplet_loss(*triplets.chunk(3), margin=margin, distance=distance)
    return {
        "loss": classification + weight * triplet,
        "classification_loss": classification,
        "triplet_loss": triplet,
    }


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float, distance: Distance) -> Tensor:
    """Mean over the rows of three (T, D) of max(0, margin + d(anchor, positive) - d(anchor, negative)).

    d is the Euclidean norm of the difference plus EPS, or 1 - cosine.
    """
    if distance == "cosine":
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=cosine_distance, margin=margin
        )
    return F.triplet_margin_loss(anchor, positive, negative, margin=margin, eps=EPS)


def cosine_distance(one: Tensor, other: Tensor) -> Tensor:
    """1 - cosine of the rows of two (T, D): (T,)."""
    return 1 - F.cosine_similarity(one, other, dim=1)
