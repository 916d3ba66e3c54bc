"""What a recipe is built from.

A recipe is one package of `pipeline.recipes`; its module `recipe` has two names: `Params`, a `Section` (its section
`recipes.<name>` of params.yaml), and `build(context, params) -> Recipe` (`pipeline.training.face`). It may own several
networks, optimisers and schedules. A recipe that trains nothing has `TRAINS = False` beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import torch
from lightning_fabric import Fabric

from pipeline.base.plugins import load_plugin, plugin_names
from pipeline.images.loading import Pictures
from pipeline.images.transforms import training_transform
from pipeline.models.embedder import build_embedder
from pipeline.models.network import Network
from pipeline.params.base import Section, read_section
from pipeline.params.finetune import FinetuneParams, ModelParams
from pipeline.training.batches import PictureRows, Rows
from pipeline.training.fabric import backward
from pipeline.training.face import Backward

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

    @property
    def backward(self) -> Backward:
        """How gradients are made."""
        return partial(backward, self.fabric)

    def build_model(self, build: Callable[[ModelParams], Network] = build_embedder) -> tuple[Network, Rows]:
        """A fresh network, and the rows of `table` as it takes them: pictures with random changes.

        Raises UserError for a backbone that is not known, or whose weights cannot be had.
        """
        network = build(self.params.model).to(memory_format=torch.channels_last)
        augment, size = self.params.augment, network.input.size
        transform = training_transform(augment, network.input)
        side = size if augment.scale else max(augment.resize, size)
        return network, PictureRows(Pictures(self.table, self.raw, transform, side, network.conditions(self.table)))


def load_recipe(params: dict[str, Any], name: str) -> tuple[ModuleType, Section]:
    """The module of the recipe `name` and its section of `params`. Raises UserError for an unknown name or param."""
    module = import_module(f"{load_plugin(RECIPES, name, 'finetune.recipe').__name__}.recipe")
    return module, read_section(params, f"recipes.{name}", module.Params)


def training_recipes() -> list[str]:
    """Names of the recipes that train."""
    names = plugin_names(RECIPES)
    return [name for name in names if getattr(import_module(f"{RECIPES}.{name}.recipe"), "TRAINS", True)]
