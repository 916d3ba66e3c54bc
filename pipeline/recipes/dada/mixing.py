"""Mixtures: of two samples of one class, and of samples with the proxies of their classes."""

from dataclasses import dataclass

import torch
from pytorch_metric_learning.utils.loss_and_miner_utils import convert_to_pos_pairs_with_unique_labels
from torch import Tensor, nn
from torch.distributions import Beta

from pipeline.recipes.dada.params import MixParams

SAME_CLASS_BETA = (2.0, 2.0)  # published, the same for all datasets


@dataclass(frozen=True)
class Draws:
    """Shares drawn for one evaluation of the losses, each one number (1, 1) or one a row.

    `same_class` (U, 1): of the first of two samples of a class; `domain`, `classes` (B', 1): of the proxy in the
    mixture that the domain network, the class network sees.
    """

    same_class: Tensor
    domain: Tensor
    classes: Tensor


@dataclass(frozen=True)
class Rows:
    """samples (B', D), labels (B',) int64, and proxies (B', D): those of the samples' classes."""

    samples: Tensor
    labels: Tensor
    proxies: Tensor


def same_class_pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """First and second row of every label of `labels` (B,) that occurs twice, in the order of labels: each (U,)."""
    return convert_to_pos_pairs_with_unique_labels(None, labels)


def draw_shares(labels: Tensor, params: MixParams) -> Draws:
    """Fresh draws for a batch with `labels` (B,), from torch's global generator on the CPU."""
    pairs = len(same_class_pairs(labels)[0]) if params.same_class else 0
    rows = len(labels) + pairs

    def draw(alpha: float, beta: float, n: int) -> Tensor:
        shares = Beta(alpha, beta).sample((n if params.draw == "sample" else 1, 1))
        return shares.to(labels.device)

    return Draws(
        draw(*SAME_CLASS_BETA, pairs), draw(params.alpha, params.beta, rows), draw(params.alpha, params.beta, rows)
    )


def with_same_class_mixtures(embeddings: Tensor, labels: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings (B, D) and labels (B,) with a mixture of the first two rows of every class behind them."""
    first, second = same_class_pairs(labels)
    mixed = share * embeddings[first] + (1 - share) * embeddings[second]
    return torch.cat([embeddings, mixed]), torch.cat([labels, labels[first]])


class Shifted(nn.Module):
    """Mixture with share m of the proxy, moved by `shift` s.

    0 <= s <= 1: (1 - m s) sample + m s proxy, which keeps to the sample; s < 0: m (1 + s) sample + the rest proxy,
    which keeps to the proxy.
    """

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, samples: Tensor, proxies: Tensor, share: Tensor) -> Tensor:
        of_sample = 1 - share * self.shift if self.shift >= 0 else share * (1 + self.shift)
        return of_sample * samples + (1 - of_sample) * proxies


class Individual(nn.Module):
    """Mixture with a learned, unbounded share of the sample for each of `dim` coordinates; draws are not used."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, dim), gain=1.414))

    def forward(self, samples: Tensor, proxies: Tensor, share: Tensor) -> Tensor:  # noqa: ARG002  as in Shifted
        return self.weight * samples + (1 - self.weight) * proxies


class Linear(nn.Module):
    """Mixture as a learned linear map of [sample, proxy]; draws are not used."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(2 * dim, dim), gain=1.414))

    def forward(self, samples: Tensor, proxies: Tensor, share: Tensor) -> Tensor:  # noqa: ARG002  as in Shifted
        return torch.cat([samples, proxies], dim=1) @ self.weight


def build_mixture(params: MixParams, dim: int) -> nn.Module:
    """The mixture of samples (B', D) with proxies (B', D) that `params.mode` names."""
    match params.mode:
        case "random":
            return Shifted(params.shift)
        case "individual":
            return Individual(dim)
        case "linear":
            return Linear(dim)
    raise AssertionError(params.mode)
