"""Sharpness-aware steps against the numbers of MDFE's optimiser, and by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from support.golden import golden
from torch import nn

from pipeline.training.fabric import start_fabric
from pipeline.training.sam import climb, sam_step

MAKE = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


@pytest.mark.parametrize("name", MAKE)
def test_published_steps(name):
    arrays = {key: torch.from_numpy(array) for key, array in golden("sam_optimizer", "mdfe").items()}
    lr, weight_decay, rho = arrays["hp"].tolist()
    layer = nn.Linear(4, 2).double()
    layer.load_state_dict({"weight": arrays["w0"], "bias": arrays["b0"]})
    optimizer = MAKE[name](layer.parameters(), lr, weight_decay=weight_decay)
    passes = []

    def loss():
        passes.append([layer.weight.detach().clone(), layer.bias.detach().clone()])
        return F.mse_loss(layer(arrays["x"]), arrays["y"])

    for step in range(5):
        made = sam_step(
            optimizer, loss, rho=rho, fabric=start_fabric("cpu", "32-true"), backward=lambda one: one.backward()
        )
        expected = [arrays[f"sam_{name}_{key}"][step] for key in ("loss", "w", "b")]
        for found, wanted in zip([made.detach(), layer.weight, layer.bias], expected, strict=True):
            torch.testing.assert_close(found.detach(), wanted, atol=1e-9, rtol=0)
    for found, key in zip(passes[1], "wb", strict=True):
        torch.testing.assert_close(found, arrays[f"sam_{name}_{key}_perturbed0"], atol=1e-9, rtol=0)


def test_a_climb_by_hand():
    moved, still = nn.Parameter(torch.tensor([1.0, 1.0])), nn.Parameter(torch.ones(1))
    other = nn.Parameter(torch.zeros(1))
    moved.grad, other.grad = torch.tensor([2.0, 1.0]), torch.tensor([-2.0])
    optimizer = torch.optim.SGD([{"params": [moved, still]}, {"params": [other], "lr": 9.0}], 0.1)
    places = climb(optimizer, 0.3)
    assert moved.tolist() == pytest.approx([1.2, 1.1])
    assert other.tolist() == pytest.approx([-0.2])
    assert still.tolist() == [1.0]
    assert [place.tolist() for _, place in places] == [[1.0, 1.0], [0.0]]
    assert math.dist([*moved.tolist(), *other.tolist()], [1, 1, 0]) == pytest.approx(0.3)
