"""The adaptation step against pytorch-metric-learning and the reference's vectors; interruption changes nothing."""

import itertools

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from support.golden import golden
from support.products import N_SOURCE, products
from support.project import default_params

from pipeline.adaptation.loss import Rows, backward_step, batch_hard, triplet_loss
from pipeline.adaptation.pairs import Pairs, PairSampler
from pipeline.adaptation.recipe import AdaptationRecipe
from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.models.folder import WEIGHTS, save_head
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams
from pipeline.training.fabric import start_fabric
from pipeline.training.loop import train

SMALL = {"steps": 30, "categories": 2, "items": 10, "margin": 0.3, "lr": 0.01, "lr_steps": 10, "gamma": 0.5}
PARAMS = AdaptParams(**default_params()["adapt"] | {"optimizer": "adam"} | SMALL)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_labels", [1, 3, 40])
def test_loss_and_gradient_equal_the_library(seed, n_labels):
    torch.manual_seed(seed)
    rows = torch.randn(60, 5)
    labels = torch.randint(0, n_labels, (60,))
    ours, theirs = (rows.clone().requires_grad_() for _ in range(2))
    loss = triplet_loss(torch.nn.functional.normalize(ours), labels, torch.ones_like(labels), 0.3)
    embeddings = torch.nn.functional.normalize(theirs)
    expected = TripletMarginLoss(margin=0.3)(embeddings, labels, BatchHardMiner()(embeddings, labels))
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=2e-6)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_batch_hard_by_hand():
    angles = torch.tensor([0.0, 0.1, 0.5, 0.6, 0.2, 1.5])
    embeddings = torch.stack([angles.cos(), angles.sin()], dim=1)
    labels = torch.tensor([0, 0, 1, 1, 2, 3])
    positives, negatives, usable = batch_hard(embeddings, labels, torch.tensor([1, 1, 1, 1, 1, 2]))
    assert usable.tolist() == [True, True, True, True, False, True]  # the fifth row is alone in its label
    assert positives[usable].tolist() == [1, 0, 3, 2, 5]  # the last row, which occurs twice, has its copy
    assert negatives.tolist() == [4, 4, 4, 4, 1, 3]


def test_one_label_has_no_triplet():
    rows = torch.randn(4, 3).requires_grad_()
    loss = triplet_loss(torch.nn.functional.normalize(rows), torch.zeros(4).long(), torch.ones(4).long(), 0.3)
    loss.backward()
    assert loss == 0
    assert (rows.grad == 0).all()


def test_copies_count_like_rows_of_their_own():
    generator = torch.Generator().manual_seed(3)
    rows = torch.nn.functional.normalize(torch.randn(12, 4, generator=generator))
    labels, copies = torch.arange(12) // 3, torch.randint(1, 4, (12,), generator=generator)
    folded, repeated = (rows.clone().requires_grad_() for _ in range(2))
    one = triplet_loss(folded, labels, copies, 0.3)
    every = torch.arange(12).repeat_interleave(copies)
    other = triplet_loss(repeated[every], labels[every], torch.ones_like(every), 0.3)
    torch.testing.assert_close(one, other)
    one.backward()
    other.backward()
    torch.testing.assert_close(folded.grad, repeated.grad, atol=1e-5, rtol=1e-4)


def test_copies_of_a_picture_keep_gradients_finite():
    rows = torch.ones(4, 3).requires_grad_()
    labels = torch.tensor([0, 0, 1, 1])
    triplet_loss(torch.nn.functional.normalize(rows), labels, torch.ones_like(labels), 0.3).backward()
    assert torch.isfinite(rows.grad).all()


def test_a_step_embeds_each_picture_of_a_category_once():
    calls = []

    class Counting(Head):
        def forward(self, pooled, domain):
            calls.append(len(pooled))
            return super().forward(pooled, domain)

    head = Counting.of(torch.randn(3, 5), torch.zeros(3), norm_features=False)
    pairs = Pairs(
        np.array([0, 0, 1, 4, 5]), np.array([1, 1, 2, 5, 4]), np.array([0, 0, 0, 1, 2]), np.array([0, 0, 0, 1, 1])
    )
    backward_step(head, _rows(torch.rand(6, 5)), pairs, 0.3)
    assert calls == [3, 2]  # rows 0, 1, 2; rows 4 and 5, each under two products


