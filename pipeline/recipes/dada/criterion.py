"""The two losses of the game between embeddings with proxies and the two networks.

Ren, Chen, Wang, Hua, "Towards Improved Proxy-Based Deep Metric Learning via Data-Augmented Domain Adaptation" (DADA),
AAAI 2024.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.recipes.dada.mixing import Draws, Rows, build_mixture, with_same_class_mixtures
from pipeline.recipes.dada.networks import DOMAINS, build_class_network, build_domain_network
from pipeline.recipes.dada.params import CriterionParams
from pipeline.recipes.dada.proxy_loss import proxy_loss

PROXY_SCALE = 1 / 8  # of the standard normal start


@dataclass(frozen=True)
class Terms:
    """Terms of one evaluation, float32.

    `domain` (3,): cross-entropies of the domain network on DOMAINS; `classes` (): that of the class network on samples;
    `discrepancy` (): between its outputs on samples and on mixtures.
    """

    domain: Tensor
    classes: Tensor
    discrepancy: Tensor


class Criterion(nn.Module):
    """Proxies (C, D), both networks, the mixture, and what each side minimises."""

    def __init__(self, params: CriterionParams, n_classes: int, dim: int) -> None:
        super().__init__()
        self.params = params
        self.proxies = nn.Parameter(PROXY_SCALE * torch.randn(n_classes, dim))
        self.domain_network = build_domain_network(dim, params.networks)
        self.class_network = build_class_network(dim, n_classes, params.networks)
        self.mixture = build_mixture(params.mix, dim)

    def discriminator_loss(self, embeddings: Tensor, labels: Tensor, draws: Draws) -> Tensor:
        """(1 - r) U + r (S - kappa Delta): U all domain cross-entropies, S twice that of classes, Delta discrepancy.

        `embeddings` (B, D) float32 as the model emits them, `labels` (B,) int64 below C; returns a scalar.
        """
        terms = self.terms(self.rows(embeddings, labels, draws), draws)
        params = self.params
        classes = 2 * terms.classes - params.discrepancy_weight * terms.discrepancy
        return (1 - params.class_share) * terms.domain.sum() + params.class_share * classes

    def generator_losses(self, embeddings: Tensor, labels: Tensor, draws: Draws) -> dict[str, Tensor]:
        """`loss` = weight * `proxy_loss` + gamma (r (S + kappa Delta) - (1 - r) U), and the parts of it.

        Takes what `discriminator_loss` takes; all losses are scalars.
        """
        rows = self.rows(embeddings, labels, draws)
        terms, params = self.terms(rows, draws), self.params
        own = sum(proxy_loss(rows, self.proxies, params.proxies))
        domain = terms.domain.sum()
        classes = 2 * terms.classes + params.discrepancy_weight * terms.discrepancy
        adversarial = params.class_share * classes - (1 - params.class_share) * domain
        total = params.proxies.weight * own + params.adversarial_weight * adversarial
        return {"loss": total, "proxy_loss": own, "domain_loss": domain, "class_loss": terms.classes}

    def rows(self, embeddings: Tensor, labels: Tensor, draws: Draws) -> Rows:
        """What the losses are taken over: the batch, with mixtures of two samples of a class where wanted: B' rows."""
        if self.params.mix.same_class:
            embeddings, labels = with_same_class_mixtures(embeddings, labels, draws.same_class)
        # index_select: its gradient adds up in a fixed order on the CPU.
        return Rows(embeddings, labels, self.proxies.index_select(0, labels))

    def mixed(self, rows: Rows, share: Tensor) -> Tensor:
        """Mixtures (B', D) of samples with their proxies, with a share (1, 1) or (B', 1) of the proxy."""
        samples, proxies = rows.samples, rows.proxies
        if self.params.mix.unit:
            samples, proxies = F.normalize(samples, dim=1), F.normalize(proxies, dim=1)
        return self.mixture(samples, proxies, share)

    def terms(self, rows: Rows, draws: Draws) -> Terms:
        """What the two networks make of `rows`."""
        samples = self._seen(rows.samples)
        domains = [samples, self._seen(self.mixed(rows, draws.domain)), self._seen(rows.proxies)]
        domain = torch.stack(
            [
                F.cross_entropy(logits, torch.full((len(logits),), index, device=logits.device))
                for index, logits in enumerate(self._domain_logits(domains))
            ]
        )
        logits = self.class_network(samples)
        mixed = self.class_network(self._seen(self.mixed(rows, draws.classes)))
        difference = discrepancy(logits.softmax(dim=1), mixed.softmax(dim=1), self.params.discrepancy)
        return Terms(domain, F.cross_entropy(logits, rows.labels), difference)

    def _seen(self, rows: Tensor) -> Tensor:
        return F.normalize(rows, dim=1) if self.params.normalize else rows

    def _domain_logits(self, domains: list[Tensor]) -> list[Tensor]:
        if self.params.networks.domain_norm == "each":
            return [self.domain_network(rows) for rows in domains]
        return list(self.domain_network(torch.cat(domains)).chunk(len(DOMAINS)))


def discrepancy(one: Tensor, other: Tensor, kind: str) -> Tensor:
    """Of class probabilities (B, C): nuclear: difference of the nuclear norms over B, signed; l1: mean |difference|.

    NaN where a probability is not finite.
    """
    if kind == "l1":
        return (one - other).abs().mean()
    if not (one.isfinite().all() and other.isfinite().all()):
        return one.sum() * torch.nan  # where the norm would raise; the loop tells what a loss of NaN means
    # Of the transposes, which have the same norm: LAPACK is several times as fast where classes are many.
    return (torch.linalg.matrix_norm(one.T, "nuc") - torch.linalg.matrix_norm(other.T, "nuc")) / len(one)
