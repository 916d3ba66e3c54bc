"""Datasets that are a folder of pictures for each class."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.base.opening import opening


def class_pictures(folders: Iterable[Path]) -> pd.DataFrame:
    """Columns `class` (name of the class folder) and `path` ("class/file") of the files in all `folders`, by path.

    Files and folders whose name starts with "." (resource forks of macOS and the like) are left out.
    Raises UserError for a folder that cannot be opened.
    """
    shown = sorted({path.relative_to(folder) for folder in folders for path in _pictures(folder)})
    return pd.DataFrame(
        {"class": [path.parts[0] for path in shown], "path": [path.as_posix() for path in shown]}, dtype=str
    )


def _pictures(folder: Path) -> list[Path]:
    with opening(folder):
        classes = [path for path in _shown(folder) if path.is_dir()]
        return [path for each in classes for path in _shown(each) if path.is_file()]


def _shown(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