def test_steps_of_the_reference():
    vectors = golden("mlp_steps")
    head = Head.of(torch.from_numpy(vectors["W0"]), torch.from_numpy(vectors["b0"]), norm_features=False)
    optimizer = torch.optim.Adam(head.parameters(), 1e-4)
    for step in range(3):
        offsets = vectors[f"offset{step}"]
        anchors, positives = vectors[f"anc{step}"], vectors[f"pos{step}"]
        n = len(anchors)
        category = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        pairs = Pairs(np.arange(n), np.arange(n, 2 * n), vectors[f"label{step}"].astype(np.int64), category)
        optimizer.zero_grad()
        loss = backward_step(head, _rows(torch.from_numpy(np.concatenate([anchors, positives]))), pairs, 0.3)
        np.testing.assert_allclose(loss.item(), vectors[f"total_loss{step}"], rtol=0, atol=12 * 2e-6)
        np.testing.assert_allclose(head.weight.grad.numpy(), vectors[f"gradW{step}"], atol=1e-5)
        np.testing.assert_allclose(head.bias.grad.numpy(), vectors[f"gradb{step}"], atol=1e-5)
        optimizer.step()
        np.testing.assert_allclose(head.weight.detach().numpy(), vectors[f"W{step + 1}"], atol=1e-6)


@pytest.mark.parametrize("step", range(3))
def test_triplets_and_category_losses_of_the_reference(step):
    vectors = golden("mlp_steps")
    head = Head.of(torch.from_numpy(vectors[f"W{step}"]), torch.from_numpy(vectors[f"b{step}"]), norm_features=False)
    offsets, compared = vectors[f"offset{step}"], 0
    for place, (start, stop) in enumerate(itertools.pairwise(offsets)):
        rows = np.concatenate([vectors[f"{side}{step}"][start:stop] for side in ("anc", "pos")])
        labels = torch.from_numpy(np.tile(vectors[f"label{step}"][start:stop], 2).astype(np.int64))
        with torch.no_grad():
            embeddings = head(torch.from_numpy(rows))
            loss = triplet_loss(embeddings, labels, torch.ones_like(labels), 0.3)
            positives, negatives, usable = batch_hard(embeddings, labels, torch.ones_like(labels))
        np.testing.assert_allclose(loss.item(), vectors[f"cat_loss{step}"][place], rtol=0, atol=2e-6)
        triplets = vectors[f"triplets{step}"]
        expected = triplets[triplets[:, 0] == place, 1:]
        found = torch.stack([torch.arange(len(labels)), positives, negatives], dim=1)[usable].numpy()
        np.testing.assert_array_equal(found[:, 0], expected[:, 0])
        # Where a picture occurs twice, its copies are equally far: compare the pictures, not the rows.
        np.testing.assert_array_equal(rows[found], rows[expected])
        compared += len(found)
    assert compared > 100


def test_a_step_without_pairs_costs_nothing():
    head, rows, _ = _setting()
    nothing = np.empty(0, dtype=np.int64)
    assert backward_step(head, rows, Pairs(nothing, nothing, nothing, nothing), 0.3).item() == 0
    assert head.weight.grad is None


def _rows(pooled, domain=0):
    return Rows(pooled, torch.full((len(pooled),), domain))


def _setting(seed=0):
    generator = torch.Generator().manual_seed(seed)
    pooled = torch.rand(N_SOURCE + 4, 6, generator=generator)
    head = Head.of(torch.randn(4, 6, generator=generator), torch.zeros(4), norm_features=False)
    return head, _rows(pooled), PairSampler(products(), N_SOURCE, categories=2, items=10, seed=3)


def _train(path, head, rows, sampler, params=PARAMS, seconds=1e9):
    fabric = start_fabric("cpu", "32-true")
    recipe = AdaptationRecipe(head, rows, sampler, params, fabric=fabric)
    trained = train(
        recipe,
        recipe.course("udma", 0),
        fabric,
        checkpoint=Checkpoint(path, seconds),
        say=lambda _: None,
        log_steps=1,
    )
    assert all(torch.equal(head.state_dict()[name], value) for name, value in trained.weights.items())
    return recipe.curve(trained.history)


