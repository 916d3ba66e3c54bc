"""Datasets that are a folder of pictures for each class."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd


def class_pictures(folders: Iterable[Path]) -> pd.DataFrame:
    """Columns `class` (name of the class folder) and `path` ("class/file") of the files in all `folders`, by path.

    Files and folders whose name starts with "." (resource forks of macOS and the like) are left out.
    """
    found = {path.relative_to(folder) for folder in folders for path in folder.glob("*/*") if path.is_file()}
    shown = sorted(path for path in found if not any(part.startswith(".") for part in path.parts))
    return pd.DataFrame(
        {"class": [path.parts[0] for path in shown], "path": [path.as_posix() for path in shown]}, dtype=str
    )
