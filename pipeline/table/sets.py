"""The tables of single sets, as the stage download leaves them, and the joining of several sets into one manifest.

A set has two: that of its pictures, and that of their attributes, whose `row` is a place in the first.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, DATASET, DIGEST, ROW
from pipeline.base.parquet import read_parquet, write_parquet
from pipeline.table.attributes import read_attributes, write_attributes
from pipeline.table.counts import LISTED, count_categories, count_parts
from pipeline.table.manifest import OPTIONAL, TEXTS


def table_file(raw: Path, name: str) -> Path:
    """Where the table of the set `name` lies, beside its folder in `raw`."""
    return raw / f"{name}.parquet"


def attributes_file(raw: Path, name: str) -> Path:
    """Where what is known of the pictures of the set `name` lies, beside its table."""
    return raw / f"{name}.attributes.parquet"


def write_table(raw: Path, name: str, table: pd.DataFrame, attributes: pd.DataFrame) -> None:
    """Write the checked tables of a set; the same tables give the same bytes."""
    raw.mkdir(parents=True, exist_ok=True)
    write_attributes(attributes_file(raw, name), attributes)
    write_parquet(table_file(raw, name), table)


def read_table(raw: Path, name: str) -> pd.DataFrame:
    """The table that `write_table` wrote. Raises UserError when it is missing or damaged."""
    path, mend = table_file(raw, name), _mend(name)
    table = read_parquet(path, mend)
    if DATASET not in table.columns:
        raise UserError(f"{path}: not the table of a set; {mend}")
    return table


def read_set_attributes(raw: Path, name: str) -> pd.DataFrame:
    """The attributes that `write_table` wrote. Raises UserError when they are missing or damaged."""
    return read_attributes(attributes_file(raw, name), _mend(name))


def join_sets(
    names: Sequence[str], finished: Sequence[tuple[pd.DataFrame, dict[str, Any]]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One manifest and one report from those of several sets, in order; those of a single set are left as they are.

    `subcategory` and `link` are there when a set has them. What is left out is listed by their path below data/raw.
    """
    if len(finished) == 1:
        manifest, report = finished[0]
        return manifest.reset_index(drop=True), report
    manifest = pd.concat([table for table, _ in finished], ignore_index=True)
    manifest = manifest[[column for column in (*TEXTS, *BOX, DIGEST) if column in manifest]]
    manifest = manifest.fillna({column: "" for column in OPTIONAL if column in manifest})
    reports = [report for _, report in finished]
    unreadable = [report["unreadable"] for report in reports]
    bad = sum(one["pictures"] for one in unreadable)
    listed = [
        one | {"image": f"{name}/{one['image']}"}
        for name, found in zip(names, unreadable, strict=True)
        for one in found["first"]
    ]
    return manifest, {
        "pictures": len(manifest),
        "unreadable": {"pictures": bad, "share": bad / (bad + len(manifest)), "first": listed[:LISTED]},
        "boxes_cut_to_picture": sum(report["boxes_cut_to_picture"] for report in reports),
        "sets_with_boxes_as_shares": [name for report in reports for name in report["sets_with_boxes_as_shares"]],
        "parts": count_parts(manifest),
        "categories": count_categories(manifest),
    }


def join_attributes(manifests: Sequence[pd.DataFrame], attributes: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The attributes of the joined `manifests` of several sets, in order, from those of each set.

    The index of a set's manifest is the place of each row in the table of the set: what is not there is left out.
    """
    joined, first = [], 0
    for manifest, known in zip(manifests, attributes, strict=True):
        place = pd.Series(np.arange(first, first + len(manifest), dtype=np.int64), index=manifest.index)
        kept = known[known[ROW].isin(manifest.index)]
        joined.append(kept.assign(**{ROW: place.loc[kept[ROW]].to_numpy()}))
        first += len(manifest)
    return pd.concat(joined, ignore_index=True)


def _mend(name: str) -> str:
    return f"run `dvc repro -f download@{name}`"
