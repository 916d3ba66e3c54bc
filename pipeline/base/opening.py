"""Files that cannot be opened: nothing is known of their content, so no line about one advises to make it again."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.base.errors import UserError

FORBIDDEN = (errno.EACCES, errno.EPERM)
HELD = (errno.EAGAIN, errno.EBUSY, errno.ETXTBSY)
LOCKLESS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
TOO_MANY = (errno.EMFILE, errno.ENFILE)
BROKEN = (errno.EIO, errno.ENXIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN)  # disks and shares


class Closed(NamedTuple):
    """A file that cannot be opened: why, and what to do."""

    reason: str
    mend: str


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Context in which the file or folder `path` is read. Raises UserError when it, or a file in it, cannot be opened.

    Other errors pass: of what is missing, is no file, or is damaged.
    """
    try:
        yield
    except OSError as error:
        path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
        if (found := why_closed(path, error)) is None:
            raise
        raise UserError(f"{path}: {found.reason}; {found.mend}") from error


def why_closed(path: Path, error: OSError) -> Closed | None:
    """Why `path` could not be opened for reading, if that is what `error` says."""
    if error.errno in FORBIDDEN or isinstance(error, PermissionError):  # some libraries give no number
        return _forbidden(path)
    if error.errno in HELD:
        return Closed("another program has it open and locked", "close it there, then run again")
    if error.errno in LOCKLESS:
        return Closed("its disk locks no files", "set HDF5_USE_FILE_LOCKING=FALSE in the environment, then run again")
    if error.errno in TOO_MANY:
        return Closed("too many files are open", "raise `ulimit -n`, then run again")
    if error.errno in BROKEN:
        return Closed(f"its disk or share fails ({os.strerror(error.errno)})", "mend that, then run again")
    return None


def check_opens(path: Path) -> None:
    """As `opening`, for what hides why it could not open the file `path`; one that is missing passes."""
    with opening(path), suppress(FileNotFoundError), open(path, "rb"):
        pass


def may_read(path: Path) -> bool:
    """Whether permissions let this process read `path`, there or not."""
    return _barring(path) is None and (not path.exists() or _permitted(path, os.R_OK))


def files_in(folder: Path) -> list[Path]:
    """All files below `folder`, sorted. Raises UserError for a folder that cannot be opened, which globs pass over."""

    def fail(error: OSError) -> None:
        raise error

    with opening(folder):
        found = [Path(place) / name for place, _, names in os.walk(folder, onerror=fail) for name in names]
        return sorted(path for path in found if path.is_file())


def _forbidden(path: Path) -> Closed:
    folder = _barring(path)
    if folder is None:
        return Closed("no permission to read it", f"give it with `chmod +r {path}`, then run again")
    what = "it" if folder == path else folder
    return Closed(f"no permission to enter {what}", f"give it with `chmod +rx {folder}`, then run again")


def _barring(path: Path) -> Path | None:
    """The outermost folder on the way to `path`, itself included, that may not be entered."""
    for folder in reversed(path.parents):
        if folder.exists() and not _permitted(folder, os.X_OK):
            return folder
    return path if path.is_dir() and not _permitted(path, os.R_OK | os.X_OK) else None


def _permitted(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
