"""The rows of a list, in whatever form it comes, by the names of its columns."""

from pathlib import Path

import pandas as pd

from pipeline.base.errors import UserError
from pipeline.datasets._shared.annotations import read_coco, read_deepfashion2
from pipeline.datasets._shared.forms import ListParams
from pipeline.datasets._shared.lists import read_named_rows, read_rows
from pipeline.datasets._shared.matlab import read_mat_rows
from pipeline.datasets._shared.tables import read_text_table
from pipeline.datasets._shared.trees import read_tree

TREES = {"json": read_tree, "coco": read_coco, "deepfashion2": read_deepfashion2}


def list_rows(place: Path, one: ListParams, path: str) -> pd.DataFrame:
    """The columns of the list `one` in the folder `place`, with `path` made by its template, if it has one.

    They are texts, but for the boxes of coco and deepfashion2; the index says which line, row or entry it is.
    Raises UserError for a missing or damaged list, a column that it lacks, and a row that makes no path.
    """
    rows = _read(place, one)
    return rows.assign(**{path: _paths(place / one.file, rows, one.template)}) if one.template else rows


def _read(place: Path, one: ListParams) -> pd.DataFrame:
    if one.variable:
        return read_mat_rows(place / one.file, one.variable, one.columns)
    if one.kind in TREES:
        return TREES[one.kind](place, one.file, one.columns)
    if one.kind == "csv":
        return _read_csv(place, one)
    if one.header:
        return read_named_rows(place, one.file, one.columns)
    rows = read_rows(place, one.file, one.columns, one.separator)
    return rows.apply(lambda column: column.str.strip())


def _read_csv(place: Path, one: ListParams) -> pd.DataFrame:
    rows = read_text_table(place, one.file, one.separator or ",")
    lacking = [column for column in one.columns if column not in rows]
    if lacking:
        found = ", ".join(rows.columns)
        raise UserError(f"{place / one.file}: no column {lacking[0]!r} in its header line; found {found}")
    return rows[one.columns].set_axis([f"row {number + 1}" for number in range(len(rows))])


def _paths(path: Path, rows: pd.DataFrame, template: str) -> list[str]:
    paths = []
    for row, *values in rows.itertuples(name=None):
        fields = dict(zip(rows.columns, values, strict=True))
        try:
            paths.append(template.format_map(fields))
        except (IndexError, KeyError, AttributeError, ValueError):
            raise UserError(f"{path} {row}: {fields} makes no path {template}") from None
    return paths
