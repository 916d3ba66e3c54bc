"""What the tests of the public benchmarks share."""

from pathlib import Path
from typing import Any

import pandas as pd

from support.project import set_params


def committed(name: str, **changes: Any) -> dict[str, Any]:
    """The committed params of a dataset, with changes."""
    return set_params(name) | changes


def touch(root: Path, names: Any) -> None:
    """Empty files."""
    for name in names:
        path = root / str(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def ranked(table: pd.DataFrame, split: str) -> tuple[list[str], list[int]]:
    """Pictures of a split and the ranks of their items, item by item: how DADA lists them."""
    rows = table[table["split"] == split].sort_values("item", kind="stable")
    return rows["image"].tolist(), pd.factorize(rows["item"])[0].tolist()


def check_ranked(table: pd.DataFrame, split: str, case: dict[str, Any], prefix: str) -> None:
    """A split of `table` must hold what DADA read, in its order."""
    images, labels = ranked(table, split)
    assert images == case[f"{prefix}_paths"].tolist()
    assert labels == case[f"{prefix}_labels"].tolist()


def headed(header: str, rows: list[str]) -> str:
    """A list in DeepFashion's form."""
    return "\n".join([str(len(rows)), header, *rows]) + "\n"
