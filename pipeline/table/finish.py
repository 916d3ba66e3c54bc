"""The manifest against the pictures on disk: what cannot be used goes out, boxes are fitted, and all is counted."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import (
    BOX,
    DIGEST,
    IMAGE,
)
from pipeline.base.workspace import fingerprint
from pipeline.table.boxes import fit_boxes, in_pixels
from pipeline.table.counts import LISTED, count_categories, count_parts
from pipeline.table.inspect import inspect_images
from pipeline.table.manifest import FEATURES_DIGEST


def finish_manifest(
    table: pd.DataFrame, root: Path, *, min_side: int, max_unreadable: float, workers: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The manifest from a checked table of one dataset whose `image` is relative to `root`, and a report.

    Every file is decoded. Rows whose picture cannot be used are left out: it is missing or unreadable, or it, or its
    box, is smaller than `min_side` pixels on a side, or the box has no size or lies beside the picture. Boxes that are
    shares of it become pixels (`in_pixels`), those reaching outside are cut to it; `digest` is added (32 hex characters
    of the file's sha256); `image` gets the name of `root` in front. The order of rows is kept, and as index their
    places in `table`.

    The report counts pictures and items per meta-domain and split, pictures per category, cut boxes, and lists what is
    left out with the reasons, up to `LISTED`. Items of target/train, which is unlabelled, are not looked at.

    Raises UserError when the share of rows left out exceeds `max_unreadable`, or nothing is left.
    """
    names = table[IMAGE].unique()
    found = inspect_images([root / name for name in names], min_side=min_side, workers=workers)
    facts = pd.DataFrame(map(asdict, found), index=names).loc[table[IMAGE]].reset_index(drop=True)
    problems = facts["problem"].copy()

    sizes = facts[["width", "height"]].to_numpy(dtype=np.float64, copy=True)
    sizes[problems != ""] = np.nan
    boxes, were_shares = in_pixels(table[list(BOX)].to_numpy(dtype=np.float64), sizes)
    boxes, cut, of_boxes = fit_boxes(boxes, sizes, min_side)
    problems = problems.where(problems != "", of_boxes)

    unreadable = _check_share(table, problems, max_unreadable, root)
    kept = (problems == "").to_numpy()
    manifest = table.assign(
        **{IMAGE: f"{root.name}/" + table[IMAGE], DIGEST: facts["digest"]},
        **dict(zip(BOX, boxes.T, strict=True)),
    )
    manifest = manifest.reset_index(drop=True)[kept]
    report = {
        "pictures": len(manifest),
        "unreadable": unreadable,
        "boxes_cut_to_picture": int((cut & kept).sum()),
        "sets_with_boxes_as_shares": [root.name] if were_shares else [],
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


def _check_share(table: pd.DataFrame, problems: pd.Series, max_share: float, root: Path) -> dict[str, Any]:
    bad = problems != ""
    share = float(bad.mean())
    listed = pd.DataFrame({"image": table[IMAGE], "reason": problems})[bad].drop_duplicates().head(LISTED)
    if share > max_share or bad.all():
        first = "; ".join(f"{image}: {reason}" for image, reason in listed.head(3).itertuples(index=False))
        mend = "mend or drop them" if bad.all() else "mend or drop them, or raise it and all are listed"
        raise UserError(
            f"{root}: {bad.sum()} of {len(table)} pictures cannot be used, where prepare.max_unreadable allows a share "
            f"of {max_share:g}; {mend}, first: {first}"
        )
    return {"pictures": int(bad.sum()), "share": share, "first": listed.to_dict("records")}
