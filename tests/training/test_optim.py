"""Optimisers by name, stepped by hand."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.params.finetune import OptimParams
from pipeline.training.optim import build_optimizer

SGD = {
    "name": "sgd",
    "lr": 0.1,
    "weight_decay": 0.0,
    "schedule": "step",
    "step_epochs": 1,
    "gamma": 1.0,
    "warmup_epochs": 0.0,
}


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, [0.1 * 1.9, 0.1 * (1 + 0.9 * 1.9)]),  # Nesterov, momentum 0.9: g + m v, with v = 1 and 1.9
        ({"momentum": 0.5, "nesterov": False}, [0.1, 0.1 * 1.5]),  # v
        ({"momentum": 0.0, "nesterov": False}, [0.1, 0.1]),
    ],
)
def test_momentum_of_sgd(changes, moved):
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = build_optimizer([parameter], OptimParams(**SGD | changes))
    places = [0.0]
    for _ in moved:
        parameter.grad = torch.ones(1)
        optimizer.step()
        places.append(-parameter.item())
    assert [b - a for a, b in pairwise(places)] == pytest.approx(moved)


def test_nesterov_without_momentum():
    with pytest.raises(UserError, match=r"^finetune.optim.nesterov: should be false with momentum 0, found True$"):
        parse_section(SGD | {"momentum": 0.0}, "finetune.optim", OptimParams)
    parse_section(SGD | {"momentum": 0.0, "name": "adam"}, "finetune.optim", OptimParams)
