"""The manifest: the one table that every stage after `prepare` knows, a row a picture (or a box of one)."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import (
    BOX,
    CATEGORY,
    DATASET,
    DIGEST,
    DOMAIN,
    IMAGE,
    ITEM,
    LINK,
    META_DOMAIN,
    SPLIT,
    SUBCATEGORY,
    Domain,
    MetaDomain,
    Part,
    Split,
)
from pipeline.base.parquet import read_parquet, write_parquet

REQUIRED = (IMAGE, ITEM, CATEGORY, DOMAIN, META_DOMAIN, SPLIT)
OPTIONAL = (SUBCATEGORY, LINK)
TEXTS = (IMAGE, ITEM, CATEGORY, SUBCATEGORY, DOMAIN, META_DOMAIN, DATASET, SPLIT, LINK)  # in the table's order
FEATURES_DIGEST = "features-"  # what a digest begins with that is not of a picture
CHOICES = {DOMAIN: Domain, META_DOMAIN: MetaDomain, SPLIT: Split}
TEST_SPLITS = (Split.QUERY, Split.GALLERY, Split.TEST)  # the order of the rows of a test part
# Absolute in any system's notation, or with a step upwards.
OUTSIDE = r"^[/\\]|^[A-Za-z]:[/\\]|(?:^|[/\\])\.\.(?:[/\\]|$)"


def check_table(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """The table of a dataset with the manifest's columns, order and types; other columns are dropped.

    Text columns are strings, `x y w h` float64 (NaN: the whole picture) and may be absent as a whole; `subcategory` and
    `link` are kept when given, `dataset` too (a set that joins several says which one a row is of) and is else the name
    `dataset`.
    Only rows of target/train, which are unlabelled, may have an empty `item`.

    Raises UserError naming the column and the first offending row (counted from 1, without a header).
    """
    missing = [column for column in REQUIRED if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns)) or "none"
        raise UserError(f"dataset {dataset}: column {missing[0]!r} is missing; the table has {found}")
    if table.columns.has_duplicates:
        repeated = table.columns[table.columns.duplicated()][0]
        raise UserError(f"dataset {dataset}: column {repeated!r} occurs twice; rename or drop one")
    if table.empty:
        raise UserError(f"dataset {dataset}: the table has no rows; check the row filter and the list files")
    checked = _strings(table, dataset)
    _check_labels(checked)
    checked = pd.concat([checked, _boxes(table, checked)], axis="columns")
    _check_images(checked)
    return checked


def part_rows(table: pd.DataFrame, part: Part) -> np.ndarray:
    """Positions (N,) int64 of the rows of `part`, in table order; in a test part query, gallery, then test rows."""
    source, split = table[META_DOMAIN] == MetaDomain.SOURCE, table[SPLIT]
    match part:
        case Part.SOURCE_TRAIN:
            masks = [source & split.isin([Split.TRAIN, Split.VAL])]
        case Part.SOURCE_TEST:
            masks = [source & (split == role) for role in TEST_SPLITS]
        case Part.TARGET_TRAIN:
            masks = [~source & (split == Split.TRAIN)]
        case Part.TARGET_TEST:
            masks = [~source & (split == role) for role in TEST_SPLITS]
    return np.concatenate([np.flatnonzero(mask) for mask in masks]).astype(np.int64)


def evaluated_part(table: pd.DataFrame, meta_domain: Literal["auto", "source", "target"]) -> Part:
    """The test part of `meta_domain`; auto is the target where it has test pictures, else the source."""
    if meta_domain == "auto":
        return Part.TARGET_TEST if len(part_rows(table, Part.TARGET_TEST)) else Part.SOURCE_TEST
    return Part(f"{meta_domain}_test")


def pictured(table: pd.DataFrame) -> pd.Series:
    """(N,) bool: whether there is a picture behind a row, or features alone."""
    return ~table[DIGEST].str.startswith(FEATURES_DIGEST)


def has_pictures(table: pd.DataFrame) -> bool:
    """Whether there are pictures behind the rows, or features alone."""
    return bool(pictured(table).any())


def check_part(path: Path, part: str, rows: np.ndarray) -> None:
    """Raise UserError when `part`, which the chain cannot do without, has no `rows` in the manifest at `path`."""
    if not len(rows):
        hint = "; evaluate.meta_domain says whose test part is evaluated" if part.endswith("_test") else ""
        raise UserError(f"{path}: no rows for {part}; the dataset needs some of that meta-domain and split{hint}")


def write_manifest(path: Path, table: pd.DataFrame) -> None:
    """Write the table as parquet, by rename; the same table gives the same bytes."""
    write_parquet(path, table)


def read_manifest(path: Path) -> pd.DataFrame:
    """The manifest that `write_manifest` wrote, `digest` included; its index is the place of each row.

    Raises UserError when `path` holds none.
    """
    mend = "run `dvc repro prepare`"
    table = read_parquet(path, mend)
    missing = [column for column in (*REQUIRED, DATASET, *BOX, DIGEST) if column not in table.columns]
    if missing:
        raise UserError(f"{path}: not a manifest, it has no column {missing[0]!r}; {mend}")
    return table.reset_index(drop=True)


def _strings(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """The text columns, with "" for what is missing."""
    table = table if DATASET in table.columns else table.assign(**{DATASET: dataset})
    texts = table[[column for column in TEXTS if column in table.columns]].reset_index(drop=True)
    return texts.astype("str").fillna("")


def _check_labels(table: pd.DataFrame) -> None:
    for column, known in CHOICES.items():
        _refuse(table, column, ~table[column].isin(list(known)), f"is unknown; known: {', '.join(known)}")
    unlabelled = (table[META_DOMAIN] == MetaDomain.TARGET) & (table[SPLIT] == Split.TRAIN)
    for column, optional in ((IMAGE, False), (CATEGORY, False), (ITEM, unlabelled)):
        _refuse(table, column, (table[column].str.strip() == "") & ~pd.Series(optional, table.index), "is empty")
    consumer = table[DOMAIN] == Domain.CONSUMER
    _refuse(table, DOMAIN, unlabelled & consumer, "in target/train; adaptation reads shop pictures only, drop the row")


def _boxes(table: pd.DataFrame, checked: pd.DataFrame) -> pd.DataFrame:
    """The columns x, y, w, h as float64, whole where they are given; whether they fit is for the pictures to say."""
    given = pd.DataFrame({column: table.get(column) for column in BOX}, index=table.index).reset_index(drop=True)
    boxes = given.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    shown = checked.join(given)
    for column in BOX:
        wrong = given[column].notna() & ~np.isfinite(boxes[column])
        _refuse(shown, column, wrong, "is not a number of pixels")
    boxed = boxes.notna().any(axis="columns")
    for column in BOX:
        _refuse(shown, column, boxed & boxes[column].isna(), "in half a box; give x, y, w and h or none of them")
    return boxes


def _check_images(table: pd.DataFrame) -> None:
    _refuse(table, IMAGE, table[IMAGE].str.contains(OUTSIDE), "leaves the dataset's folder; give a relative path")
    repeated = table.duplicated([IMAGE, *BOX])
    _refuse(table, IMAGE, repeated, "is listed twice with the same box; keep one of the rows")


def _refuse(table: pd.DataFrame, column: str, wrong: pd.Series, problem: str) -> None:
    """Raise UserError about the first row where `wrong`, if any."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    row = table.iloc[rows[0]]
    value = "nothing" if pd.isna(row[column]) else repr(np.asarray(row[column]).item())
    more = f" (and {len(rows) - 1} rows more)" if len(rows) > 1 else ""
    where = f"dataset {row[DATASET]}, row {rows[0] + 1} ({row[IMAGE]})"
    raise UserError(f"{where}: column {column}: {value} {problem}{more}")
