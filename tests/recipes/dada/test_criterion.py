"""The losses of both sides against the published implementation; and what the sound switches change."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import ProxyAnchorLoss
from support.dada_published import build, close, draws, params_of, place, record, tensor
from support.golden import golden

from pipeline.recipes.dada.criterion import Criterion, discrepancy
from pipeline.recipes.dada.mixing import Individual, Linear, Rows, draw_shares, same_class_pairs
from pipeline.recipes.dada.proxy_loss import proxy_loss

CASES = ("cars", "cub", "mix_individual", "mix_linear", "nca_shift", "nodropout_nobn_l1", "sop", "unnormalised")


@pytest.fixture(params=CASES)
def case(request):
    return golden(f"criterion_{request.param}", "dada")


@pytest.fixture(params=[(torch.float64, 1e-9), (torch.float32, 2e-3)], ids=["double", "single"])
def precision(request):
    """A type, and the tolerance of the files for it."""
    return request.param


def evaluation(arrays, side, dtype=torch.float64):
    """Criterion, embeddings, labels and draws of one evaluation."""
    criterion = build(arrays, dtype)
    record(criterion, arrays, side)
    recorded = [
        arrays.get(f"{side}_draw_{name}", np.zeros(())).item() for name in ("classmix_batch", "mix_uni", "mix_cls")
    ]
    embeddings = tensor(arrays["embeddings"]).to(dtype).requires_grad_(side == "G")
    return criterion, embeddings, torch.from_numpy(arrays["labels"]), draws(*recorded, dtype)


def mixed_of(criterion, embeddings):
    """What mixtures are made of, by the names of the files."""
    made = {"embeddings": embeddings, "proxies": criterion.proxies}
    return made | dict(zip(["mix_w"], criterion.mixture.parameters(), strict=False))  # a random one has no weight


def close_gradient(loss, weight, expected, tolerance):
    """Files have no gradient where there is none."""
    (grad,) = torch.autograd.grad(loss, weight, retain_graph=True, allow_unused=True)
    assert (grad is None) == (expected is None)
    if expected is not None:
        close(grad, expected, tolerance)


def test_pairs_of_a_class(case):
    first, second = same_class_pairs(torch.from_numpy(case["labels"]))
    assert first.tolist() == case["pos_pair_a"].tolist()
    assert second.tolist() == case["pos_pair_p"].tolist()


def test_discriminator_loss_and_gradients(case, precision):
    dtype, tolerance = precision
    criterion, embeddings, labels, shares = evaluation(case, "D", dtype)
    loss = criterion.discriminator_loss(embeddings, labels, shares)
    close(loss, case["D_total"], tolerance)
    close(loss - case["D_u_loss_weighted"].item(), case["D_c_loss_weighted"], tolerance)
    loss.backward()
    parameters = dict(criterion.named_parameters())
    for name, expected in case.items():
        if name.startswith("D_grad_"):
            stem = name.removeprefix("D_grad_")
            grad = parameters["mixture.weight" if stem == "mix_w" else place(stem)].grad
            if np.abs(expected).max() > 1e-12:
                close(grad, expected, tolerance)
            else:  # a bias before a batch norm has no gradient but rounding
                assert grad.abs().max() < 1e-6


@pytest.mark.parametrize("side", ["D", "G"])
def test_terms(case, side, precision):
    dtype, tolerance = precision
    criterion, embeddings, labels, shares = evaluation(case, side, dtype)
    rows = criterion.rows(embeddings, labels, shares)
    if f"{side}_ext_labels" in case:
        assert rows.labels.tolist() == case[f"{side}_ext_labels"].tolist()
    close(criterion.mixed(rows, shares.domain), case[f"{side}_mix_uni"], tolerance)
    close(criterion.mixed(rows, shares.classes), case[f"{side}_mix_cls"], tolerance)
    terms = criterion.terms(rows, shares)
    expected = np.array([case[f"{side}_ce_uni_{name}"] for name in ("sample", "mix", "proxy")])
    close(terms.domain, expected, tolerance)
    close(terms.classes, case[f"{side}_ce_cls"], tolerance)
    close(terms.discrepancy, case[f"{side}_discrepancy_raw"], tolerance)
    domain = (1 - criterion.params.class_share) * terms.domain.sum()
    close(domain, case[f"{side}_u_loss_weighted"], tolerance)
    if side == "G":
        for name, weight in mixed_of(criterion, embeddings).items():
            close_gradient(terms.discrepancy, weight, case.get(f"G_grad_discrepancy_raw_wrt_{name}"), tolerance)


def test_generator_losses_and_gradients(case, precision):
    dtype, tolerance = precision
    criterion, embeddings, labels, shares = evaluation(case, "G", dtype)
    losses, params = criterion.generator_losses(embeddings, labels, shares), criterion.params
    domain = (1 - params.class_share) * losses["domain_loss"]
    adversarial = (losses["loss"] - params.proxies.weight * losses["proxy_loss"]) / params.adversarial_weight
    close(losses["loss"], case["G_total"], tolerance)
    close(losses["proxy_loss"], case["G_proxy_loss"], tolerance)
    close(domain, case["G_u_loss_weighted"], tolerance)
    close(adversarial, case["G_adv_loss"], tolerance)
    close(adversarial + domain, case["G_c_loss_weighted"], tolerance)
    rows = criterion.rows(embeddings, labels, shares)
    for term, name in zip(proxy_loss(rows, criterion.proxies, params.proxies), ("pos", "neg"), strict=True):
        close(term, case[f"G_{name}_term"], tolerance)
    parts = {"total": losses["loss"], "proxy_loss": losses["proxy_loss"], "adv_loss": adversarial}
    for part, loss in parts.items():
        for name, weight in mixed_of(criterion, embeddings).items():
            close_gradient(loss, weight, case.get(f"G_grad_{part}_wrt_{name}"), tolerance)


@pytest.mark.parametrize("kind", ["nuclear", "l1"])
def test_a_run_that_diverged_has_a_loss_of_nan(kind):
    good, bad = torch.rand(3, 5), torch.full((3, 5), torch.nan)
    assert discrepancy(good, bad, kind).isnan()
    assert discrepancy(bad, good, kind).isnan()
    assert discrepancy(good, good, kind) == 0


def test_equal_scales_and_rows_are_proxy_anchor():
    params = params_of(golden("criterion_cars", "dada")).proxies
    torch.manual_seed(0)
    labels = torch.tensor([0, 0, 2, 2, 5, 5])
    samples, proxies = torch.randn(6, 8), torch.randn(7, 8)
    anchor = ProxyAnchorLoss(num_classes=7, embedding_size=8, margin=0.1, alpha=32)
    with torch.no_grad():
        anchor.proxies.copy_(proxies)
    ours = sum(proxy_loss(Rows(samples, labels, proxies[labels]), proxies, params))
    torch.testing.assert_close(ours, anchor(samples, labels))


def domain_accuracy(domain_norm, steps=150):
    """How well the domain network learns to name three domains that lie far apart."""
    params = params_of(golden("criterion_cub", "dada"))
    networks = params.networks.model_copy(update={"domain_norm": domain_norm})
    torch.manual_seed(0)
    criterion = Criterion(params.model_copy(update={"networks": networks, "normalize": False}), 4, 8)
    optimizer = torch.optim.Adam(criterion.domain_network.parameters(), 0.01)
    for _ in range(steps):
        domains = [torch.randn(16, 8) + 4 * F.one_hot(torch.tensor(index), 8) for index in range(3)]
        logits = criterion._domain_logits(domains)
        loss = sum(F.cross_entropy(part, torch.full((16,), index)) for index, part in enumerate(logits))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return sum((part.argmax(dim=1) == index).double().mean().item() for index, part in enumerate(logits)) / 3


def test_domains_can_be_told_apart_only_when_normed_together():
    assert domain_accuracy("joint") > 0.9
    assert domain_accuracy("each") < 0.6


def test_unit_mixtures_and_shares_for_each_row():
    params = params_of(golden("criterion_cub", "dada"))
    mix = params.mix.model_copy(update={"unit": True, "draw": "sample"})
    torch.manual_seed(0)
    criterion = Criterion(params.model_copy(update={"mix": mix}), 4, 8)
    labels = torch.tensor([0, 0, 1, 2, 2])
    shares = draw_shares(labels, mix)
    assert [len(share) for share in vars(shares).values()] == [2, 7, 7]
    assert len(shares.domain.unique()) == 7
    rows = criterion.rows(20 * torch.randn(5, 8), labels, shares)
    assert criterion.mixed(rows, shares.domain).norm(dim=1).max() <= 1 + 1e-6
    half = criterion.mixed(rows, torch.full((1, 1), 0.5))
    torch.testing.assert_close(F.cosine_similarity(half, rows.samples), F.cosine_similarity(half, rows.proxies))


def test_shares_are_of_the_published_distributions():
    mix = params_of(golden("criterion_cub", "dada")).mix
    mix = mix.model_copy(update={"alpha": 3.0, "beta": 0.5, "draw": "sample"})
    torch.manual_seed(0)
    shares = draw_shares(torch.arange(1000).repeat(2), mix)
    for found, alpha, beta in ((shares.same_class, 2, 2), (shares.domain, 3, 0.5), (shares.classes, 3, 0.5)):
        whole = alpha + beta
        assert found.mean().item() == pytest.approx(alpha / whole, abs=0.02)
        assert found.var().item() == pytest.approx(alpha * beta / whole**2 / (whole + 1), abs=0.005)
    assert torch.corrcoef(torch.cat([shares.domain, shares.classes], dim=1).T)[0, 1].abs() < 0.1, "two draws"


def test_weights_start_as_published():
    torch.manual_seed(0)
    proxies = Criterion(params_of(golden("criterion_cub", "dada")), 200, 64).proxies
    assert proxies.mean().item() == pytest.approx(0, abs=0.01)
    assert proxies.std().item() == pytest.approx(1 / 8, rel=0.05)
    for mixture, sides in ((Individual(512), 1 + 512), (Linear(512), 3 * 512)):
        bound = 1.414 * (6 / sides) ** 0.5  # Xavier's, of a uniform distribution
        assert mixture.weight.min().item() == pytest.approx(-bound, rel=0.02)
        assert mixture.weight.max().item() == pytest.approx(bound, rel=0.02)


def test_draws_follow_torchs_generator():
    mix = params_of(golden("criterion_cub", "dada")).mix
    labels = torch.tensor([0, 0, 1])

    def drawn(seed):
        torch.manual_seed(seed)
        return torch.cat(list(vars(draw_shares(labels, mix)).values()))

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    assert len(drawn(1)) == 3, "one share each for a whole batch"
