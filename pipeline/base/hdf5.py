"""HDF5 files: opened with clear errors, written aside and renamed."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from pipeline.base.atomic import replacing
from pipeline.base.errors import UserError
from pipeline.base.opening import opening


@contextmanager
def reading(path: Path, made_by: str | None) -> Iterator[h5py.File]:
    """Open `path` for reading. `made_by` is the stage that writes such files; None: it is a file of the user.

    Raises UserError when it is missing, cannot be opened, is truncated, not HDF5, or lacks what is read from it.
    """
    mend = f"run `dvc repro -f {made_by}`" if made_by else "get the file again"
    try:
        with opening(path):
            if not path.exists():
                raise UserError(f"{path}: no such file; {mend}")
            file = h5py.File(path, "r")
        with file:
            yield file
    except OSError as error:
        raise UserError(f"{path}: truncated or not HDF5 ({error}); {mend}") from error
    except KeyError as error:
        raise UserError(f"{path}: foreign HDF5 file ({error.args[0]}); {mend}") from error


@contextmanager
def writing(path: Path) -> Iterator[h5py.File]:
    """Create `path` whole or not at all. Bytes depend on the content only. A full disk raises OSError."""
    with replacing(path) as aside, _ForgivingFile(aside, "w+") as raw:
        try:
            with h5py.File(raw, "w") as file:
                yield file
        finally:
            if raw.error is not None:
                raise raw.error


def set_attributes(node: h5py.HLObject, values: Mapping[str, Any]) -> None:
    """Set several attributes."""
    for name, value in values.items():
        node.attrs[name] = value


class _ForgivingFile(io.FileIO):
    """A file that takes every write and keeps the first failure in `error`: a failing one would crash HDF5."""

    error: OSError | None = None

    def write(self, content: memoryview) -> int:
        """Write all of `content`."""
        left = content
        try:
            while len(left):
                left = left[super().write(left) :]
        except OSError as error:
            self.error = self.error or error
        return len(content)
