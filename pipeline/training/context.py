"""What a recipe is built from.

A recipe is one package of `pipeline.recipes`; its module `recipe` has two names: `Params`, a `Section` (its section
`recipes.<name>` of params.yaml), and `build(context, params) -> Recipe` (`pipeline.training.face`). It may own several
networks, optimisers and schedules. Three more names it may have: `check(common, params)`, with the section `finetune`,
raises UserError for what `build` would refuse whatever the pictures are, before any are fetched; `TAKES = "features"`
is of one that takes the features that a dataset gives, and no pictures; `READS_ATTRIBUTES = True` of one that reads the
table of attributes. A recipe may have a method `validation(rows,
runtime) -> Validation` (`pipeline.training.validation`) on the rows that are held out; else it is recall@1 of items.
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

from pipeline.base.errors import UserError
from pipeline.base.names import DATASET
from pipeline.base.params import Section, read_section
from pipeline.base.plugins import load_plugin
from pipeline.images.loading import Pictures
from pipeline.images.transforms import inference_transform, training_transform
from pipeline.models.embedder import build_embedder
from pipeline.models.network import Network
from pipeline.params.finetune import FinetuneParams, ModelParams
from pipeline.table.manifest import has_pictures, pictured
from pipeline.training.batches import FeatureRows, PictureRows, Rows
from pipeline.training.fabric import backward
from pipeline.training.face import Backward
from pipeline.training.frozen import FrozenFeatures

RECIPES = "pipeline.recipes"


def quiet(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class TrainingContext:
    """What every recipe is built from; `table` holds the source rows to train on, the index is that of the manifest.

    frozen: of a frozen backbone; attributes: the table of attributes, of a recipe that reads it; say: how a recipe
    tells what it leaves out of what it was given.
    """

    table: pd.DataFrame
    raw: Path
    params: FinetuneParams
    seed: int
    workers: int
    fabric: Fabric
    frozen: FrozenFeatures | None = None
    attributes: pd.DataFrame | None = None
    say: Callable[[str], None] = quiet

    @property
    def backward(self) -> Backward:
        """How gradients are made."""
        return partial(backward, self.fabric)

    def build_model(self, build: Callable[[ModelParams], Network] = build_embedder) -> tuple[Network, Rows]:
        """A fresh network, and the rows of `table` as it takes them: pictures with random changes.

        Where the backbone is frozen, they are what it makes of the pictures, or of the views there are of each.
        Raises UserError for a backbone that is not known, or whose weights cannot be had.
        """
        network = build(self.params.model).to(memory_format=torch.channels_last)
        augment, wanted = self.params.augment, network.input
        transform = training_transform(augment, wanted)
        side = wanted.size if augment.scale else max(augment.resize, wanted.size)
        if self.frozen is None:
            conditions = network.conditions(self.table)
            return network, PictureRows(Pictures(self.table, self.raw, transform, side, conditions))
        if self.frozen.views:
            return network, self.frozen.rows(network, self.table, transform, side)
        plain = self.frozen.plain(network, self.table, inference_transform(wanted), wanted.decoded_side)
        return network, FeatureRows(plain)


def check_rows(method: ModuleType, name: str, table: pd.DataFrame) -> None:
    """Raise UserError unless the recipe `name`, the module `method`, takes what all rows of the manifest show."""
    shown = pictured(table)
    if shown.any() and not shown.all():
        kinds = [", ".join(sorted(table.loc[which, DATASET].unique())) for which in (shown, ~shown)]
        raise UserError("data: {} gives pictures, and {} features; choose datasets of one kind".format(*kinds))
    takes, given = getattr(method, "TAKES", "pictures"), "pictures" if has_pictures(table) else "features"
    if takes != given:
        sets = ", ".join(sorted(table[DATASET].unique()))
        mend = "finetune.recipe: given" if given == "features" else "finetune.recipe: triplet or another one"
        raise UserError(f"finetune.recipe: {name} takes {takes}, and {sets} gives {given}; set {mend}")


def reads_attributes(method: ModuleType) -> bool:
    """Whether the recipe of the module `method` reads the table of attributes."""
    return getattr(method, "READS_ATTRIBUTES", False)


def load_recipe(params: dict[str, Any], name: str) -> tuple[ModuleType, Section]:
    """The module of the recipe `name` and its section of `params`. Raises UserError for an unknown name or param."""
    module = import_module(f"{load_plugin(RECIPES, name, 'finetune.recipe').__name__}.recipe")
    return module, read_section(params, f"recipes.{name}", module.Params)


def check_recipe(params: dict[str, Any], common: FinetuneParams) -> None:
    """Raise UserError for what the recipe of `common` would refuse of `params` whatever the pictures are."""
    method, own = load_recipe(params, common.recipe)
    if hasattr(method, "check"):
        method.check(common, own)
