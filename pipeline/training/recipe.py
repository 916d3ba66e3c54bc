"""What the training loop knows of a recipe.

A recipe is one package of `pipeline.recipes`; its module `recipe` has two names: `Params`, a `Section` (its section
`recipes.<name>` of params.yaml), and `build(context, params) -> Recipe`. It may own several networks, optimisers and
schedules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pandas as pd
import torch
from lightning_fabric import Fabric

from pipeline.base.plugins import load_plugin
from pipeline.images.loading import Pictures
from pipeline.images.transforms import training_transform
from pipeline.models.embedder import Embedder, build_embedder
from pipeline.params.base import Section, read_section
from pipeline.params.finetune import FinetuneParams

RECIPES = "pipeline.recipes"


@dataclass(frozen=True)
class TrainingContext:
    """What every recipe is built from; `table` holds the source rows to train on."""

    table: pd.DataFrame
    raw: Path
    params: FinetuneParams
    seed: int
    workers: int
    fabric: Fabric

    def build_model(self) -> tuple[Embedder, Pictures]:
        """A fresh embedding model, and the pictures of `table` with random changes, as it takes them.

        Raises UserError for a backbone that is not known, or whose weights cannot be had.
        """
        embedder, augment = build_embedder(self.params.model).to(memory_format=torch.channels_last), self.params.augment
        size = embedder.input.size
        transform = training_transform(augment, embedder.input)
        side = size if augment.scale else max(augment.resize, size)
        return embedder, Pictures(self.table, self.raw, transform, side)


class Recipe(Protocol):
    """A way to train an embedding model; see the module's docstring."""

    embedder: Embedder

    def n_batches(self, epoch: int) -> int:
        """Number of batches of `epoch`."""

    def batches(self, epoch: int, first: int) -> Iterator[Any]:
        """Batches `first`, `first + 1`, ... of `epoch`: the same ones whether or not earlier ones were asked for."""

    def step(self, batch: Any, epoch: float) -> dict[str, float]:
        """One training step at fractional `epoch`; returns the losses to report by name."""

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on, as tensors and plain values."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""


def load_recipe(params: dict[str, Any], name: str) -> tuple[ModuleType, Section]:
    """The module of the recipe `name` and its section of `params`. Raises UserError for an unknown name or param."""
    module = import_module(f"{load_plugin(RECIPES, name, 'finetune.recipe').__name__}.recipe")
    return module, read_section(params, f"recipes.{name}", module.Params)
