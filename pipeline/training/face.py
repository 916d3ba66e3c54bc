"""What the training loop knows of a recipe: its networks, its optimisers, its batches and its step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

KEPT = "embedder"  # the network that a run is for, and that is kept
START = "start"  # of facts: the digest of the model that training starts from


class Backward(Protocol):
    """Makes gradients; the only way in which a recipe does, see `pipeline.training.fabric.backward`."""

    def __call__(self, loss: Tensor, inputs: Sequence[nn.Parameter] | None = None) -> None:
        """Add the gradients of the scalar `loss` to all parameters it depends on, or to `inputs` alone."""


class Recipe(Protocol):
    """A way to train a network.

    networks: by name everything that has weights, KEPT among them: classifiers, proxies, losses with weights. The loop
    puts all of them onto the device, saves and loads them; a recipe calls them as they are in this mapping.
    optimizers: by name; the loop puts those it uses in their place, so a recipe looks them up in each step. Without
    any, nothing is trained, and neither batches nor steps are asked for.
    facts: plain values that a checkpoint must agree on to be gone on from, such as the names of the classes; a recipe
    that trains nothing has those that are to be reported. Of those of another one START is, if there is any.
    """

    networks: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    facts: Mapping[str, Any]

    def n_batches(self, epoch: int) -> int:
        """Number of batches of `epoch`."""

    def batches(self, epoch: int, first: int) -> Iterator[Any]:
        """Batches `first`, `first + 1`, ... of `epoch`: the same ones whether or not earlier ones were asked for."""

    def step(self, batch: Any, epoch: float) -> dict[str, float]:
        """One training step at fractional `epoch`; returns the losses to report by name."""
