"""Pictures that come into an index from outside the chain: a table of them, or a folder."""

from pathlib import Path

import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, DATASET, DOMAIN, IMAGE, ITEM, LINK, Domain
from pipeline.base.opening import files_in
from pipeline.datasets._shared.tables import read_boxes, read_text_table
from pipeline.retrieval.index.folder import FOLDER, TEXTS

TABLE = "manifest.csv"
NEEDED = (IMAGE, ITEM, CATEGORY)


def read_entries(path: Path) -> pd.DataFrame:
    """The pictures of a table, or of a folder: columns `TEXTS` of the index, and boxes (NaN: the whole picture).

    A table (CSV in UTF-8, or parquet) has the columns image, relative to the table, item and category, and may have
    link, domain, dataset and x, y, w, h. A folder is read by its manifest.csv, if it has one; else every file in it is
    a picture, its name the item, and the folder that it lies in the category.
    Raises UserError when there is nothing to read, or columns are missing.
    """
    if path.is_dir() and not (path / TABLE).is_file():
        entries = _folder(path)
    else:
        path = path / TABLE if path.is_dir() else path
        entries = _table(path)
    if entries.empty:
        raise UserError(f"{path}: no pictures in it")
    root = (path.parent if path.is_file() else path).resolve()
    defaults = {LINK: "", DOMAIN: str(Domain.SHOP), DATASET: root.name, FOLDER: root.as_posix()}
    entries = entries.assign(**{name: value for name, value in defaults.items() if name not in entries})
    unknown = entries[~entries[DOMAIN].isin(list(Domain))]
    if len(unknown):
        value, image = unknown[DOMAIN].iloc[0], unknown[IMAGE].iloc[0]
        raise UserError(f"{path}: domain {value!r} of {image}: unknown; known: {', '.join(Domain)}")
    return entries.assign(**_boxes(entries, path))[[*TEXTS, *BOX]]


def _folder(root: Path) -> pd.DataFrame:
    files = [file for file in files_in(root) if not file.name.startswith(".")]
    parents = [file.parent.relative_to(root).as_posix() for file in files]
    return pd.DataFrame(
        {
            IMAGE: [file.relative_to(root).as_posix() for file in files],
            ITEM: [file.stem for file in files],
            CATEGORY: ["" if parent == "." else parent for parent in parents],
        },
        dtype=str,
    )


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such table or folder")
    table = read_text_table(path.parent, path.name, separator=None)
    missing = [name for name in NEEDED if name not in table]
    if missing:
        raise UserError(f"{path}: no column {', '.join(missing)} among {', '.join(map(str, table.columns))}")
    return table


def _boxes(table: pd.DataFrame, path: Path) -> dict[str, pd.Series | float]:
    boxes = read_boxes(table, path)
    missing = pd.DataFrame(boxes, index=table.index).isna()
    half = missing.any(axis=1) & ~missing.all(axis=1)
    if half.any():
        raise UserError(f"{path}: box of {table[IMAGE][half].iloc[0]}: half a box; give x, y, w and h or none of them")
    return boxes
