"""Steps of a softmax over many classes with derivatives of their own, in fewer passes over memory than autograd's.

With tens of thousands of classes these passes, not the products, take the time of a training step.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

SHORTEST = 1e-12  # as torch.nn.functional.normalize


def unit_rows(rows: Tensor) -> Tensor:
    """Rows (n, D) scaled to unit length, as torch.nn.functional.normalize does it."""
    return _UnitRows.apply(rows)


def nearest(cosines: Tensor) -> Tensor:
    """The largest of the last axis: (B, n, k) -> (B, n).

    Where two are equally large each has the whole gradient; in half precision, where many are, they share it.
    """
    return cosines.amax(dim=2) if cosines.dtype.itemsize < 4 else _Nearest.apply(cosines)


def softmax_loss(others: Tensor, own: Tensor, places: Tensor, scale: float | Tensor) -> Tensor:
    """Mean cross entropy of `scale` times logits (B, n). `scale` has no gradient.

    The logits are `others` (B, n), but for those of the own classes at `places` (B,) int64, which are `own` (B,).
    """
    return _SoftmaxLoss.apply(others, own, places, scale)


class _UnitRows(Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        inverse = torch.linalg.vector_norm(rows, dim=1, keepdim=True).clamp_min_(SHORTEST).reciprocal_()
        unit = rows * inverse
        ctx.save_for_backward(unit, inverse)
        return unit

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        unit, inverse = ctx.saved_tensors
        along = torch.einsum("nd,nd->n", grad, unit).unsqueeze(1)
        return torch.addcmul(grad, unit, along, value=-1).mul_(inverse)


class _Nearest(Function):
    @staticmethod
    def forward(ctx: Any, cosines: Tensor) -> Tensor:
        top = cosines.amax(dim=2)
        ctx.save_for_backward(cosines == top.unsqueeze(2))
        return top

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (is_top,) = ctx.saved_tensors
        return grad.unsqueeze(2) * is_top


class _SoftmaxLoss(Function):
    @staticmethod
    def forward(ctx: Any, others: Tensor, own: Tensor, places: Tensor, scale: float | Tensor) -> Tensor:
        at, own = places[:, None], (own * scale)[:, None]
        shares = (others * scale).scatter_(1, at, own)
        top = shares.amax(dim=1, keepdim=True)
        total = shares.sub_(top).exp_().sum(dim=1, keepdim=True)
        shares.div_(total)
        ctx.save_for_backward(shares, at)
        ctx.factor = scale / len(shares)
        return (total.log() + top - own).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        shares, at = ctx.saved_tensors
        factor = grad * ctx.factor
        of_own = (shares.gather(1, at) - 1) * factor
        return (shares * factor).scatter_(1, at, 0.0), of_own.squeeze(1), None, None
