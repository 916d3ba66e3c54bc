"""Changes of params: nested or dotted names as a user writes them, checked against params.yaml."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from pipeline.base.errors import UserError

# Mappings whose keys are the user's own: a value replaces all of them, and a new key may be added.
FREE = ("alignment", "args", "constants", "rename", "where")
MISSING = object()


def read_changes(written: Mapping[str, Any], params: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Full name of a param -> value. `a.b: 1` and `a: {b: 1}` mean the same; a FREE mapping is one value.

    Raises UserError, which begins with `where`, for a param that `params` does not have and for one that is set twice.
    """
    changes: dict[str, Any] = {}
    for key, value in _leaves(written, params, ""):
        _check(key, params, where)
        if key in changes:
            raise UserError(f"{where}: {key} is set twice")
        changes[key] = value
    return changes


def changed(params: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `params` with `changes` (full name -> value) made; null above a name is an empty mapping."""
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
    """The param of that full name, MISSING where there is none."""
    values: Any = params
    for key in name.split("."):
        if not isinstance(values, Mapping) or key not in values:
            return MISSING
        values = values[key]
    return values


def _leaves(written: Mapping[str, Any], params: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in written.items():
        name = f"{prefix}{key}"
        # Below a section of params.yaml single params are meant.
        if isinstance(value, Mapping) and isinstance(look_up(params, name), Mapping) and not _is_free(name):
            yield from _leaves(value, params, f"{name}.")
        else:
            yield name, value


def _is_free(name: str) -> bool:
    return any(part in FREE for part in name.split("."))


def _check(name: str, params: Mapping[str, Any], where: str) -> None:
    known: Any = params
    sections = name.split(".")
    for depth, key in enumerate(sections):
        if not isinstance(known, Mapping) or key not in known:
            if depth and isinstance(known, Mapping | None) and _is_free(".".join(sections[:depth])):
                return
            choices = [str(choice) for choice in known] if isinstance(known, Mapping) else []
            close = get_close_matches(key, choices, n=1)
            hint = f"did you mean {'.'.join([*sections[:depth], close[0]])}?" if close else "see there"
            raise UserError(f"{where}: params.yaml has no {name}; {hint}")
        known = known[key]
