"""What a model was made from: its training pictures, its figures, the licences that are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.names import DATASET, DOMAIN, ITEM, Domain, ModelName, Part
from pipeline.base.opening import opening
from pipeline.models.weights import PACKAGE, PACKAGES
from pipeline.params.finetune import ModelParams
from pipeline.table.manifest import part_rows
from pipeline.table.products import product_codes

LINKED = (ModelName.UDMA, ModelName.LINKED)  # learn from pictures of the target, by way of FINCH


def training_lines(manifest: pd.DataFrame, model: str, recipe: str, *, unlabelled: bool) -> list[str]:
    """A line a data set of the source, and of the target for a model that learns from it: pictures and items.

    `recipe`: of `finetune`; by `none` the baseline learns nothing. `unlabelled`: links do not read the target's items.
    """
    if model == ModelName.BASELINE and recipe == "none":
        return ["nothing of this run: the trunk is as it was pretrained"]
    parts = {Part.SOURCE_TRAIN: "source"}
    if model in LINKED:
        parts[Part.TARGET_TRAIN] = "target, unlabelled" if unlabelled else "target, linked by its items"
    lines = []
    for part, role in parts.items():
        rows = manifest.iloc[part_rows(manifest, part)]
        for name, of_set in rows.groupby(DATASET):
            photos = int((of_set[DOMAIN] == Domain.CONSUMER).sum())
            items = len(np.unique(product_codes(of_set[of_set[ITEM] != ""])))
            of_items = f" of {items} items" if items else ""
            kinds = f"{photos} photos of consumers, {len(of_set) - photos} of shops"
            lines.append(f"{name} ({role}): {len(of_set)} pictures{of_items}, {kinds}")
    return lines


def figures(path: Path, model: str) -> tuple[dict[str, float], str]:
    """The figures of `model` in the file of `evaluate`, and of what they are; none where it says nothing of it."""
    try:
        with opening(path):
            told = json.loads(path.read_text())
        found = {str(name): float(value) for name, value in told[model]["all"].items() if value is not None}
        return found, str(told["scope"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, ""


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
