"""Feature files block by block: larger ones than fit into memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.base.errors import UserError
from pipeline.base.hdf5 import reading
from pipeline.base.names import EMBEDDING, NORMALIZED_POOLED, POOLED, ROW
from pipeline.base.progress import progress
from pipeline.features.store import write_features

BLOCK_ROWS = 8192  # 64 MiB of float32 at the published width of 2048

Block = tuple[np.ndarray, np.ndarray]  # pooled (B, P), embedding (B, D) float32


def feature_blocks(path: Path, made_by: str) -> Iterator[Block]:
    """Yield the rows of the feature file `path` in order. Raises UserError when it is missing, damaged, not finite."""
    mend = f"run `dvc repro -f {made_by}`"
    with reading(path, made_by) as file:
        pooled, embedding = file[POOLED], file[EMBEDDING]
        for start in range(0, len(pooled), BLOCK_ROWS):
            block = pooled[start : start + BLOCK_ROWS], embedding[start : start + BLOCK_ROWS]
            for name, values in zip((POOLED, EMBEDDING), block, strict=True):
                if (bad := first_bad_row(values)) is not None:
                    raise UserError(f"{path}: row {start + bad} of {name!r} is not finite; {mend}")
            yield block


def copy_features(
    path: Path, out: Path, rows: np.ndarray, shape: tuple[int, int], *, normalize: bool, made_by: str, model: str
) -> None:
    """Copy the feature file `path`, made by the stage `made_by`, to `out`, as features of the model `model`.

    It must be of the manifest's `rows` (N,), in that order, and fit a head of `shape` (D, P). `normalize`:
    L2-normalise the pooled features. Raises UserError when it does not fit, is damaged or not finite.
    """
    mend = f"run `dvc repro -f {made_by}`"
    with reading(path, made_by) as file:
        found, widths = file[ROW][()], (file[EMBEDDING].shape[1], file[POOLED].shape[1])
        normalized = bool(file.attrs[NORMALIZED_POOLED])
    if not np.array_equal(found, rows):
        raise UserError(f"{path}: features of {len(found)} rows, others than the {len(rows)} of the manifest; {mend}")
    if widths != shape:
        raise UserError(
            f"{path}: embeddings of width {widths[0]} from pooled features of width {widths[1]}, "
            f"where the head makes {shape[0]} from {shape[1]}; {mend}"
        )
    blocks = progress(feature_blocks(path, made_by), what=f"copy {out.stem}", unit="block")
    if normalize:
        blocks = ((unit_rows(pooled), embedding) for pooled, embedding in blocks)
    write_features(out, rows, blocks, normalized=normalized or normalize, model=model)


def unit_rows(values: np.ndarray) -> np.ndarray:
    """Rows (N, D) divided by their length; zero rows stay zero."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.maximum(lengths, np.finfo(values.dtype).tiny)


def first_bad_row(values: np.ndarray) -> int | None:
    """The first row of (N, D) that holds a NaN or infinity."""
    if np.isfinite(values).all():
        return None
    return int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
