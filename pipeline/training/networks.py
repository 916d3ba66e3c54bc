"""All networks and optimisers of a recipe: put onto the device, saved and loaded together."""

from collections.abc import Mapping
from typing import Any

from lightning_fabric import Fabric

from pipeline.base.errors import UserError
from pipeline.training.face import Recipe
from pipeline.training.processes import average_gradients


def set_up(recipe: Recipe, fabric: Fabric) -> None:
    """Move the networks to the device of `fabric`, and let its optimisers take the place of the recipe's.

    Of several processes, each step takes the mean of their gradients.
    """
    for network in recipe.networks.values():
        fabric.to_device(network)
    for name, optimizer in recipe.optimizers.items():
        average_gradients(optimizer, fabric)
        recipe.optimizers[name] = fabric.setup_optimizers(optimizer)


def state_of(recipe: Recipe) -> dict[str, Any]:
    """Everything that the next step of the recipe depends on, as tensors and plain values."""
    return {
        "facts": dict(recipe.facts),
        "networks": {name: network.state_dict() for name, network in recipe.networks.items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in recipe.optimizers.items()},
    }


def load_state(recipe: Recipe, state: Mapping[str, Any], stage: str) -> None:
    """Go on from what `state_of` returned; the recipe must be set up.

    Raises UserError, and changes nothing, when the facts are others.
    """
    for name, now in recipe.facts.items():
        if (before := state["facts"].get(name)) != now:
            raise UserError(f"{stage}: the checkpoint below runtime.scratch {_difference(name, before, now)}")
    for name, network in recipe.networks.items():
        network.load_state_dict(state["networks"][name])
    for name, optimizer in recipe.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])


def _difference(name: str, before: Any, now: Any) -> str:
    if isinstance(before, list) and isinstance(now, list):
        return (
            f"was trained on {len(before)} {name}, of which {len(set(before) & set(now))} are among the {len(now)} of "
            f"the source; delete it to train anew, or bring the {name} back"
        )
    return f"is of {name} {before!r}, where this run has {now!r}; delete it to train anew"
