"""The tables of single sets, as the stage download leaves them, and the joining of several sets into one manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, DATASET, DIGEST
from pipeline.base.parquet import read_parquet, write_parquet
from pipeline.table.counts import LISTED, count_categories, count_parts
from pipeline.table.manifest import OPTIONAL, TEXTS


def table_file(raw: Path, name: str) -> Path:
    """Where the table of the set `name` lies, beside its folder in `raw`."""
    return raw / f"{name}.parquet"


def write_table(raw: Path, name: str, table: pd.DataFrame) -> None:
    """Write the checked table of a set; the same table gives the same bytes."""
    path = table_file(raw, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(path, table)


def read_table(raw: Path, name: str) -> pd.DataFrame:
    """What `write_table` wrote. Raises UserError when it is missing or damaged."""
    path, mend = table_file(raw, name), f"run `dvc repro -f download@{name}`"
    table = read_parquet(path, mend)
    if DATASET not in table.columns:
        raise UserError(f"{path}: not the table of a set; {mend}")
    return table


def join_sets(
    names: Sequence[str], finished: Sequence[tuple[pd.DataFrame, dict[str, Any]]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One manifest and one report from those of several sets, in order; those of a single set are left as they are.

    `subcategory` and `link` are there when a set has them. What is left out is listed by their path below data/raw.
    """
    if len(finished) == 1:
        return finished[0]
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
