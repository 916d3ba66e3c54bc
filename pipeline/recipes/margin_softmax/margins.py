"""Margins that depend on the angle alone, or on how many pictures a class has.

Those that pytorch-metric-learning has too (arcface, cosface, sphereface, normalized_softmax) give the same values;
here they take sub-centres and a part of the classes, need no mask of all classes, and have a gradient everywhere.
"""

import math

import numpy as np
import torch
from torch import Tensor

from pipeline.recipes.margin_softmax.centres import Batch, MarginSoftmax, WithMargin, added_angle, angle


class ArcFace(WithMargin):
    """cos(theta + m) for the own class; with several centres sub-centre ArcFace.

    Deng, Guo, Xue, Zafeiriou, "ArcFace", CVPR 2019, equation 3; beyond theta = pi - m, cos(theta) - m sin(m) goes on
    falling. `margin` in radians.
    """

    def target(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return added_angle(batch.own, torch.full_like(batch.own, self.margin))


class Clam(MarginSoftmax):
    """ArcFace with a margin a class: `margin_max` for the rarest, `margin_min` for the most frequent one.

    Class-distribution-aware additive angular margin (MDFE): the margin falls by half a cosine wave as the number of
    pictures rises. counts (C,): pictures of each class by label. Equal counts: all have `margin_max`.
    """

    def __init__(self, *args: int, counts: np.ndarray, margin_min: float, margin_max: float, **kwargs: float) -> None:
        super().__init__(*args, **kwargs)
        if counts.shape != (self.n_classes,):
            raise ValueError(f"counts of {counts.shape} classes, for {self.n_classes}")
        share = (counts - counts.min()) / max(1, counts.max() - counts.min())
        margins = margin_min + 0.5 * (margin_max - margin_min) * (1 + np.cos(np.pi * share))
        self.register_buffer("margins", torch.tensor(margins, dtype=self.weight.dtype))

    def target(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return added_angle(batch.own, self.margins[batch.labels])


class LiArcFace(WithMargin):
    """(pi - 2 (theta + m)) / pi for the own class, (pi - 2 theta) / pi for others; `margin` in radians.

    Li et al., "AirFace: lightweight and efficient model for face recognition", ICCVW 2019.
    """

    def target(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return 1 - (angle(batch.own) + self.margin) * (2 / math.pi)

    def others(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return 1 - angle(batch.cosines) * (2 / math.pi)


class CosFace(WithMargin):
    """cos(theta) - m for the own class. Wang et al., "CosFace", CVPR 2018, equation 4."""

    def target(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return batch.own - self.margin


class SphereFace(WithMargin):
    """(-1)^k cos(m theta) - 2 k for the own class, k = floor(m theta / pi); logits are times the embedding's length.

    Liu et al., "SphereFace", CVPR 2017, equation 7, with a scale beside. `margin` multiplies the angle, and is at
    least 1.
    """

    def target(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        turned = self.margin * angle(batch.own)
        k = (turned.detach() / math.pi).floor()
        return ((1 - 2 * (k % 2)) * turned.cos() - 2 * k) * batch.embeddings.norm(dim=1)

    def others(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return batch.cosines * batch.embeddings.norm(dim=1, keepdim=True)
