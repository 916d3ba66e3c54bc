"""CSV and parquet files read as texts, so that an id keeps its leading zeros."""

import csv
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, IMAGE
from pipeline.base.opening import opening
from pipeline.datasets._shared.lists import read_text

SEPARATORS = (",", ";", "\t", "|")
SHEETS = (".xlsx", ".xls", ".ods", ".numbers")


def read_text_table(root: Path, name: str, separator: str | None = ",", param: str = "separator") -> pd.DataFrame:
    """The table `name` in the folder `root` with all columns text, "" where empty.

    A name ending in .parquet is that; any other is CSV in UTF-8 with a header line, plain or gzipped (`name.gz`).
    Columns of a parquet file that cannot be text (lists, structures) are left out, and rows of blanks alone, with which
    spreadsheets end.
    `separator` None: the one that parts the header. Raises UserError for a missing or damaged file, for ragged lines,
    and for another separator, which `param` sets.
    """
    if name.endswith(".parquet"):
        table = _read_parquet(root / name)
        return table[~(table.apply(lambda column: column.str.strip()) == "").all(axis=1)].reset_index(drop=True)
    if name.lower().endswith(SHEETS):
        raise UserError(f"{root / name}: a spreadsheet, which is not read; export it as CSV (UTF-8)")
    content = read_text(root, name)
    header = content.partition("\n")[0]
    return _read_csv(root / name, content, separator or max(SEPARATORS, key=header.count), param)


def read_boxes(table: pd.DataFrame, path: Path) -> dict[str, pd.Series | float]:
    """The columns x, y, w, h of such a table, as float; NaN where they are empty, or not there.

    Raises UserError for what is no number, and when not all four columns are there.
    """
    found = [column for column in BOX if column in table]
    if not found:
        return dict.fromkeys(BOX, float("nan"))
    if len(found) < len(BOX):
        raise UserError(f"{path}: a box takes the columns {', '.join(BOX)}, only {', '.join(found)} found")
    boxes = {}
    for column in BOX:
        texts = table[column].str.strip()
        boxes[column] = pd.to_numeric(texts.where(texts != "", "nan"), errors="coerce").astype(float)
        wrong = boxes[column].isna() & ~texts.str.lower().isin(["", "nan"])
        if wrong.any():
            image = table.loc[wrong, IMAGE].iloc[0]
            raise UserError(
                f"{path}: box of {image}: {column} is {texts[wrong].iloc[0]!r}, expected a number or nothing"
            )
    return boxes


def _read_csv(path: Path, content: str, separator: str, param: str) -> pd.DataFrame:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    rows = []
    try:
        header = next(reader, [])
        _check_separator(path, header, separator, param)
        for row in reader:
            if not any(map(str.strip, row)):
                continue
            if len(row) != len(header):
                line = f"{path} line {reader.line_num}"
                raise UserError(f"{line}: {len(row)} fields where the header names {len(header)}")
            rows.append(row)
    except csv.Error as error:
        raise UserError(f"{path} line {reader.line_num}: not valid CSV ({error})") from None
    if len(set(header)) < len(header) or not header:
        raise UserError(f"{path}: expected a header line with distinct column names, found {header!r}")
    return pd.DataFrame(rows, columns=header, dtype=str)


def _check_separator(path: Path, header: list[str], separator: str, param: str) -> None:
    """Raise UserError when the header is one field that another separator would part."""
    other = max(SEPARATORS, key=header[0].count) if len(header) == 1 else separator
    if other != separator and other in header[0]:
        raise UserError(f"{path}: its fields are parted by {other!r}, not by {separator!r}; set {param} to {other!r}")


def _read_parquet(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such file; run `dvc repro download`")
    try:
        with opening(path):
            table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UserError(f"{path}: not a whole parquet file ({_line(error)}); write it again") from None
    texts = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_nested(column.type):
            try:
                texts[name] = pc.cast(column, pa.string()).fill_null("").to_pylist()
            except pa.ArrowException as error:
                raise UserError(f"{path}: column {name!r} cannot be text ({_line(error)}); mend or drop it") from None
    return pd.DataFrame(texts, columns=list(texts), dtype=str)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
