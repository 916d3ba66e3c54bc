"""Written-out derivatives against torch's own, and against finite differences."""

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

from pipeline.recipes.margin_softmax.fused import nearest, softmax_loss, unit_rows

PLACES = torch.tensor([2, 0, 4, 2])


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def both(ours, theirs, *inputs):
    """Values and gradients of two functions of the same inputs."""
    for function in (ours, theirs):
        value = function(*inputs)
        weights = torch.arange(1.0, value.numel() + 1, dtype=value.dtype).view(value.shape)
        yield value, torch.autograd.grad((weights * value).sum(), inputs)


@pytest.mark.parametrize(
    ("ours", "theirs", "inputs"),
    [
        (unit_rows, lambda rows: F.normalize(rows, dim=1), (drawn(5, 7),)),
        (nearest, lambda cosines: cosines.max(dim=2).values, (drawn(4, 5, 3),)),
        (
            lambda others, own: softmax_loss(others, own, PLACES, 30.0),
            lambda others, own: F.cross_entropy(others.scatter(1, PLACES[:, None], own[:, None]) * 30.0, PLACES),
            (drawn(4, 5), drawn(4, seed=1)),
        ),
    ],
)
def test_values_and_gradients_of_the_plain_functions(ours, theirs, inputs):
    (value, grads), (expected, expected_grads) = both(ours, theirs, *inputs)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(grads, expected_grads)
    assert gradcheck(ours, inputs)


def test_a_zero_row_stays_zero():
    rows = torch.zeros(2, 3, requires_grad=True)
    unit_rows(rows).sum().backward()
    assert rows.grad.isfinite().all()


def test_logits_as_large_as_float32_takes_them_sum_to_one():
    others = torch.tensor([[1.0, -1.0, 0.5]], requires_grad=True)
    own = torch.tensor([-1.0], requires_grad=True)
    loss = softmax_loss(others, own, torch.tensor([1]), 3e4)
    loss.backward()
    assert loss.item() == 6e4
    assert own.grad.item() == -3e4
    assert others.grad.tolist() == [[3e4, 0.0, 0.0]]
