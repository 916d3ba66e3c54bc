"""Turns, phases and learning rates of the game against the published implementation."""

import pytest
import torch
import torch.nn.functional as F
from support.dada_published import build, close, draws, params_of, place, record, tensor
from support.golden import golden
from torch import nn

from pipeline.params.finetune import OptimParams
from pipeline.recipes.dada.criterion import Criterion
from pipeline.recipes.dada.game import Phase, Players, discriminator_optimizer, phase_of, play, proxy_optimizer
from pipeline.recipes.dada.mixing import draw_shares
from pipeline.training.optim import scale_lr
from pipeline.training.schedule import lagging_factor


def game(arrays):
    """Criterion, a linear model and the players of train_iterations."""
    criterion = build(arrays)
    model = nn.Linear(*reversed(arrays["head_weight"].shape)).double()
    model.load_state_dict({"weight": tensor(arrays["head_weight"]), "bias": tensor(arrays["head_bias"])})
    optimizer = torch.optim.Adam(model.parameters(), arrays["cfg_lr"].item(), weight_decay=arrays["cfg_decay"].item())
    return criterion, model, Players(discriminator_optimizer(criterion), proxy_optimizer(criterion), optimizer)


def test_iterations():
    arrays = golden("train_iterations", "dada")
    criterion, model, players = game(arrays)
    for iteration in range(int(arrays["cfg_n_iterations"])):
        inputs, labels = tensor(arrays[f"it{iteration}_inputs"]), torch.from_numpy(arrays[f"it{iteration}_labels"])
        names, seen = ("D0", "D1", "D2", "G"), []
        turns = iter(names)

        def draw(iteration=iteration, turns=turns):
            prefix = f"it{iteration}_{next(turns)}"
            record(criterion, arrays, prefix)
            same_class, _, domain, classes = arrays[f"{prefix}_draws"]
            return draws(same_class, domain, classes)

        def backward(loss, seen=seen, **inputs):
            seen.append(loss.item())
            loss.backward(**inputs)

        losses = play(
            criterion,
            players,
            lambda inputs=inputs: F.layer_norm(model(inputs), (model.out_features,)),
            labels,
            draw,
            discriminator_steps=int(arrays["cfg_d_step"]),
            generator_steps=1,
            learns=model.parameters(),
            backward=backward,
        )
        expected = [arrays[f"it{iteration}_{name}_loss"].item() for name in names]
        assert seen == pytest.approx(expected, rel=1e-9)
        assert [losses["discriminator_loss"], losses["loss"]] == seen[2:]
        for name, weight in (("head_weight", model.weight), ("head_bias", model.bias), ("proxies", criterion.proxies)):
            close(weight, arrays[f"it{iteration}_after_{name}"])
    parameters = dict(criterion.named_parameters())
    last = f"it{iteration}_after_w_"
    weights = [name for name in arrays if name.startswith(last)]
    assert weights
    for name in weights:
        close(parameters[place(name.removeprefix(last))], arrays[name])


@pytest.mark.parametrize("learns", ["nothing", "bias", "all"])
def test_only_those_who_learn_are_changed(learns):
    arrays = golden("train_iterations", "dada")
    criterion, model, players = game(arrays)
    record(criterion, arrays, "it0_D0")
    masks = {index: list(criterion.class_network[index].masks) for index in (3, 7)}
    before = {name: value.clone() for name, value in [*criterion.state_dict().items(), *model.state_dict().items()]}

    def draw():
        for index, recorded in masks.items():
            criterion.class_network[index].masks = list(recorded)
        return draws(0.5, 0.5, 0.5)

    play(
        criterion,
        players,
        lambda: model(tensor(arrays["it0_inputs"])),
        torch.from_numpy(arrays["it0_labels"]),
        draw,
        discriminator_steps=1,
        generator_steps=2,
        learns={"nothing": [], "bias": [model.bias], "all": model.parameters()}[learns],
    )
    after = dict([*criterion.state_dict().items(), *model.state_dict().items()])
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert {"domain_network.0.weight", "class_network.8.weight"} <= changed
    expected = {"nothing": set(), "bias": {"proxies", "bias"}, "all": {"proxies", "bias", "weight"}}[learns]
    assert changed & {"proxies", "bias", "weight"} == expected


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("mode", ["linear", "individual"])
def test_a_learned_mixture_takes_one_side_at_its_own_rate(mode, learns):
    params = params_of(golden(f"criterion_mix_{mode}", "dada"))
    params = params.model_copy(update={"mix": params.mix.model_copy(update={"lr": 0.01})})
    torch.manual_seed(0)
    criterion, model = Criterion(params, 4, 8), nn.Linear(8, 8)
    inputs, labels = torch.randn(6, 8), torch.tensor([0, 0, 1, 1, 3, 3])
    start = criterion.mixture.weight.detach().clone()
    play(
        criterion,
        Players(discriminator_optimizer(criterion), proxy_optimizer(criterion), torch.optim.Adam(model.parameters())),
        lambda: model(inputs),
        labels,
        lambda: draw_shares(labels, params.mix),
        discriminator_steps=1,
        generator_steps=1,
        learns=model.parameters() if learns else [],
    )
    moved = (criterion.mixture.weight - start).abs().max().item()
    # The first step of Adam is as long as its rate. A linear mixture moves with the networks, which always learn.
    assert moved == pytest.approx(0.01 if mode == "linear" or learns else 0, rel=1e-3)


@pytest.mark.parametrize("name", ["cub", "cars", "sop", "inshop", "linear_example"])
def test_phases_and_learning_rates(name):
    arrays = golden("lr_schedule", "dada")
    cfg = {key.removeprefix(f"{name}_cfg_"): value for key, value in arrays.items() if key.startswith(f"{name}_cfg_")}
    lengths = {"discriminator_epochs": int(cfg["d_warmup"]), "head_epochs": int(cfg["warmup"])}
    kind = {"step": "step", "multi": "multistep", "linear": "linear"}[cfg["scheduler"].item()]
    params = OptimParams(
        name="adam",
        lr=cfg["lr"].item(),
        weight_decay=0.0,
        schedule=kind,
        step_epochs=int(cfg["lr_linear_length"] if kind == "linear" else cfg["lr_reduce_step"]),
        milestones=tuple(cfg["milestones"].tolist()),
        gamma=cfg["lr_linear_end" if kind == "linear" else "lr_reduce_rate"].item(),
        warmup_epochs=0.0,
    )
    rates = ("lr", "loss_adv_classifier_lr", "loss_adv_proxy_lr")
    optimizers = [torch.optim.Adam([nn.Parameter(torch.zeros(1))], cfg[rate].item()) for rate in rates]
    for epoch, expected in enumerate(arrays[f"{name}_lr_model_disc_proxy"]):
        assert phase_of(epoch, **lengths) == arrays[f"{name}_phase"][epoch]
        for within in (0.0, 0.5):
            factor = lagging_factor(params, epoch + within, len(arrays[f"{name}_phase"]), lag=max(lengths.values()))
            for optimizer in optimizers:
                scale_lr(optimizer, factor)
            found = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
            assert found == pytest.approx(expected, rel=1e-9)


def test_phases_by_hand():
    phases = [phase_of(epoch, discriminator_epochs=1, head_epochs=3) for epoch in range(5)]
    assert phases == [Phase.DISCRIMINATORS, Phase.HEAD, Phase.HEAD, Phase.ALL, Phase.ALL]
    assert phase_of(0, discriminator_epochs=0, head_epochs=0) is Phase.ALL
