"""Class centres, and the cross entropy of the cosines between embeddings and them: what all margin losses share."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.recipes.margin_softmax.fused import nearest, softmax_loss, unit_rows

INSIDE = 1e-7  # the slope of acos is infinite at 1 and -1: an embedding on its centre would have a gradient of NaN


@dataclass(frozen=True)
class Batch:
    """What a margin may depend on.

    embeddings (B, D) of any length; labels (B,) int64; places (B,) int64 of those labels among the n classes compared;
    cosines (B, n) with the nearest centre of each, and those of the own classes, own (B,).
    """

    embeddings: Tensor
    labels: Tensor
    places: Tensor
    cosines: Tensor
    own: Tensor


class MarginSoftmax(nn.Module):
    """Mean cross entropy of scaled cosines, that of the own class made harder by a margin; without one: NormFace.

    Wang, Xiang, Cheng, Yuille, "NormFace", ACM MM 2017. The logit of class c is `scale` cos(theta_c), with theta_c the
    angle between the embedding and the nearest of the `centres` centres of c (Deng et al., "Sub-center ArcFace", ECCV
    2020, section 3.2). `weight` (C * centres, D) holds the centres of class c in rows c * centres, ...; it starts as
    Xavier's uniform, from torch's global generator. A loss with a margin gives `target` anew, `others` or `update`.
    Losses are of the type of `weight` and of the embeddings, float32 or float64.
    """

    def __init__(self, n_classes: int, width: int, *, centres: int = 1, scale: float = 30.0) -> None:
        super().__init__()
        self.n_classes, self.centres, self.scale = n_classes, centres, scale
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_classes * centres, width)))

    def forward(self, embeddings: Tensor, labels: Tensor, classes: Tensor | None = None) -> Tensor:
        """The scalar loss of embeddings (B, D) with labels (B,) int64; see `logits`."""
        batch = self._compared(embeddings, labels, classes)
        return softmax_loss(self.others(batch), self.target(batch), batch.places, self.scale)

    def logits(self, embeddings: Tensor, labels: Tensor, classes: Tensor | None = None) -> Tensor:
        """Logits (B, C), or (B, n) of `classes` (n,) int64 alone: ascending, all labels of the batch among them."""
        batch = self._compared(embeddings, labels, classes)
        return self.others(batch).scatter(1, batch.places[:, None], self.target(batch)[:, None]) * self.scale

    def cosines(self, embeddings: Tensor, classes: Tensor | None = None) -> Tensor:
        """Cosines (B, C) of embeddings (B, D) with the nearest centre of each class, or (B, n) of `classes` (n,).

        In float32 at least: half precision has no number between 1 - `INSIDE` and 1, where angles have no slope.
        """
        weight = self.weight
        if classes is not None:
            weight = weight.view(self.n_classes, -1).index_select(0, classes).view(-1, weight.shape[1])
        cosines = F.linear(F.normalize(embeddings, dim=1), unit_rows(weight))
        if self.centres > 1:
            cosines = nearest(cosines.view(len(embeddings), -1, self.centres))
        return cosines.to(torch.promote_types(cosines.dtype, torch.float32))

    def target(self, batch: Batch) -> Tensor:
        """Logits (B,) of the own classes before the scale."""
        return batch.own

    def others(self, batch: Batch) -> Tensor:
        """Logits (B, n) of the other classes before the scale; those of the own classes are not used."""
        return batch.cosines

    def update(self, batch: Batch) -> None:
        """Move what is kept from batch to batch, in training and without gradients, before logits are made."""

    def _compared(self, embeddings: Tensor, labels: Tensor, classes: Tensor | None) -> Batch:
        places = labels if classes is None else torch.searchsorted(classes, labels)
        cosines = self.cosines(embeddings, classes)
        batch = Batch(embeddings, labels, places, cosines, cosines.gather(1, places[:, None]).squeeze(1))
        if self.training:
            with torch.no_grad():
                self.update(batch)
        return batch


class WithMargin(MarginSoftmax):
    """One that has the same `margin` for all classes."""

    def __init__(self, *args: int, margin: float, **kwargs: float) -> None:
        super().__init__(*args, **kwargs)
        self.margin = margin


def angle(cosines: Tensor) -> Tensor:
    """Angles of cosines, with a finite slope at 1 and -1."""
    return cosines.clamp(INSIDE - 1, 1 - INSIDE).acos()


def added_angle(own: Tensor, margins: Tensor) -> Tensor:
    """cos(theta + m), or cos(theta) - m sin(m) where theta + m is beyond pi; cosines and margins (B,) in radians."""
    return torch.where(own > (math.pi - margins).cos(), (angle(own) + margins).cos(), own - margins * margins.sin())


def draw_classes(labels: Tensor, n_classes: int, wanted: int) -> Tensor:
    """The classes of a batch, and random others up to `wanted` in all: (n,) int64, ascending, on the CPU.

    An et al., "Partial FC", ICCVW 2021, section 3.2: a softmax over these alone trains as well as one over all. The
    draw is from torch's global generator of the CPU, whatever the device, so that all processes have the same.
    labels (B,) int64.
    """
    keys = torch.rand(n_classes, dtype=torch.float32)
    own = labels.cpu().unique()
    keys[own] = 2.0
    return keys.topk(min(n_classes, max(wanted, len(own)))).indices.sort().values
