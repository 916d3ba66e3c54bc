"""Changes of params: nested or dotted names as a user writes them, checked against the files they are in.

A full name is `section.key` of params.yaml, or `file:section.key` of another file, as DVC's --set-param has it.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipeline.base.errors import UserError
from pipeline.base.params import PARAMS_FILE, load_params

MAIN = PARAMS_FILE.as_posix()
# Mappings whose keys are the user's own: a value replaces all of them, and a new key may be added.
FREE = ("alignment", "args", "constants", "counts", "rename", "where")
MISSING = object()


class Params(dict[str, dict[str, Any]]):
    """Params file -> its content; read from disk when first asked for. Raises UserError as `load_params` does."""

    def __missing__(self, file: str) -> dict[str, Any]:
        self[file] = load_params(Path(file))
        return self[file]

    def changed(self, changes: Mapping[str, Any]) -> "Params":
        """Another one with `changes` (full name -> value) made."""
        return Params(self | {file: changed(self[file], made) for file, made in by_file(changes).items()})


def split_name(name: str) -> tuple[str, str]:
    """A full name as file and name in it."""
    file, colon, key = name.partition(":")
    # A key of the user's own may have a colon too.
    return (file, key) if colon and file.endswith((".yaml", ".yml")) else (MAIN, name)


def full_name(file: str, name: str) -> str:
    """What `split_name` splits."""
    return name if file == MAIN else f"{file}:{name}"


def by_file(changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """File -> those of `changes` (full name -> value) that are in it, by their name there."""
    files: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        file, key = split_name(name)
        files.setdefault(file, {})[key] = value
    return files


def read_changes(written: Mapping[str, Any], params: Params, where: str) -> dict[str, Any]:
    """Full name of a param -> value. `a.b: 1` and `a: {b: 1}` mean the same; a FREE mapping is one value.

    Raises UserError, which begins with `where`, for a param that its file does not have and for one that is set twice.
    """
    changes: dict[str, Any] = {}
    for file, part in by_file(written).items():
        for key, value in _leaves(part, params[file], ""):
            _check(key, params[file], file, where)
            name = full_name(file, key)
            if name in changes:
                raise UserError(f"{where}: {name} is set twice")
            changes[name] = value
    return changes


def changed(params: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a file's content with `changes` (name in it -> value) made; null above a name is an empty mapping."""
    made = deepcopy(dict(params))
    for name, value in changes.items():
        *sections, last = name.split(".")
        place = made
        for section in sections:
            if place.get(section) is None:
                place[section] = {}
            place = place[section]
        place[last] = value
    return made


def look_up(params: Mapping[str, Any], name: str) -> Any:
    """The param of that name in a file's content, MISSING where there is none."""
    values: Any = params
    for key in name.split("."):
        if not isinstance(values, Mapping) or key not in values:
            return MISSING
        values = values[key]
    return values


def _leaves(written: Mapping[str, Any], params: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in written.items():
        name = f"{prefix}{key}"
        # Below a section single params are meant.
        if isinstance(value, Mapping) and isinstance(look_up(params, name), Mapping) and not _is_free(name):
            yield from _leaves(value, params, f"{name}.")
        else:
            yield name, value


def _is_free(name: str) -> bool:
    return any(part in FREE for part in name.split("."))


def _check(name: str, params: Mapping[str, Any], file: str, where: str) -> None:
    known: Any = params
    sections = name.split(".")
    for depth, key in enumerate(sections):
        if not isinstance(known, Mapping) or key not in known:
            if depth and isinstance(known, Mapping | None) and _is_free(".".join(sections[:depth])):
                return
            choices = [str(choice) for choice in known] if isinstance(known, Mapping) else []
            close = get_close_matches(key, choices, n=1)
            hint = f"did you mean {'.'.join([*sections[:depth], close[0]])}?" if close else "see there"
            raise UserError(f"{where}: {file} has no {name}; {hint}")
        known = known[key]
