"""Several processes that train as one: each embeds its share of a batch, all take the loss of the whole.

With gradients that run back through what was gathered, the mean over the processes of the gradients of any weight is
the gradient of the loss of the whole batch: for the embedder, which saw a share, and for proxies, classifiers and
other networks of the losses, which saw all. Hence all weights are treated alike, and stay the same everywhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, distributed
from torch.optim import Optimizer
from torch.overrides import TorchFunctionMode

from pipeline.base.seeds import mixed_seed
from pipeline.training.share import Share


def share_of(fabric: Fabric) -> Share:
    """That of this process."""
    return Share(fabric.global_rank, fabric.world_size)


def gather(rows: Tensor, n: int, fabric: Fabric) -> Tensor:
    """All `n` rows (n, D) of a batch, of which each process has its share `rows`, with gradients."""
    if fabric.world_size == 1:
        return rows
    sizes = share_of(fabric).sizes(n)
    padded = F.pad(rows, (0, 0, 0, max(sizes) - len(rows)))
    shares = _Gathered.apply(padded)
    return torch.cat([share[:size] for share, size in zip(shares, sizes, strict=True)])


def gather_lists(own: list, fabric: Fabric) -> list:
    """The lists of all processes behind one another; elements are on the CPU."""
    if fabric.world_size == 1:
        return own
    lists: list[list] = [[] for _ in range(fabric.world_size)]
    distributed.all_gather_object(lists, own)
    return [element for one in lists for element in one]


def average_gradients(optimizer: Optimizer, fabric: Fabric) -> None:
    """Before each step of `optimizer`, make its gradients those of all processes; see `mean_gradients`."""
    if fabric.world_size > 1:
        optimizer.register_step_pre_hook(lambda optimizer, *_: mean_gradients(optimizer, fabric))


def mean_gradients(optimizer: Optimizer, fabric: Fabric) -> None:
    """Make the gradients of the parameters of `optimizer` the mean of those of all processes.

    A parameter without gradient counts as zero, and stays without where no process has one.
    """
    if fabric.world_size == 1:
        return
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    given = torch.tensor([float(parameter.grad is not None) for parameter in parameters])
    gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
    flat = torch.cat([given.to(gradients[0].device), *(gradient.flatten() for gradient in gradients)])
    given, *means = fabric.all_reduce(flat, reduce_op="mean").split([len(given), *map(torch.numel, parameters)])
    for parameter, gradient, mean, is_given in zip(parameters, gradients, means, given.tolist(), strict=True):
        parameter.grad = gradient.copy_(mean.view(gradient.shape)) if is_given else None


@contextmanager
def on_shares(fabric: Fabric) -> Iterator[None]:
    """Within, networks see this process's share of a batch, as if they saw all of it.

    Batch norms take the statistics of the whole batch. Random layers draw for each process apart, and leave the
    generators as they were: what is drawn for the whole batch afterwards is the same everywhere.
    """
    if fabric.world_size == 1:
        yield
        return
    devices = [fabric.device] if fabric.device.type == "cuda" else []
    with torch.random.fork_rng(devices), _JointBatchNorms():
        torch.manual_seed(mixed_seed(torch.initial_seed(), fabric.global_rank))
        yield


class _Gathered(torch.autograd.Function):
    """A tensor (...) of each process as (processes, ...), with the gradients of all of them."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:  # noqa: ARG004  torch's face
        gathered = own.new_empty((distributed.get_world_size(), *own.shape))
        distributed.all_gather_into_tensor(gathered, own[None].contiguous())
        return gathered

    @staticmethod
    def backward(ctx: Any, gradients: Tensor) -> Tensor:  # noqa: ARG004  torch's face
        gradients = gradients.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(gradients)
        return gradients[distributed.get_rank()]


class _JointBatchNorms(TorchFunctionMode):
    """Whatever module calls it, a batch norm is taken over all processes; torch's own such module is for GPUs only."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        return _batch_norm(*args, **kwargs) if func is F.batch_norm else func(*args, **kwargs)


def _batch_norm(  # noqa: PLR0917  as torch's, which modules call
    rows: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training:
        return F.batch_norm(rows, running_mean, running_var, weight, bias, training, momentum, eps)
    values = rows.float()
    var, mean = torch.var_mean(values, [0, *range(2, rows.ndim)], correction=0)
    count = mean.new_full((1,), values.numel() // len(mean))
    moments = _Gathered.apply(torch.cat([mean, var, count]))
    means, variances, counts = moments.split([len(mean), len(mean), 1], dim=1)
    n = counts.sum()
    mean = (counts / n * means).sum(dim=0)
    var = (counts / n * (variances + (means - mean).square())).sum(dim=0)
    with torch.no_grad():
        if running_mean is not None:
            running_mean.lerp_(mean, momentum)
        if running_var is not None:
            running_var.lerp_(var * n / (n - 1), momentum)
    scale = (var + eps).rsqrt() if weight is None else weight * (var + eps).rsqrt()
    shape = [1, -1, *[1] * (rows.ndim - 2)]
    values = (values - mean.view(shape)) * scale.view(shape)
    return (values if bias is None else values + bias.view(shape)).to(rows.dtype)
