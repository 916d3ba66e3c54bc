"""Writing so that a reader sees the whole file or none of it."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4  # a number of a process may be that of another one on another machine


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to make a file or folder at; it becomes `path` on success, vanishes on failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield aside
        _swap(aside, path)
    finally:
        remove(aside)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` by rename."""
    with replacing(path) as aside:
        aside.write_bytes(content)


def publish(made: Path, final: Path) -> None:
    """Move the finished file or folder `made` to `final`, which it replaces. On one file system this is a rename."""
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        _swap(made, final)
    except OSError as error:
        if error.errno != errno.EXDEV:  # scratch lies on another file system
            raise
        with replacing(final) as aside:
            shutil.copytree(made, aside) if made.is_dir() else shutil.copyfile(made, aside)
        remove(made)


def remove(path: Path) -> None:
    """Delete a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _swap(made: Path, final: Path) -> None:
    if not final.is_dir():
        made.replace(final)
        return
    # A folder is not replaced by a rename: two of them, so that who reads meanwhile finds one or the other whole.
    former = final.with_name(f".{final.name}.{uuid4().hex}.former")
    final.replace(former)
    try:
        made.replace(final)
    except BaseException:
        former.replace(final)
        raise
    remove(former)
