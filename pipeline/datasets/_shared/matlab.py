"""Variables of MAT files."""

import zlib
from pathlib import Path

import numpy as np

from pipeline.base.errors import UserError


def read_mat(path: Path, variable: str) -> np.ndarray:
    """A variable of a MAT file up to v7; structs are structured arrays whose fields hold arrays.

    Raises UserError for a missing or damaged file, one of v7.3, and one without the variable.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise UserError(f"{path}: no such file; run `dvc repro download`")
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
