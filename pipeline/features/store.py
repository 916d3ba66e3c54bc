"""Feature files `data/features/<part>.h5`: pooled features and embeddings of manifest rows.

Datasets `pooled` (N, P) float32, `embedding` (N, D) float32, `row` (N,) int64 into the manifest; attributes
`normalized_pooled` (bool) and `model` (fingerprint of the model they come from).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.base.errors import UserError
from pipeline.base.hdf5 import reading, set_attributes, writing
from pipeline.base.names import EMBEDDING, MODEL, NORMALIZED_POOLED, POOLED, ROW

MADE_BY = "extract"


@dataclass(frozen=True)
class Features:
    """The content of a feature file; see the module's docstring. What was not asked for is empty (N, 0)."""

    row: np.ndarray
    pooled: np.ndarray
    embedding: np.ndarray
    normalized_pooled: bool
    model: str


def write_features(
    path: Path, rows: np.ndarray, blocks: Iterable[tuple[np.ndarray, np.ndarray]], *, normalized: bool, model: str
) -> None:
    """Write the blocks of (pooled, embedding), which together cover `rows` (N,) in order, to `path`.

    Raises UserError naming the manifest row when a feature is not finite, or when rows are missing or too many.
    """
    with writing(path) as file:
        done = 0
        for pooled, embedding in blocks:
            if done == 0:
                shapes = {POOLED: pooled.shape[1], EMBEDDING: embedding.shape[1]}
                made = {name: file.create_dataset(name, (len(rows), dim), "f4") for name, dim in shapes.items()}
            end = done + len(pooled)
            if end > len(rows):
                raise UserError(f"{path}: more features than the {len(rows)} rows asked for; remove data/.partial")
            for name, block in ((POOLED, pooled), (EMBEDDING, embedding)):
                _check_finite(path, name, block, rows[done:end])
                made[name][done:end] = block
            done = end
        if done != len(rows):
            raise UserError(f"{path}: {len(rows) - done} of {len(rows)} rows have no features; remove data/.partial")
        file.create_dataset(ROW, data=rows.astype(np.int64))
        set_attributes(file, {NORMALIZED_POOLED: normalized, MODEL: model})


def read_features(path: Path, *names: str) -> Features:
    """Read `path`; of `pooled` and `embedding` only those in `names` (both when none is given).

    Raises UserError when the file is missing, truncated, foreign, inconsistent, or holds a NaN or infinity.
    """
    wanted = names or (POOLED, EMBEDDING)
    with reading(path, MADE_BY) as file:
        row = file[ROW][()]
        absent = np.empty((len(row), 0), np.float32)
        arrays = {name: file[name][()] if name in wanted else absent for name in (POOLED, EMBEDDING)}
        normalized, model = bool(file.attrs[NORMALIZED_POOLED]), str(file.attrs[MODEL])
    for name, array in arrays.items():
        if array.ndim != 2 or len(array) != len(row):
            raise UserError(f"{path}: {name!r} is {array.shape} for {len(row)} rows; run `dvc repro -f {MADE_BY}`")
        _check_finite(path, name, array, row)
    return Features(row, arrays[POOLED], arrays[EMBEDDING], normalized, model)


def _check_finite(path: Path, name: str, values: np.ndarray, rows: np.ndarray) -> None:
    if np.isfinite(values).all():
        return
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    raise UserError(
        f"{path}: {name!r} of manifest row {rows[bad[0]]} is not finite ({len(bad)} such rows); "
        "the model is broken: lower finetune.optim.lr and train again"
    )
