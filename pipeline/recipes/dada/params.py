"""Sections of `recipes.dada`, apart from how its batches are made."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.params import AsTuple, Section

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Width = Annotated[int, Field(ge=1)]


class ProxyParams(Section):
    """One learnable vector a class, and the loss between proxies and samples.

    `sum_over` samples: log-sums over the samples of each proxy, as in Proxy Anchor; proxies: over those of each sample.
    """

    lr: Positive
    weight: NotNegative
    alpha_positive: Positive
    alpha_negative: Positive
    delta_positive: float
    delta_negative: float
    sum_over: Literal["samples", "proxies"]


class MixParams(Section):
    """Mixtures of two samples of a class, and of samples with their proxies (the third domain).

    `shift` s says how far a mixture may go, see `mixing.Shifted`. `lr` is that of learned weights.
    """

    same_class: bool
    mode: Literal["random", "individual", "linear"]
    alpha: Positive
    beta: Positive
    shift: Annotated[float, Field(gt=-1, le=1)]
    unit: bool
    draw: Literal["sample", "batch"]
    lr: Positive


class NetworkParams(Section):
    """The two networks that embeddings and proxies play against: one tells domains apart, one classes."""

    lr: Positive
    weight_decay: NotNegative
    activation: Literal["relu", "leaky_relu"]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    domain_hidden: Width
    domain_norm: Literal["joint", "each"]
    domain_output_norm: bool
    class_hidden: Annotated[tuple[Width, Width], AsTuple]
    class_output_norm: bool


class CriterionParams(Section):
    """Weights of the terms; `class_share` r is that of the class network, 1 - r that of the domain network."""

    normalize: bool
    adversarial_weight: NotNegative
    class_share: Annotated[float, Field(ge=0, le=1)]
    discrepancy_weight: NotNegative
    discrepancy: Literal["nuclear", "l1"]
    proxies: ProxyParams
    mix: MixParams
    networks: NetworkParams
