"""Names of files that come from lists, archives and params: none may lead out of its folder."""

import os
from pathlib import Path, PurePosixPath

from pipeline.base.errors import UserError


def inside(name: str, where: str) -> str:
    """`name`, a path relative to some folder, with "/" separators and without "." parts; "." for the folder itself.

    Raises UserError naming `where` when it is absolute or steps out by "..".
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise UserError(f"{where}: {name!r} leads out of its folder; only relative paths without '..' are accepted")
    return path.as_posix()


def joined(folder: str, name: str) -> str:
    """`folder/name` with "/" separators; the folder may be "."."""
    return PurePosixPath(folder, name).as_posix()


def escaped(name: str) -> str:
    """`name` as it can be printed: bytes that are no UTF-8 by their hex digits behind a backslash and an x."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Whether a name, as the file system gives it, is in UTF-8: no other can be in a table, and DVC takes no other."""
    try:
        os.fsencode(name).decode("utf-8")
    except UnicodeError:
        return False
    return True


def check_names(folder: Path) -> None:
    """Raise UserError about the first file or folder below `folder` whose name is not UTF-8."""
    for place, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            if not is_utf8(name):
                path = escaped(os.path.join(place, name))  # noqa: PTH118  as bytes may have it
                raise UserError(f"{path}: its name is not in UTF-8; rename it")
