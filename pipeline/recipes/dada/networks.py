"""The two networks that embeddings and proxies play against. Both stay in train mode."""

from itertools import pairwise

from torch import nn

from pipeline.recipes.dada.params import NetworkParams

DOMAINS = ("samples", "mixed", "proxies")


def build_domain_network(dim: int, params: NetworkParams) -> nn.Sequential:
    """(B, D) -> logits (B, 3) over DOMAINS."""
    hidden = params.domain_hidden
    layers = [nn.Linear(dim, hidden), nn.BatchNorm1d(hidden), _activation(params), nn.Linear(hidden, len(DOMAINS))]
    return nn.Sequential(*layers, *_norm(len(DOMAINS), params.domain_output_norm))


def build_class_network(dim: int, n_classes: int, params: NetworkParams) -> nn.Sequential:
    """(B, D) -> logits (B, C)."""
    layers: list[nn.Module] = []
    widths = [dim, *params.class_hidden]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), _activation(params), nn.Dropout(params.dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], n_classes), *_norm(n_classes, params.class_output_norm))


def _activation(params: NetworkParams) -> nn.Module:
    return nn.ReLU() if params.activation == "relu" else nn.LeakyReLU(0.01)


def _norm(width: int, wanted: bool) -> list[nn.Module]:
    return [nn.BatchNorm1d(width)] if wanted else []
