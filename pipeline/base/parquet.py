"""Parquet tables: written aside and renamed, read with clear errors."""

from pathlib import Path

import pandas as pd
from pyarrow import ArrowException

from pipeline.base.atomic import replacing
from pipeline.base.errors import UserError
from pipeline.base.opening import opening


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write `table` without its index, whole or not at all; the same table gives the same bytes."""
    with replacing(path) as aside:
        table.to_parquet(aside, engine="pyarrow", index=False)


def read_parquet(path: Path, mend: str) -> pd.DataFrame:
    """The table at `path`. Raises UserError, ending in `mend` when it is missing or damaged."""
    try:
        with opening(path):
            if not path.is_file():
                raise UserError(f"{path}: no such file; {mend}")
            return pd.read_parquet(path, engine="pyarrow")
    except (ArrowException, OSError, ValueError, KeyError):
        raise UserError(f"{path}: damaged or not a parquet file; {mend}") from None