def test_training_lowers_the_loss(tmp_path):
    curve = _train(tmp_path / "a.pt", *_setting())
    assert [row["step"] for row in curve] == list(range(1, 31))
    assert curve[-1]["loss"] < curve[0]["loss"]


def test_points_of_the_curve_are_means_of_what_lies_between(tmp_path, monkeypatch):
    every = _train(tmp_path / "a.pt", *_setting())
    monkeypatch.setattr("pipeline.adaptation.recipe.CURVE_POINTS", 4)
    some = _train(tmp_path / "b.pt", *_setting())
    assert [row["step"] for row in some] == [7, 14, 21, 28, 30], "the last one is the last step"
    losses = [row["loss"] for row in every]
    means = [np.mean(losses[max(0, row["step"] - 7) : row["step"]]) for row in some[:4]] + [np.mean(losses[28:])]
    assert [row["loss"] for row in some] == pytest.approx(means, rel=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_rate_falls_every_so_many_steps(optimizer):
    head, rows, sampler = _setting()
    params = PARAMS.model_copy(update={"optimizer": optimizer})
    recipe = AdaptationRecipe(head, rows, sampler, params, fabric=start_fabric("cpu", "32-true"))
    rates = []
    for step in (0, 9, 10, 29):
        recipe.step((step, sampler.draw(step)), 0.0)
        (group,) = recipe.optimizers["head"].param_groups
        rates.append(group["lr"])
    assert rates == [0.01, 0.01, 0.005, 0.0025]
    known = {"weight_decay": 0.0} if optimizer == "adam" else {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    assert {name: group[name] for name in known} == known


class KilledError(Exception):
    pass


@pytest.mark.parametrize("stop", [1, 17, 30])
def test_interrupted_and_resumed_equals_undisturbed(tmp_path, stop, monkeypatch):
    head, rows, sampler = _setting()
    curve = _train(tmp_path / "a.pt", head, rows, sampler)
    save_head(tmp_path / "undisturbed", head)

    again, _, sampler = _setting()
    draw, drawn = sampler.draw, []

    def dying_draw(step):
        drawn.append(step)
        if step == stop:
            raise KilledError
        return draw(step)

    monkeypatch.setattr(sampler, "draw", dying_draw)
    if stop < PARAMS.steps:
        with pytest.raises(KilledError):
            _train(tmp_path / "b.pt", again, rows, sampler, seconds=0)
    else:
        _train(tmp_path / "b.pt", again, rows, sampler, seconds=0)
    monkeypatch.setattr(sampler, "draw", lambda step: (drawn.append(step), draw(step))[1])
    fresh, *_ = _setting()
    drawn.clear()
    assert _train(tmp_path / "b.pt", fresh, rows, sampler) == curve
    assert drawn == list(range(stop, PARAMS.steps)), "steps before the checkpoint must not be repeated"
    save_head(tmp_path / "resumed", fresh)
    assert (tmp_path / "resumed" / WEIGHTS).read_bytes() == (tmp_path / "undisturbed" / WEIGHTS).read_bytes()


def test_a_loss_that_is_not_finite_is_said(tmp_path):
    head, rows, sampler = _setting()
    rows.pooled[0] = float("nan")
    with pytest.raises(UserError, match=r"adapt: the loss became nan at step 1; lower adapt\.lr"):
        _train(tmp_path / "a.pt", head, rows, sampler)


def test_a_large_step_gives_the_same_bytes_whatever_the_order_of_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    generator = torch.Generator().manual_seed(0)
    pooled, weight = torch.randn(3000, 256, generator=generator), torch.randn(128, 256, generator=generator)
    rng = np.random.default_rng(0)
    product = np.repeat(np.arange(400), 4)
    pairs = Pairs(rng.integers(0, 3000, 1600), rng.integers(0, 3000, 1600), product, product // 100)
    gradients = set()
    for _ in range(12):
        head = Head.of(weight, torch.zeros(128), norm_features=False)
        backward_step(head, _rows(pooled), pairs, 0.3)
        gradients.add(head.weight.grad.numpy().tobytes())
    torch.set_num_threads(threads)
    assert len(gradients) == 1
