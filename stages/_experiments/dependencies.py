"""What a run of the chain depends on: commands, params and files, as DVC itself reads dvc.yaml with its params."""

import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.base.errors import UserError
from pipeline.experiments.changes import MAIN, MISSING, Params, full_name, look_up

if TYPE_CHECKING:
    from dvc.repo import Repo

DVC_FILE = "dvc.yaml"
PACKAGES = "requirements.lock"  # what all stages run in


class Dependencies(NamedTuple):
    """Plain lists and mappings that stand for what a run depends on; of files that Git does not know the path alone.

    commands: of each stage its command and full name of a param -> value; paths: of files and folders, sorted;
    files: tracked file -> what stands for its content.
    """

    commands: list[tuple[Any, dict[str, Any]]]
    paths: list[str]
    files: dict[str, str]


def dependencies(repo: "Repo", params: Params, tracked: Mapping[str, str]) -> Dependencies:
    """Those of a run with `params`, whatever they are on disk; `tracked`: file -> what stands for its content.

    Raises UserError for a param that dvc.yaml names and its file does not have, and for a path that a run in a folder
    of its own would not see.
    """
    commands, paths, made = [], {PACKAGES}, set()
    for stage in _stages(repo, params):
        folder = stage.get("wdir", "")
        commands.append((stage["cmd"], _named(stage.get("params", []), folder, params)))
        paths |= _paths(stage.get("deps", []), folder)
        made |= {path for kind in ("outs", "metrics", "plots") for path in _paths(stage.get(kind, []), folder)}
    files = files_at(paths, tracked)
    for path in sorted(paths - made - tracked.keys() - {PACKAGES}):
        # What a stage makes may be named by what is in it or by what it is in.
        if not (Path(path).is_absolute() or files_at([path], {*files, *made}) or files_at(made, [path])):
            raise UserError(
                f"{path} is tracked by neither Git nor DVC, so that runs in other folders would not see it; where "
                f"params name it, give its absolute path, {Path(path).resolve()}"
            )
    return Dependencies(commands, sorted(paths), {file: tracked[file] for file in files})


def files_at(paths: Iterable[str], files: Iterable[str]) -> list[str]:
    """Those of `files` that are at or below one of `paths`, or are the .dvc file of it or of a folder that it is in.

    A path outside of the project has none.
    """
    places = {PurePosixPath(os.path.relpath(path or os.curdir)) for path in paths}
    by_dvc = {f"{folder}.dvc" for place in places for folder in _upwards(place)}
    return [file for file in files if file in by_dvc or not places.isdisjoint(_upwards(PurePosixPath(file)))]


def _upwards(path: PurePosixPath) -> list[PurePosixPath]:
    return [path, *path.parents]


def _stages(repo: "Repo", params: Params) -> list[dict[str, Any]]:
    # The stages of dvc.yaml as DVC fills them in, from a disk on which the params files say `params`.
    from dvc.dvcfile import ProjectFile
    from dvc.fs import LocalFileSystem

    texts = {Path(file).resolve(): json.dumps(params[file], default=str, skipkeys=True) for file in params}

    class Changed(LocalFileSystem):
        def open(self, path: str, mode: str = "r", **options: Any) -> Any:
            text = texts.get(Path(path).resolve())
            return super().open(path, mode, **options) if text is None else io.StringIO(text)

    before, repo.fs = repo.fs, Changed()
    try:
        resolver = ProjectFile(repo, DVC_FILE).resolver
        return [resolver.resolve_one(name)[name] for name in resolver.get_keys()]
    finally:
        repo.fs = before


def _named(entries: Iterable[str | Mapping[str, Any]], folder: str, params: Params) -> dict[str, Any]:
    # Full name -> value; a file without names is meant as a whole.
    values = {}
    for entry in entries:
        for file, names in ({MAIN: [entry]} if isinstance(entry, str) else entry).items():
            path = os.path.normpath(Path(folder, file))
            for name in names or [""]:
                value = look_up(params[path], name) if name else params[path]
                if value is MISSING:
                    raise UserError(f"{DVC_FILE}: {path} has no {name}; add it there, or mend its name")
                values[full_name(path, name)] = value
    return values


def _paths(entries: Iterable[str | Mapping[str, Any]], folder: str) -> set[str]:
    # An entry is a path, or has it as its key.
    return {
        os.path.normpath(Path(folder, path))
        for entry in entries
        for path in ([entry] if isinstance(entry, str) else entry)
    }
