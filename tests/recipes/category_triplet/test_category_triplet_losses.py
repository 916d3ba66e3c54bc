"""The two losses against numbers of deep-fashion-retrieval, and their sum."""

import pytest
import torch
from support.golden import golden

from pipeline.recipes.category_triplet.losses import triplet_loss, weighted_losses

KINDS = {"euclidean": "l2", "cosine": "cos"}


@pytest.fixture
def case():
    return {name: torch.from_numpy(array) for name, array in golden("losses", "deep_fashion_retrieval").items()}


@pytest.mark.parametrize("distance", KINDS)
def test_published_triplet_loss_and_gradient(case, distance):
    anchor = case["anchor"].requires_grad_()
    loss = triplet_loss(anchor, case["positive"], case["negative"], margin=1.0, distance=distance)
    loss.backward()
    assert loss.item() == pytest.approx(case[f"triplet_{KINDS[distance]}"].item(), abs=1e-5)
    torch.testing.assert_close(anchor.grad, case[f"grad_anchor_{KINDS[distance]}"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("distance", KINDS)
def test_published_total(case, distance):
    rows = torch.cat([case["anchor"], case["positive"], case["negative"]])
    losses = weighted_losses(case["logits"], case["target"], rows, weight=2.0, margin=1.0, distance=distance)
    assert losses["classification_loss"].item() == pytest.approx(case["cross_entropy"].item(), abs=1e-5)
    assert losses["triplet_loss"].item() == pytest.approx(case[f"triplet_{KINDS[distance]}"].item(), abs=1e-5)
    assert losses["loss"].item() == pytest.approx(case[f"total_{KINDS[distance]}"].item(), abs=1e-5)


# The second triplet keeps more than the margin.
@pytest.mark.parametrize(
    ("distance", "expected"), [("euclidean", (0.5 + 5 - 2) / 2), ("cosine", (0.5 - 6 / 52**0.5 + 3 / 13**0.5) / 2)]
)
def test_by_hand(distance, expected):
    anchor = torch.tensor([[3.0, 0.0], [1.0, 0.0]])
    positive, negative = torch.tensor([[6.0, 4.0], [1.0, 0.0]]), torch.tensor([[3.0, 2.0], [-9.0, 0.0]])
    found = triplet_loss(anchor, positive, negative, margin=0.5, distance=distance)
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_without_triplets_there_is_only_the_cross_entropy():
    logits, labels = torch.zeros(3, 4), torch.tensor([0, 1, 3])
    losses = weighted_losses(logits, labels, None, weight=2.0, margin=1.0, distance="euclidean")
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(
        dict.fromkeys(["loss", "classification_loss"], torch.tensor(4.0).log().item())
    )
