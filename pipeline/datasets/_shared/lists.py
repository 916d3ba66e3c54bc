"""List files of published datasets: plain or gzipped text and JSON, every field kept as text.

The index of the rows of a text list is the number of their line, by which `lines` names mistakes.
"""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import BaseModel, TypeAdapter, ValidationError

from pipeline.base.errors import UserError
from pipeline.base.opening import opening

Entry = TypeVar("Entry", bound=BaseModel)


def find_list(root: Path, name: str) -> Path | None:
    """The file `name` in the folder `root`, or the same gzipped (`name.gz`); None when there is neither."""
    return next((path for path in (root / name, root / f"{name}.gz") if path.is_file()), None)


def read_text(root: Path, name: str) -> str:
    """The content of the list `name`, with its line ends. Raises UserError when it is missing or damaged."""
    path = find_list(root, name)
    if path is None:
        raise UserError(f"{root / name}: no such file; run `dvc repro download`")
    try:
        with opening(path):
            content = path.read_bytes()
        # Spreadsheets put a mark before the first character.
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not text in UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UserError(f"{path}: damaged file ({error}); get it again") from None


def read_rows(root: Path, name: str, columns: Sequence[str], separator: str | None = None) -> pd.DataFrame:
    """A list without header as text columns; `separator` None: runs of blanks.

    Raises UserError naming the line that has not one field for each of `columns`.
    """
    lines = read_text(root, name).splitlines()
    return _table(root / name, lines, columns, separator, first=1)


def read_named_rows(root: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """A list whose first line names its columns, which must be `columns`; fields by runs of blanks, kept as text.

    Raises UserError for another first line, and naming the line that has not one field for each column.
    """
    header, *lines = read_text(root, name).splitlines() or [""]
    if header.split() != list(columns):
        raise UserError(f"{root / name}: expected the columns {', '.join(columns)} in line 1, found {header[:80]!r}")
    return _table(root / name, lines, columns, None, first=2)


def read_headed_rows(root: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """DeepFashion's form: the number of rows, the column names, then rows padded with blanks; text `columns` of it.

    Raises UserError when the number is wrong (a cut off file), a column is missing or a line has gaps.
    """
    path = root / name
    lines = read_text(root, name).splitlines()
    count, header = (*lines[:2], "", "")[:2]
    names = header.split()
    missing = [column for column in columns if column not in names]
    if not count.strip().isdigit() or missing:
        raise UserError(
            f"{path}: expected the number of rows in line 1 and the columns {', '.join(columns)} in line 2, "
            f"found {count[:40]!r} and {header[:80]!r}"
        )
    table = _table(path, lines[2:], names, None, first=3)
    if len(table) != int(count):
        raise UserError(f"{path}: line 1 promises {int(count)} rows, found {len(table)}; get the file again")
    return table[list(columns)]


def read_json_list(root: Path, name: str, entry: type[Entry]) -> list[Entry]:
    """A JSON list of objects of the type `entry`, further keys ignored. Raises UserError naming the first misfit."""
    return read_json(root, name, list[entry])


def read_json(root: Path, name: str, kind: Any) -> Any:
    """The JSON in the list `name`, which must be of the type `kind`. Raises UserError naming the first misfit."""
    try:
        return TypeAdapter(kind).validate_json(read_text(root, name))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = "".join(f" {part}" for part in problem["loc"])
        raise UserError(
            f"{root / name}: entry{where}: {problem['msg']}, found {str(problem['input'])[:80]!r}"
        ) from None


def _table(path: Path, lines: list[str], columns: Sequence[str], separator: str | None, first: int) -> pd.DataFrame:
    rows, numbers = [], []
    for number, line in enumerate(lines, start=first):
        row = line.split(separator)
        if len(row) == len(columns):
            rows.append(row)
            numbers.append(number)
        elif line.strip():
            fields = ", ".join(columns)
            raise UserError(f"{path} line {number}: expected {len(columns)} fields ({fields}), found {line[:80]!r}")
    return pd.DataFrame(rows, columns=list(columns), index=pd.Index(numbers, dtype="int64"), dtype=str)
