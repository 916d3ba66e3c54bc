"""Names of files that come from lists, archives and params: none may lead out of its folder."""

from pathlib import PurePosixPath

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
