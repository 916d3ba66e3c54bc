"""Mistakes in the lines of list files: each is one error with the file, the line, the field and what is wrong.

Columns are those of `pipeline.datasets._shared.lists`: texts whose index is the number of the line; an index of texts
says itself what it counts.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError


def refuse(path: Path, column: pd.Series, wrong: pd.Series, problem: str) -> None:
    """Raise UserError about the first field of `column` where `wrong` (of the same index), if there is one."""
    if wrong.any():
        line = wrong.idxmax()
        where = line if isinstance(line, str) else f"line {line}"
        raise UserError(f"{path} {where}: {column.name} {column[line]!r} {problem}")


def refuse_others(path: Path, column: pd.Series, known: list[str]) -> None:
    """Raise UserError about the first field that is none of `known`."""
    refuse(path, column, ~column.isin(known), f"is unknown; known: {', '.join(known)}")


def numbers(path: Path, column: pd.Series) -> pd.Series:
    """The column as float64. Raises UserError for a field that is no finite number."""
    parsed = pd.to_numeric(column, errors="coerce").astype(np.float64)
    refuse(path, column, ~np.isfinite(parsed), "is no number")
    return parsed


def whole_numbers(path: Path, column: pd.Series, low: int, high: int) -> pd.Series:
    """The column as int64. Raises UserError for a field that is no whole number from `low` to `high`."""
    parsed = pd.to_numeric(column.where(column.str.fullmatch(r"[0-9]{1,18}")), errors="coerce")
    refuse(path, column, ~parsed.between(low, high), f"is no whole number from {low} to {high}")
    return parsed.astype(np.int64)


def look_up(path: Path, rows: pd.DataFrame, key: str, wanted: pd.Series) -> pd.DataFrame:
    """The rows of `rows` whose column `key` is `wanted`, with the index of `wanted`; NaN where there is none.

    Raises UserError for a key in two rows.
    """
    refuse(path, rows[key], rows[key].duplicated(), "is in an earlier line already")
    return rows.set_index(key).reindex(wanted).set_index(wanted.index)
