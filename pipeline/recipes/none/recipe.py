"""No training: embeddings are the trunk's pooled features, the zero-shot row of a comparison.

The head is the identity, from which adaptation starts as from any other.
"""

from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.optim import Optimizer

from pipeline.base.errors import UserError
from pipeline.base.params import Section
from pipeline.models.embedder import build_embedder
from pipeline.models.head import Head
from pipeline.training.context import TrainingContext
from pipeline.training.face import KEPT


class Params(Section):
    """There are none."""


class NoTraining:
    """A network and nothing that changes it."""

    def __init__(self, context: TrainingContext) -> None:
        network = build_embedder(context.params.model)
        wanted, width = context.params.model.embedding_dim, network.head.shape[1]
        if wanted not in (None, width):
            raise UserError(
                f"finetune.model.embedding_dim: {wanted}, but recipe none gives the pooled features as they are, of "
                f"width {width}; set null"
            )
        network.head = Head.identity(width, norm_features=network.head.norm_features, output=network.head.output_name)
        self.networks: dict[str, nn.Module] = {KEPT: network}
        self.optimizers: dict[str, Optimizer] = {}
        self.facts: dict[str, Any] = {"head": "identity"}

    def n_batches(self, epoch: int) -> int:  # noqa: ARG002  as every recipe
        """None."""
        return 0

    def batches(self, epoch: int, first: int) -> Iterator[Any]:  # noqa: ARG002
        """None."""
        return iter(())

    def step(self, batch: Any, epoch: float) -> dict[str, float]:
        """Never called."""
        raise NotImplementedError


def build(context: TrainingContext, params: Params) -> NoTraining:  # noqa: ARG001  as every recipe
    """The recipe on `context`. Raises UserError for an embedding_dim that is not the pooled width."""
    return NoTraining(context)
