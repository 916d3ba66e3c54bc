"""The head that a dataset gives with its features: nothing is trained, and the model has no backbone."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from pipeline.base.names import DATASET
from pipeline.base.params import Section
from pipeline.features.given import MEND, head_folder, read_facts
from pipeline.models.folder import load_head
from pipeline.models.head import Head
from pipeline.training.context import TrainingContext
from pipeline.training.face import KEPT

TAKES = "features"


class Params(Section):
    """There are none: the head is the dataset's."""


class HeadAlone(nn.Module):
    """A model without a backbone, in the form of its folder."""

    kind = Head.kind

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    @property
    def settings(self) -> dict[str, Any]:
        """What `model.json` holds beside the weights."""
        return self.head.settings


class GivenRecipe:
    """No optimisers, hence no batches and no steps; the facts to report are where the head is from."""

    def __init__(self, context: TrainingContext) -> None:
        folder = context.raw / str(context.table[DATASET].iloc[0])
        self.networks: dict[str, nn.Module] = {KEPT: HeadAlone(load_head(head_folder(folder), MEND))}
        self.optimizers: dict = {}
        self.facts = {"head": read_facts(folder)["head"]}

    def n_batches(self, epoch: int) -> int:  # noqa: ARG002  the face of recipes
        """None."""
        return 0

    def batches(self, epoch: int, first: int) -> Iterator[Any]:  # noqa: ARG002  as every recipe
        """None."""
        return iter(())

    def step(self, batch: Any, epoch: float) -> dict[str, float]:
        """There is no batch to take one on."""
        raise NotImplementedError


def build(context: TrainingContext, params: Params) -> GivenRecipe:
    """The recipe on `context`. Raises UserError when the dataset's head or its facts are missing or damaged."""
    del params
    return GivenRecipe(context)
