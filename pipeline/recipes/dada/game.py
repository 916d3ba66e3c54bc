"""The game: steps of the two networks against embeddings and proxies, in turns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from pipeline.recipes.dada.criterion import Criterion
from pipeline.recipes.dada.mixing import Draws
from pipeline.training.face import Backward


class Phase(IntEnum):
    """Who learns: the two networks; they, the proxies and the model's head; everything."""

    DISCRIMINATORS = 0
    HEAD = 1
    ALL = 2


def phase_of(epoch: int, *, discriminator_epochs: int, head_epochs: int) -> Phase:
    """The phase of `epoch`; both counts are from the first epoch on, and the first one has priority."""
    if epoch < discriminator_epochs:
        return Phase.DISCRIMINATORS
    return Phase.HEAD if epoch < head_epochs else Phase.ALL


@dataclass(frozen=True)
class Players:
    """The optimisers of the networks, the proxies and the embedding model."""

    discriminators: Optimizer
    proxies: Optimizer
    model: Optimizer


def discriminator_optimizer(criterion: Criterion) -> Adam:
    """For the two networks, and for the weights of a linear mixture, which takes their side."""
    networks, mix = criterion.params.networks, criterion.params.mix
    groups = [{"params": list(net.parameters())} for net in (criterion.domain_network, criterion.class_network)]
    if mix.mode == "linear":
        groups.append({"params": [criterion.mixture.weight], "lr": mix.lr})
    return Adam(groups, networks.lr, weight_decay=networks.weight_decay)


def proxy_optimizer(criterion: Criterion) -> Adam:
    """For the proxies, and for the shares of an individual mixture, which takes their side."""
    groups = [{"params": [criterion.proxies]}]
    if criterion.params.mix.mode == "individual":
        groups.append({"params": [criterion.mixture.weight], "lr": criterion.params.mix.lr})
    return Adam(groups, criterion.params.proxies.lr)


def play(
    criterion: Criterion,
    players: Players,
    embed: Callable[[], Tensor],
    labels: Tensor,
    draw: Callable[[], Draws],
    *,
    discriminator_steps: int,
    generator_steps: int,
    learns: Iterable[nn.Parameter],
    backward: Backward = Tensor.backward,
) -> dict[str, float]:
    """One batch: steps of the networks on fixed embeddings, then steps of proxies and model; the losses before them.

    `embed` gives the embeddings (B, D) of the batch with the model as it is, `draw` fresh draws for each evaluation.
    `learns` are the parameters of the model that learn; empty: only the networks do, and the losses are only reported.
    `backward(loss, inputs=...)` computes gradients of those parameters alone.
    """
    learns = list(learns)
    embeddings = embed()
    for _ in range(discriminator_steps):
        loss = criterion.discriminator_loss(embeddings.detach(), labels, draw())
        _step(loss, [players.discriminators], _parameters(players.discriminators), backward)
    report = {"discriminator_loss": loss}
    if not learns:
        with torch.no_grad():
            return _plain(criterion.generator_losses(embeddings, labels, draw()) | report)
    for turn in range(generator_steps):
        # Networks do not change embeddings: those of the first turn are still the model's.
        losses = criterion.generator_losses(embed() if turn else embeddings, labels, draw())
        _step(losses["loss"], [players.proxies, players.model], [*_parameters(players.proxies), *learns], backward)
    return _plain(losses | report)


def _step(loss: Tensor, optimizers: list[Optimizer], inputs: list[nn.Parameter], backward: Backward) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad()
    backward(loss, inputs=inputs)
    for optimizer in optimizers:
        optimizer.step()


def _parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _plain(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: loss.item() for name, loss in losses.items()}
