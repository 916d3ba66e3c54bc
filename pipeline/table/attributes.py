"""The second table, beside the manifest: what is known of pictures, attribute by attribute.

A row is one value of one attribute of one picture: `row` (int64, the place of the picture in the manifest),
`attribute`, `value` and `split` (texts). An attribute of a picture may have several values, a row each. The split is
the picture's, but for pictures of split val and test, which lists may name as `query` or `gallery` an attribute at a
time.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, IMAGE, ROW, SPLIT, VALUE, Part, Split
from pipeline.base.parquet import read_parquet, write_parquet
from pipeline.table.manifest import part_rows

COLUMNS = (ROW, ATTRIBUTE, VALUE, SPLIT)


def no_attributes() -> pd.DataFrame:
    """The table of pictures of which nothing is known."""
    return pd.DataFrame({ROW: np.empty(0, np.int64)} | {name: np.empty(0, "str") for name in COLUMNS[1:]})


def check_attributes(attributes: pd.DataFrame, table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """What a reader tells of the pictures of its checked `table`: columns, order and types of the table of attributes.

    `row` is a place in `table`. Without a column `split` it is that of the pictures; else that too, or `query` or
    `gallery` for pictures of split val and test.

    Raises UserError naming the first offending row (counted from 1).
    """
    missing = [column for column in COLUMNS[:3] if column not in attributes.columns]
    if missing:
        raise UserError(f"dataset {dataset}: the attributes have no column {missing[0]!r}")
    checked = attributes.reset_index(drop=True)
    rows = pd.to_numeric(checked[ROW], errors="coerce")
    _refuse(checked, ~rows.isin(range(len(table))), f"no row of the table's {len(table)}", dataset)
    checked[ROW] = rows.astype(np.int64)
    known = table.iloc[checked[ROW]].reset_index(drop=True)
    if SPLIT not in checked:
        checked[SPLIT] = known[SPLIT]
    checked[list(COLUMNS[1:])] = checked[list(COLUMNS[1:])].astype("str").fillna("")
    checked = checked.assign(**{IMAGE: known[IMAGE]})
    for column in (ATTRIBUTE, VALUE):
        _refuse(checked, checked[column].str.strip() == "", f"the {column} is empty", dataset)
    held_out = known[SPLIT].isin([Split.VAL, Split.TEST]) & checked[SPLIT].isin([Split.QUERY, Split.GALLERY])
    wrong = (checked[SPLIT] != known[SPLIT]) & ~held_out
    _refuse(checked, wrong, "the split is neither the picture's, nor query or gallery of one of val or test", dataset)
    checked = checked[[*COLUMNS, IMAGE]]
    _refuse(checked, checked.duplicated(list(COLUMNS)), "is there twice; keep one of the rows", dataset)
    return checked[list(COLUMNS)]


def write_attributes(path: Path, attributes: pd.DataFrame) -> None:
    """Write the table, by rename; the same table gives the same bytes."""
    write_parquet(path, attributes)


def read_attributes(path: Path, mend: str = "run `dvc repro prepare`") -> pd.DataFrame:
    """What `write_attributes` wrote. Raises UserError, ending in `mend`, when `path` holds none."""
    attributes = read_parquet(path, mend)
    if tuple(attributes.columns) != COLUMNS:
        raise UserError(f"{path}: not a table of attributes; {mend}")
    return attributes


def with_attributes(table: pd.DataFrame, attributes: pd.DataFrame) -> pd.DataFrame:
    """Rows of the manifest, one for each row of `attributes` that is of a picture of `table`, in the order of these.

    They have the columns attribute and value, and the split that the attribute's row has; the index is that of `table`,
    which is part of the manifest: the place of the picture there.
    """
    known = attributes[attributes[ROW].isin(table.index)]
    rows = table.loc[known[ROW]]
    return rows.assign(**{name: known[name].to_numpy() for name in (ATTRIBUTE, VALUE, SPLIT)})


def part_attributes(manifest: pd.DataFrame, attributes: pd.DataFrame, part: Part) -> pd.DataFrame:
    """As `with_attributes`, of the pictures of a part, in the order of `part_rows`, then of `attributes`."""
    rows = part_rows(manifest, part)
    place = pd.Series(np.arange(len(rows)), index=rows)
    known = attributes[attributes[ROW].isin(rows)]
    order = np.argsort(place.loc[known[ROW]].to_numpy(), kind="stable")
    return with_attributes(manifest.iloc[rows], known.iloc[order])


def _refuse(attributes: pd.DataFrame, wrong: pd.Series, problem: str, dataset: str) -> None:
    """Raise UserError about the first row where `wrong`, if any."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        told = ", ".join(f"{column} {value!r}" for column, value in attributes.iloc[rows[0]].astype("str").items())
        more = f" (and {len(rows) - 1} rows more)" if len(rows) > 1 else ""
        raise UserError(f"dataset {dataset}, row {rows[0] + 1} of its attributes ({told}): {problem}{more}")
