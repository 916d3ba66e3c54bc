"""The manifest against the pictures on disk: what is unreadable goes out, boxes are fitted, and all is counted."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import (
    BOX,
    DATASET,
    DIGEST,
    IMAGE,
)
from pipeline.base.workspace import fingerprint
from pipeline.table.counts import count_categories, count_parts
from pipeline.table.inspect import inspect_images
from pipeline.table.manifest import FEATURES_DIGEST

LISTED = 50  # unreadable pictures named in the report


def finish_manifest(
    table: pd.DataFrame, root: Path, *, min_side: int, max_unreadable: float, workers: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The manifest from a checked table of one dataset whose `image` is relative to `root`, and a report.

    Every file is decoded. Rows whose picture, or crop of it, is unreadable or smaller than `min_side` pixels on a side
    are left out; boxes reaching outside are cut to the picture; `digest` is added (32 hex characters of the file's
    sha256); `image` gets the name of `root` in front. The order of rows is kept.

    The report counts pictures and items per meta-domain and split, pictures per category, cut boxes, and lists up to
    50 unreadable pictures with their reasons. Items of target/train, which is unlabelled, are not looked at.

    Raises UserError when the share of unreadable rows exceeds `max_unreadable` or nothing is left, and when a box lies
    beside its picture.
    """
    names = table[IMAGE].unique()
    found = inspect_images([root / name for name in names], min_side=min_side, workers=workers)
    facts = pd.DataFrame(map(asdict, found), index=names).loc[table[IMAGE]].reset_index(drop=True)
    problems = facts["problem"].copy()

    sizes = facts[["width", "height"]].to_numpy(dtype=np.float64, copy=True)
    sizes[problems != ""] = np.nan
    boxes, cut = _fit_boxes(table, sizes)
    crops = np.trunc(boxes[:, :2] + boxes[:, 2:]) - np.trunc(boxes[:, :2])
    for row in np.flatnonzero((crops < min_side).any(axis=1)):
        problems[row] = "box of {:.0f}x{:.0f} pixels, below {} on a side".format(*crops[row], min_side)

    unreadable = _check_share(table, problems, max_unreadable, root)
    kept = (problems == "").to_numpy()
    manifest = table.assign(
        **{IMAGE: f"{root.name}/" + table[IMAGE], DIGEST: facts["digest"]},
        **dict(zip(BOX, boxes.T, strict=True)),
    )
    manifest = manifest[kept].reset_index(drop=True)
    report = {
        "pictures": len(manifest),
        "unreadable": unreadable,
        "boxes_cut_to_picture": int((cut & kept).sum()),
        "parts": count_parts(manifest),
        "categories": count_categories(manifest),
    }
    return manifest, report


def finish_features(table: pd.DataFrame, root: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The manifest and a report of a dataset that gives features instead of pictures: all rows, in order.

    `digest` is that of all that the folder `root` holds: other features or another head make another manifest.
    """
    digest = FEATURES_DIGEST + fingerprint(params=[], inputs=[root], modules=[])
    manifest = table.assign(**{IMAGE: f"{root.name}/" + table[IMAGE], DIGEST: digest})
    report = {"rows_with_features": len(manifest), "pictures": 0}
    return manifest, {**report, "parts": count_parts(manifest), "categories": count_categories(manifest)}


def _fit_boxes(table: pd.DataFrame, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes cut to pictures of `sizes` (N, 2): (N, 4) float64, and which of them (N,) reached outside.

    A row without a box, or with a size of NaN (unreadable), gets NaN and False.
    """
    boxes = table[list(BOX)].to_numpy(dtype=np.float64)
    start, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    inside_start, inside_end = np.clip(start, 0, sizes), np.minimum(end, sizes)
    beside = (inside_start >= inside_end).any(axis=1)
    if beside.any():
        row = np.flatnonzero(beside)[0]
        where = f"dataset {table[DATASET].iloc[row]}, row {row + 1} ({table[IMAGE].iloc[row]})"
        box = ", ".join(f"{name} {value:g}" for name, value in zip(BOX, boxes[row], strict=True))
        size = "{:.0f}x{:.0f}".format(*sizes[row])
        raise UserError(f"{where}: box ({box}) lies outside the picture of {size} pixels; correct or drop it")
    cut = ((inside_start > start) | (inside_end < end)).any(axis=1)
    extents = np.where(cut[:, None], inside_end - inside_start, boxes[:, 2:])
    return np.hstack([inside_start, extents]), cut


def _check_share(table: pd.DataFrame, problems: pd.Series, max_share: float, root: Path) -> dict[str, Any]:
    bad = problems != ""
    share = float(bad.mean())
    listed = pd.DataFrame({"image": table[IMAGE], "reason": problems})[bad].drop_duplicates().head(LISTED)
    if share > max_share or bad.all():
        first = "; ".join(f"{image}: {reason}" for image, reason in listed.head(3).itertuples(index=False))
        raise UserError(
            f"{root}: {bad.sum()} of {len(table)} pictures unreadable, where prepare.max_unreadable allows a share "
            f"of {max_share:g}; mend or drop them, first: {first}"
        )
    return {"pictures": int(bad.sum()), "share": share, "first": listed.to_dict("records")}
