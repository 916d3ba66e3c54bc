"""GeM and the embedding head against the reference's vectors."""

import numpy as np
import pytest
import torch
from support.golden import golden

from pipeline.models.backbones import Backbone
from pipeline.models.embedder import Embedder
from pipeline.models.head import Head
from pipeline.models.pooling import GeM, GlobalAverage, GlobalMax, build_pooling, gem

VECTORS = golden("gem_head")
X = torch.from_numpy(VECTORS["x"])


def close(actual: torch.Tensor, expected: np.ndarray, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    np.testing.assert_allclose(actual.detach().numpy(), expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize("index", range(len(VECTORS["p"])))
def test_gem_and_its_trainable_form(index):
    p = float(VECTORS["p"][index])
    close(gem(X, p), VECTORS["gem"][index])
    close(GeM(p)(X), VECTORS["gem_p"][index])


def test_gem_gradients():
    x = X.clone().requires_grad_()
    pooling = GeM(3.0)
    (torch.from_numpy(VECTORS["grad_weight"]) * pooling(x)).sum().backward()
    close(x.grad, VECTORS["grad_x_at3"], rtol=1e-4)
    close(pooling.p.grad.squeeze(), VECTORS["grad_p_at3"].squeeze())


def test_an_all_negative_channel_pools_to_the_floor():
    # Powers of 1e-6 in float32 carry rounding of about 1e-5.
    assert gem(torch.full((1, 1, 2, 2), -5.0), 3.0).item() == pytest.approx(1e-6, rel=1e-4)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(
    "p",
    [
        name.split("_")[1][1:]
        for name in VECTORS
        if name.startswith("out_p") and "norm0_X" in name and name.endswith("_X")
    ],
)
def test_head_on_pooled_features(p, norm):
    pooling = GeM(float(p))
    backbone = Backbone(torch.nn.Identity(), X.shape[1])
    model = Embedder(backbone, pooling, Head(X.shape[1], 20, norm_features=norm))
    model.load_state_dict(
        {
            "pooling.p": pooling.p,
            "head.weight": torch.from_numpy(VECTORS["W"]),
            "head.bias": torch.from_numpy(VECTORS["b"]),
        }
    )
    close(model(X), VECTORS[f"out_p{p}_norm{int(norm)}_X"])
    close(model(X[:1]), VECTORS[f"out_p{p}_norm{int(norm)}_X"][:1])  # a batch of one keeps its axis


def test_average_and_maximum():
    assert torch.equal(GlobalAverage()(X), X.flatten(2).mean(2))
    assert torch.equal(GlobalMax()(X), X.flatten(2).max(2).values)
    assert isinstance(build_pooling("avg", 3.0), GlobalAverage)
