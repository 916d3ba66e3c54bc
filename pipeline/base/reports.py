"""Small files for people and for DVC: json, csv, text. Written by rename, the same values give the same bytes."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.atomic import write_bytes

DECIMALS = 6


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, ending in one newline."""
    write_bytes(path, (text.rstrip("\n") + "\n").encode())


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write nested dicts and lists of numbers (numpy's too) and strings as JSON, keys in the given order.

    Floats are rounded to 6 decimals; what is not finite (an undefined metric) becomes null.
    """
    write_text(path, json.dumps(_plain(values), indent=2, ensure_ascii=False, allow_nan=False))


def write_csv(path: Path, rows: pd.DataFrame | Iterable[Mapping[str, Any]]) -> None:
    """Write a table with a header line; floats have 6 significant digits, what is missing is left empty."""
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    write_text(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): _plain(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_plain(entry) for entry in value]
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case float():
            # Adding 0.0 turns -0.0, which rounding makes of tiny negatives, into 0.0.
            return round(value, DECIMALS) + 0.0 if math.isfinite(value) else None
        case _:
            return value
