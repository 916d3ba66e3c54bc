"""What a model was made from: its training pictures, its figures, the licences that are known."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.base.names import DATASET, DOMAIN, ITEM, Domain, ModelName, Part
from pipeline.base.opening import opening
from pipeline.models.weights import PACKAGE, PACKAGES
from pipeline.params.finetune import ModelParams
from pipeline.table.manifest import part_rows

LINKED = (ModelName.UDMA, ModelName.LINKED)  # learn from pictures of the target, by way of FINCH


def training_lines(manifest: pd.DataFrame, model: str, recipe: str) -> list[str]:
    """A line a data set of the source, and of the target for a model that learns from it: pictures and items.

    `recipe`: of `finetune`. By `none` the baseline learns nothing.
    """
    if model == ModelName.BASELINE and recipe == "none":
        return ["nothing of this run: the trunk is as it was pretrained"]
    parts = {Part.SOURCE_TRAIN: "source"} | ({Part.TARGET_TRAIN: "target, unlabelled"} if model in LINKED else {})
    lines = []
    for part, role in parts.items():
        rows = manifest.iloc[part_rows(manifest, part)]
        for name, of_set in rows.groupby(DATASET):
            photos = int((of_set[DOMAIN] == Domain.CONSUMER).sum())
            items = of_set.loc[of_set[ITEM] != "", ITEM].nunique()
            of_items = f" of {items} items" if items else ""
            kinds = f"{photos} photos of consumers, {len(of_set) - photos} of shops"
            lines.append(f"{name} ({role}): {len(of_set)} pictures{of_items}, {kinds}")
    return lines


def figures(path: Path, model: str) -> dict[str, float]:
    """The means over all categories of `model` in the file of `evaluate`; empty where it says nothing of it."""
    try:
        with opening(path):
            found = json.loads(path.read_text())[model]["all"]
        return {str(name): float(value) for name, value in found.items() if value is not None}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def licence_lines(params: ModelParams | None, model: str) -> list[str]:
    """What is known of the licences of code, weights and data."""
    lines = ["Code of Crosswear and of this graph: Apache-2.0.", f"Weights of the trunk: {_of_weights(params)}"]
    if model in LINKED:
        lines.append(
            "Links: this head learnt from clusters of FINCH, whose authors' code restricts itself to academic purposes "
            "in one place and is MIT in another (docs/sources.md)."
        )
    return [*lines, "Pictures: each data set has terms of its own, most of them research only (README.md, Datasets)."]


def _of_weights(params: ModelParams | None) -> str:
    weights: Any = None if params is None else params.weights
    if weights is None:
        return "none were given, they were trained from random ones, or converted; see the training data."
    if weights.removeprefix(PACKAGE) in PACKAGES:
        return f"{weights.removeprefix(PACKAGE)}, Apache-2.0, trained on ImageNet."
    return f"{weights} of {params.backbone}, under the terms of whoever published them, which are not known here."
