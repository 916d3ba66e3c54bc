"""Files that the engines of faiss share."""

from pathlib import Path

import faiss
import numpy as np

from pipeline.base.opening import check_opens

INDEX, IDS = "index.faiss", "ids.npy"


def write_faiss(folder: Path, index: faiss.Index) -> None:
    """Write the index into `folder`."""
    faiss.write_index(index, str(folder / INDEX))


def read_faiss(folder: Path) -> faiss.Index:
    """The index in `folder`. Raises RuntimeError when it is missing or damaged, as faiss does; UserError: unopened."""
    check_opens(folder / INDEX)
    return faiss.read_index(str(folder / INDEX))


def write_ids(folder: Path, ids: np.ndarray) -> None:
    """Write the numbers (N,) int64 of the rows into `folder`."""
    np.save(folder / IDS, ids.astype(np.int64))


def read_ids(folder: Path) -> np.ndarray:
    """The numbers (N,) int64 of the rows in `folder`."""
    return np.load(folder / IDS, allow_pickle=False)
