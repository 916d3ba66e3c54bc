"""The losses of RPF and of ASEN++, on embeddings that need not be of unit length.

Rows are 3B everywhere: B anchors, B positives, B negatives. Whatever precision the rows come in, the losses are float32
(float64 of float64), and scalars.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.recipes.rpf.params import WeightParams

EPS = 1e-8  # what the lengths of two vectors are at least, multiplied, in their cosine


def cosine_triplet(rows: Tensor, *, margin: float) -> Tensor:
    """Mean over the triplets of max(0, margin - cos(anchor, positive) + cos(anchor, negative)); rows (3B, D)."""
    anchor, positive, negative = _precise(rows).chunk(3)
    near, far = (F.cosine_similarity(anchor, other, dim=1, eps=EPS) for other in (positive, negative))
    return F.relu(margin - near + far).mean()


def einfonce(
    region: Tensor,
    patch: Tensor,
    background: Tensor,
    labels: Tensor,
    attributes: Tensor,
    *,
    temperature: float,
    alpha: float,
) -> Tensor:
    """RPF's foreground-background loss between the branches, "E-InfoNCE".

    With unit rows r, p, b of three (N, D), of rows of one label P(i), and of rows of one attribute A(i), each with i:
    mean over i of log(sum_j exp(r_i p_j / T) + alpha sum_{k in A(i)} exp(r_i b_k / T)) - log sum_{j in P(i)} exp(r_i
    p_j / T), with j over all rows. labels (N,) int64: codes of (attribute, value); attributes (N,) int64.
    """
    region, patch, background = (F.normalize(_precise(rows), dim=1) for rows in (region, patch, background))
    near = region @ patch.T / temperature
    everything = near.logsumexp(dim=1)
    if alpha:
        behind = _among(region @ background.T / temperature, attributes).logsumexp(dim=1)
        everything = torch.logaddexp(everything, behind + math.log(alpha))
    return (everything - _among(near, labels).logsumexp(dim=1)).mean()


def alignment(region: Tensor, patch: Tensor) -> Tensor:
    """ASEN++'s loss between the branches: sum over the three roles of the mean of 1 - cos, each at least 0."""
    away = 1 - F.cosine_similarity(_precise(region), _precise(patch), dim=1, eps=EPS)
    return torch.stack([role.mean() for role in F.relu(away).chunk(3)]).sum()


def weighted(region: Tensor, patch: Tensor, between: Tensor, weights: WeightParams) -> dict[str, Tensor]:
    """`loss`, the weighted sum of the three others, which stand beside it without their weights."""
    loss = weights.region * region + weights.patch * patch + weights.between * between
    return {"loss": loss, "region_loss": region, "patch_loss": patch, "between_loss": between}


def _among(similar: Tensor, labels: Tensor) -> Tensor:
    """`similar` (N, N), with minus infinity where the labels (N,) of the two rows differ."""
    return similar.masked_fill(labels[:, None] != labels, -torch.inf)


def _precise(rows: Tensor) -> Tensor:
    return rows if rows.dtype == torch.float64 else rows.float()
