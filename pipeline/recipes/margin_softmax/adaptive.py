"""Losses that adapt themselves: what they keep from batch to batch is part of their state, and saved with it.

Of several processes each sees the embeddings of the whole batch, so that all have the same state.
"""

import math

import torch
from torch import Tensor

from pipeline.recipes.margin_softmax.centres import Batch, MarginSoftmax, WithMargin, added_angle, angle

EPS = 1e-3  # of AdaFace
NORMS = (0.001, 100.0)  # between which AdaFace takes the lengths of embeddings
PULL = 0.01  # of a batch on CurricularFace's running cosine


class AdaCos(MarginSoftmax):
    """No margin, and a scale of its own; `scale` is not used.

    Zhang, Zhao, Qiao, Wang, Li, "AdaCos", CVPR 2019, section 4: sqrt(2) ln(C - 1) (fixed), or then ln B / cos(min(pi /
    4, median of the own angles)), with B the mean over the batch of the sum of exp(scale cos(theta)) of other classes
    (`dynamic`). Needs three classes, since ln(C - 1) is 0 with two.
    `compared`: how many classes a batch is compared with, C but for a partial softmax.
    """

    def __init__(self, *args: int, dynamic: bool, compared: int | None = None, **kwargs: int) -> None:
        super().__init__(*args, **kwargs)
        self.dynamic = dynamic
        del self.scale  # a plain number, which no checkpoint would have
        self.register_buffer("scale", torch.tensor(math.sqrt(2) * math.log((compared or self.n_classes) - 1)))

    def update(self, batch: Batch) -> None:
        """See `MarginSoftmax`."""
        if self.dynamic:
            others = (self.scale * batch.cosines).scatter_(1, batch.places[:, None], -math.inf)
            log_b = others.logsumexp(dim=(0, 1)) - math.log(len(batch.own))
            self.scale.copy_(log_b / angle(batch.own).median().clamp(max=math.pi / 4).cos())


class CurricularFace(WithMargin):
    """ArcFace, where other classes nearer than the own one with its margin count more, the more the training succeeds.

    Huang et al., "CurricularFace", CVPR 2020, section 3: cos(theta_c) (t + cos(theta_c)) for such a class, t a
    running mean of the cosine to the own class. `margin` in radians.
    """

    def __init__(self, *args: int, **kwargs: float) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("t", torch.zeros(()))

    def update(self, batch: Batch) -> None:
        """See `MarginSoftmax`."""
        self.t.lerp_(batch.own.mean(), PULL)

    def target(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return added_angle(batch.own, torch.full_like(batch.own, self.margin))

    def others(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        cosines, bound = batch.cosines, (angle(batch.own) + self.margin).cos()
        return torch.where(cosines > bound[:, None], cosines * (self.t + cosines), cosines)


class AdaFace(WithMargin):
    """A margin on the angle for short embeddings, on the cosine for long ones, which stand for clear pictures.

    Kim, Jain, Liu, "AdaFace", CVPR 2022, section 3: cos(theta - m u) - (m + m u), u = `h` times the
    embedding's length by running mean and deviation (weight of a batch: `momentum`), within -1 and 1.
    A batch of one has no deviation and leaves both as they are. `margin` in radians.
    """

    def __init__(self, *args: int, h: float, momentum: float, **kwargs: float) -> None:
        super().__init__(*args, **kwargs)
        self.h, self.momentum = h, momentum
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("std", torch.tensor(100.0))

    def update(self, batch: Batch) -> None:
        """See `MarginSoftmax`."""
        if len(batch.own) > 1:
            std, mean = torch.std_mean(_norms(batch.embeddings))
            self.mean.lerp_(mean, self.momentum)
            self.std.lerp_(std, self.momentum)

    def target(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        clear = self.h * (_norms(batch.embeddings) - self.mean) / (self.std + EPS)
        margins = self.margin * clear.clamp(-1, 1)
        theta = (_inside(batch.own).acos() - margins).clamp(EPS, math.pi - EPS)
        return theta.cos() - (self.margin + margins)

    def others(self, batch: Batch) -> Tensor:
        """See `MarginSoftmax`."""
        return _inside(batch.cosines)


def _norms(embeddings: Tensor) -> Tensor:
    return embeddings.detach().norm(dim=1).clamp(*NORMS)


def _inside(cosines: Tensor) -> Tensor:
    return cosines.clamp(EPS - 1, 1 - EPS)
