"""Variables of MAT files."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.opening import check_opens


def read_mat(path: Path, variable: str) -> np.ndarray:
    """A variable of a MAT file up to v7; structs are structured arrays whose fields hold arrays.

    Raises UserError for a missing or damaged file, one of v7.3, and one without the variable.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise UserError(f"{path}: no such file; run `dvc repro download`")
    check_opens(path)  # scipy hides why it cannot
    try:
        content = loadmat(path, variable_names=[variable])
    except NotImplementedError:
        raise UserError(f"{path}: MAT v7.3; save it as v5 (in MATLAB: save -v6)") from None
    except (MatReadError, OSError, ValueError, TypeError, KeyError, IndexError, zlib.error, EOFError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: truncated or not a MAT file ({problem}); get the file again") from None
    if variable not in content:
        raise UserError(f"{path}: no variable {variable} in it; get the released file")
    return content[variable]


def read_mat_list(path: Path, variable: str) -> list[str]:
    """A cell array of texts. Raises UserError as `read_mat` does, and when it is none."""
    cells = read_mat(path, variable).ravel()
    if not all(isinstance(cell, np.ndarray) and cell.dtype.kind == "U" and cell.size == 1 for cell in cells):
        raise UserError(f"{path}: {variable} is no list of names; get the file again")
    return [cell.item() for cell in cells]


def read_mat_rows(path: Path, variable: str, fields: Sequence[str]) -> pd.DataFrame:
    """The `fields` of a struct array as text columns; the index says which entry. Raises UserError when one lacks."""
    structs = read_mat(path, variable)
    try:
        columns = {name: [str(cell.item()) for cell in structs[name].ravel()] for name in fields}
    except (IndexError, AttributeError, ValueError, TypeError):
        raise UserError(f"{path}: expected {variable} with {', '.join(fields)}") from None
    rows = pd.DataFrame(columns, columns=list(fields), dtype=str)
    return rows.set_axis([f"entry {number + 1}" for number in range(len(rows))])
