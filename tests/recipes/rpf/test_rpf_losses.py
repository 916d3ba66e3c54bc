"""The losses against numbers of the published implementations, with their gradients, in both precisions."""

import pytest
import torch
from support.golden import golden

from pipeline.recipes.rpf.losses import alignment, cosine_triplet, einfonce, weighted
from pipeline.recipes.rpf.params import WeightParams

DTYPES = {
    torch.float64: ({"atol": 1e-9, "rtol": 0},) * 2,
    torch.float32: ({"atol": 2e-6, "rtol": 1e-5}, {"atol": 2e-5, "rtol": 1e-3}),
}
ROLES = ("anchor", "positive", "negative")


def weights_of(case):
    region, patch, between = case["weights"].tolist()
    return WeightParams(region=region, patch=patch, between=between)


def read(name, dtype):
    made = {name: torch.as_tensor(array) for name, array in golden(name, "rpf").items()}
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in made.items()}


def check(loss, inputs, expected, gradients, dtype):
    for_loss, for_gradients = DTYPES[dtype]
    assert loss.dtype == dtype
    torch.testing.assert_close(loss, expected, **for_loss)
    for found, wanted in zip(torch.autograd.grad(loss, inputs), gradients, strict=True):
        torch.testing.assert_close(found, wanted, **for_gradients)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [0, 1])
def test_published_triplet_loss(number, dtype):
    case = read("loss_triplet", dtype)
    rows = torch.cat([case[f"case{number}_{role}"] for role in ROLES]).requires_grad_()
    loss = cosine_triplet(rows, margin=case[f"case{number}_margin"].item())
    gradient = torch.cat([case[f"case{number}_grad_{role}"] for role in ROLES])
    check(loss, [rows], case[f"case{number}_loss"], [gradient], dtype)


def labels_of(case, prefix=""):
    attribute, value = case[f"{prefix}attr"], case[f"{prefix}value"]
    return attribute * (value.max() + 1) + value, attribute


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", range(3))
def test_published_einfonce(number, dtype):
    case = read("loss_einfonce", dtype)
    assert case["n_case"] == 3
    prefix = f"case{number}_"
    rows = [case[prefix + name].requires_grad_() for name in ("region", "patch", "background")]
    labels, attributes = labels_of(case, prefix)
    for codes, mask in ((labels, "same_value_mask"), (attributes, "same_attr_mask")):
        assert torch.equal(codes[:, None] == codes, case[prefix + mask].bool())
    temperature, alpha = case[f"{prefix}temperature"].item(), case[f"{prefix}alpha"].item()
    loss = einfonce(*rows, labels, attributes, temperature=temperature, alpha=alpha)
    if not alpha:
        loss = loss + 0 * rows[2].sum()
    gradients = [case[f"{prefix}grad_{name}"] for name in ("region", "patch", "background")]
    check(loss, rows, case[f"{prefix}loss"], gradients, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_published_total_of_stage_2(dtype):
    case = read("loss_stage2_total", dtype)
    rows = region, patch, _ = [case[name].requires_grad_() for name in ("region", "patch", "background")]
    losses = weighted(
        cosine_triplet(region, margin=case["margin"].item()),
        cosine_triplet(patch, margin=case["margin"].item()),
        einfonce(*rows, *labels_of(case), temperature=case["temperature"].item(), alpha=case["alpha"].item()),
        weights_of(case),
    )
    parts = torch.stack([losses["region_loss"], losses["patch_loss"], losses["between_loss"]]) * case["weights"]
    torch.testing.assert_close(parts, case["losses"][1:], **DTYPES[dtype][0])
    gradients = [case[f"grad_{name}"] for name in ("region", "patch", "background")]
    check(losses["loss"], rows, case["losses"][0], gradients, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_published_losses_of_asenpp(dtype):
    case = read("asenpp_losses", dtype)
    whole, part = (case[name].flatten(0, 1).requires_grad_() for name in ("global_emb", "local_emb"))
    margin = case["margin"].item()
    triplets = cosine_triplet(whole, margin=margin), cosine_triplet(part, margin=margin)
    losses = weighted(*triplets, alignment(whole, part), weights_of(case))
    torch.testing.assert_close(torch.stack(list(losses.values())), case["losses"], **DTYPES[dtype][0])
    gradients = [case[name].flatten(0, 1) for name in ("grad_global", "grad_local")]
    check(losses["loss"], [whole, part], case["losses"][0], gradients, dtype)


def test_half_precision_rows_make_float32_losses_without_overflow():
    rows = torch.ones(3, 4, dtype=torch.float16)  # exp(1 / 0.01) is beyond float32
    labels = torch.tensor([0, 0, 1])
    loss = einfonce(rows, rows, -rows, labels, torch.zeros(3).long(), temperature=0.01, alpha=12.0)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(torch.tensor([1.5, 1.5, 3.0]).log().mean().item(), abs=1e-5)
    assert cosine_triplet(rows, margin=0.25).item() == pytest.approx(0.25)
    assert alignment(rows, -rows).item() == pytest.approx(6.0)


def test_a_batch_of_one_triplet():
    rows = torch.eye(3)
    labels, attributes = torch.tensor([0, 0, 1]), torch.tensor([0, 0, 0])
    assert cosine_triplet(rows, margin=0.2).item() == pytest.approx(0.2)
    assert einfonce(rows, rows, rows, labels, attributes, temperature=1.0, alpha=1.0).isfinite()
