"""CSV and parquet files read as texts, so that an id keeps its leading zeros."""

import csv
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.base.errors import UserError
from pipeline.datasets._shared.lists import read_text


def read_text_table(root: Path, name: str, separator: str = ",") -> pd.DataFrame:
    """The table `name` in the folder `root` with all columns text, "" where empty.

    A name ending in .parquet is that; any other is CSV in UTF-8 with a header line, plain or gzipped (`name.gz`).
    Columns of a parquet file that cannot be text (lists, structures) are left out.
    Raises UserError for a missing or damaged file and for ragged lines.
    """
    if name.endswith(".parquet"):
        return _read_parquet(root / name)
    return _read_csv(root / name, read_text(root, name), separator)


def _read_csv(path: Path, content: str, separator: str) -> pd.DataFrame:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    rows = []
    try:
        header = next(reader, [])
        for row in filter(None, reader):
            if len(row) != len(header):
                line = f"{path} line {reader.line_num}"
                raise UserError(f"{line}: {len(row)} fields where the header names {len(header)}")
            rows.append(row)
    except csv.Error as error:
        raise UserError(f"{path} line {reader.line_num}: not valid CSV ({error})") from None
    if len(set(header)) < len(header) or not header:
        raise UserError(f"{path}: expected a header line with distinct column names, found {header!r}")
    return pd.DataFrame(rows, columns=header, dtype=str)


def _read_parquet(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such file; run `dvc repro download`")
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UserError(f"{path}: not a whole parquet file ({_line(error)}); write it again") from None
    texts = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_nested(column.type):
            texts[name] = pc.cast(column, pa.string()).fill_null("").to_pylist()
    return pd.DataFrame(texts, columns=list(texts), dtype=str)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
