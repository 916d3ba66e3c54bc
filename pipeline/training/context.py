"""What a recipe is built from.

A recipe is one package of `pipeline.recipes`; its module `recipe` has two names: `Params`, a `Section` (its section
`recipes.<name>` of params.yaml), and `build(context, params) -> Recipe` (`pipeline.training.face`). It may own several
networks, optimisers and schedules. One that takes the features that a dataset gives, and no pictures, has a third name:
`TAKES = "features"`.
"""

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
from pipeline.base.plugins import load_plugin
from pipeline.images.loading import Pictures
from pipeline.images.transforms import inference_transform, training_transform
from pipeline.models.embedder import Embedder, build_embedder
from pipeline.params.base import Section, read_section
from pipeline.params.finetune import FinetuneParams
from pipeline.table.manifest import has_pictures, pictured
from pipeline.training.batches import FeatureRows, PictureRows, Rows
from pipeline.training.fabric import backward
from pipeline.training.face import Backward
from pipeline.training.frozen import FrozenFeatures

RECIPES = "pipeline.recipes"


@dataclass(frozen=True)
class TrainingContext:
    """What every recipe is built from; `table` holds the source rows to train on. `frozen`: of a frozen backbone."""

    table: pd.DataFrame
    raw: Path
    params: FinetuneParams
    seed: int
    workers: int
    fabric: Fabric
    frozen: FrozenFeatures | None = None

    @property
    def backward(self) -> Backward:
        """How gradients are made."""
        return partial(backward, self.fabric)

    def build_model(self) -> tuple[Embedder, Rows]:
        """A fresh embedding model, and the rows of `table` as it takes them: pictures with random changes.

        Where the backbone is frozen, they are what it makes of the pictures, or of the views there are of each.
        Raises UserError for a backbone that is not known, or whose weights cannot be had.
        """
        model = self.params.model
        embedder = build_embedder(model).to(memory_format=torch.channels_last)
        backbone = embedder.backbone
        transform = training_transform(self.params.augment, model.image_size, backbone.mean, backbone.std)
        side = model.image_size if self.params.augment.scale else max(self.params.augment.resize, model.image_size)
        if self.frozen is None:
            return embedder, PictureRows(Pictures(self.table, self.raw, transform, side))
        if self.frozen.views:
            return embedder, self.frozen.rows(embedder, self.table, transform, side)
        transform = inference_transform(model, backbone.mean, backbone.std)
        return embedder, FeatureRows(self.frozen.plain(embedder, self.table, transform, model.decoded_side))


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


def load_recipe(params: dict[str, Any], name: str) -> tuple[ModuleType, Section]:
    """The module of the recipe `name` and its section of `params`. Raises UserError for an unknown name or param."""
    module = import_module(f"{load_plugin(RECIPES, name, 'finetune.recipe').__name__}.recipe")
    return module, read_section(params, f"recipes.{name}", module.Params)
