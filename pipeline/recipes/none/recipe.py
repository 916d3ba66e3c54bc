"""No training: embeddings are the trunk's pooled features, the zero-shot row of a comparison.

The head is the identity, from which adaptation starts as from any other; of a smaller `embedding_dim` it gives means of
neighbouring features (MDFE's adaptive average pooling), so that settings of one width can be compared.
"""

from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.optim import Optimizer

from pipeline.base.errors import UserError
from pipeline.base.params import Section
from pipeline.models.embedder import Embedder, build_embedder, plan_embedder
from pipeline.models.head import Head
from pipeline.params.finetune import FinetuneParams
from pipeline.training.context import TrainingContext
from pipeline.training.face import KEPT


class Params(Section):
    """There are none."""


class NoTraining:
    """A network and nothing that changes it."""

    def __init__(self, context: TrainingContext) -> None:
        network = build_embedder(context.params.model)
        _check_width(network)
        head, (dim, width) = network.head, network.head.shape
        kept = {"norm_features": head.norm_features, "output": head.output_name}
        network.head = Head.identity(width, **kept) if dim == width else Head.pooling(width, dim, **kept)
        self.networks: dict[str, nn.Module] = {KEPT: network}
        self.optimizers: dict[str, Optimizer] = {}
        self.facts: dict[str, Any] = {"head": "identity" if dim == width else "pooling"}

    def n_batches(self, epoch: int) -> int:  # noqa: ARG002  as every recipe
        """None."""
        return 0

    def batches(self, epoch: int, first: int) -> Iterator[Any]:  # noqa: ARG002  as every recipe
        """None."""
        return iter(())

    def step(self, batch: Any, epoch: float) -> dict[str, float]:
        """Never called."""
        raise NotImplementedError


def build(context: TrainingContext, params: Params) -> NoTraining:  # noqa: ARG001  as every recipe
    """The recipe on `context`. Raises UserError for an embedding_dim above the pooled width."""
    return NoTraining(context)


def check(common: FinetuneParams, params: Params) -> None:  # noqa: ARG001  as every recipe
    """Raise UserError for a model that cannot be had, and for an embedding_dim above its pooled width."""
    _check_width(plan_embedder(common.model))


def _check_width(network: Embedder) -> None:
    wanted, width = network.head.shape
    if wanted > width:
        raise UserError(
            f"finetune.model.embedding_dim: {wanted}, but recipe none gives the pooled features, of width {width}, or "
            "means of them; set null or less"
        )
