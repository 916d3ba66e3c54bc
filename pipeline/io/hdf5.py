"""HDF5 files: opened with clear errors, written aside and renamed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.errors import UserError
from pipeline.io.atomic import replacing


@contextmanager
def reading(path: Path, made_by: str) -> Iterator[h5py.File]:
    """Open `path` for reading. `made_by` is the stage that writes such files.

    Raises UserError when it is missing, truncated, not HDF5, or lacks what is read from it.
    """
    mend = f"run `dvc repro -f {made_by}`"
    if not path.exists():
        raise UserError(f"{path}: no such file; {mend}")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise UserError(f"{path}: truncated or not HDF5 ({error}); {mend}") from error
    except KeyError as error:
        raise UserError(f"{path}: foreign HDF5 file ({error.args[0]}); {mend}") from error


@contextmanager
def writing(path: Path) -> Iterator[h5py.File]:
    """Create `path` whole or not at all. Bytes depend on the content only."""
    with replacing(path) as aside, h5py.File(aside, "w") as file:
        yield file


def set_attributes(node: h5py.HLObject, values: Mapping[str, Any]) -> None:
    """Set several attributes."""
    for name, value in values.items():
        node.attrs[name] = value


def read_vector(node: h5py.Group, name: str) -> np.ndarray:
    """The dataset `name` of `node`, whole. Raises KeyError when absent."""
    return node[name][()]
