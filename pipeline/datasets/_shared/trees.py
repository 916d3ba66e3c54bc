"""Lists in JSON: a list of objects, or objects within one another down to lists of paths."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.base.errors import UserError
from pipeline.datasets._shared.lists import read_json


def read_tree(root: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """The list `name` in the folder `root` as text columns; the index says which entry.

    [{column: value}, ...] gives a row an object, further keys ignored. {group: {id: [path]}} gives a row a path, with a
    column a level; an id that comes again, in another group, replaces the earlier one in its place, as the published
    readers of DeepFashion's list have it.
    Raises UserError for a missing or damaged file, an object without a column, and for another shape.
    """
    path, content = root / name, read_json(root, name, Any)
    if isinstance(content, list):
        rows = [_fields(path, entry, columns, number) for number, entry in enumerate(content, start=1)]
    else:
        leaves: dict[str, list[tuple[str, ...]]] = {}
        for names, paths in _leaves(path, content, len(columns) - 1):
            leaves[names[-1]] = [(*names, one) for one in paths]
        rows = [row for leaf in leaves.values() for row in leaf]
    table = pd.DataFrame(rows, columns=list(columns), dtype=str)
    return table.set_axis([f"entry {number + 1}" for number in range(len(table))])


def _fields(path: Path, entry: Any, columns: Sequence[str], number: int) -> tuple[str, ...]:
    lacking = [column for column in columns if not isinstance(entry, dict) or entry.get(column) is None]
    if lacking:
        raise UserError(f"{path} entry {number}: {lacking[0]!r} is missing; expected {', '.join(columns)}")
    return tuple(str(entry[column]) for column in columns)


def _leaves(path: Path, content: Any, depth: int) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield (names of the levels, paths) of objects `depth` levels deep."""
    if depth == 0:
        if not isinstance(content, list) or not all(isinstance(one, str) for one in content):
            raise UserError(f"{path}: expected lists of paths in it, found {str(content)[:80]!r}")
        yield (), content
        return
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected objects {depth} levels deep, found {str(content)[:80]!r}")
    for name, below in content.items():
        for names, paths in _leaves(path, below, depth - 1):
            yield (name, *names), paths
