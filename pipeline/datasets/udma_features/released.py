"""The feature files that UDMA released: pooled features ("X-1") and embeddings ("X") of the training and test pictures.

Training files and Street2Shop's test files are HDF5 with `X_` (N, width) float32 and the labels `pid`, `cid` (N,), or
`labels` (product) and `class_labels` (N, 1). DeepFashion's test files are MAT v5 with `feats` (N, width), and texts
with an id a line. The rows of X and X-1 stand in the same order.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays.rows import bad_rows
from pipeline.base.errors import UserError
from pipeline.base.hdf5 import reading
from pipeline.base.names import CATEGORY, DOMAIN, IMAGE, ITEM, META_DOMAIN, SPLIT, Domain, MetaDomain, Part, Split
from pipeline.base.progress import progress
from pipeline.datasets._shared.categories import DEEPFASHION, STREET2SHOP
from pipeline.datasets._shared.lists import read_text
from pipeline.datasets._shared.matlab import read_mat
from pipeline.features.store import BLOCK_ROWS, Block

RUN = "DeepFashion_ADAM_ALL"
TRAIN = "ClusteringFeats/BASE/{meta}/" + RUN + "/train_{side}_{{kind}}_60.h5"
LABELS = ("pid", "cid", "labels", "class_labels")
UNIT_TOLERANCE = 1e-3  # of the length of a row that counts as normalised
UNKNOWN_CATEGORY = "all"  # DeepFashion's test files do not tell the category, and its protocol asks for none

Find = Callable[[str], Path]  # name of a released file -> where it is; raises UserError when it is nowhere


@dataclass(frozen=True)
class Piece:
    """Two released files, X and X-1 of the same pictures. `name`: path with {kind} for the two."""

    name: str
    meta_domain: MetaDomain
    domain: Domain
    split: Split

    @property
    def part(self) -> Part:
        """The part of the manifest that the rows belong to."""
        return Part(f"{self.meta_domain}_{'train' if self.split == Split.TRAIN else 'test'}")

    def file(self, kind: str) -> str:
        """Name of the file with the `kind` of features: X or X-1."""
        return self.name.format(kind=kind)


TRAINING = (
    Piece(TRAIN.format(meta="DeepFashion", side="Shop"), MetaDomain.SOURCE, Domain.SHOP, Split.TRAIN),
    Piece(TRAIN.format(meta="DeepFashion", side="Consumer"), MetaDomain.SOURCE, Domain.CONSUMER, Split.TRAIN),
    Piece(TRAIN.format(meta="Street2Shop", side="Shop"), MetaDomain.TARGET, Domain.SHOP, Split.TRAIN),
)
TESTS = {
    "deepfashion": (
        Piece(f"DeepFashion/{RUN}/Query_{{kind}}_60.mat", MetaDomain.SOURCE, Domain.CONSUMER, Split.QUERY),
        Piece(f"DeepFashion/{RUN}/Gallery_{{kind}}_60.mat", MetaDomain.SOURCE, Domain.SHOP, Split.GALLERY),
    ),
    "street2shop": (
        Piece(f"Street2Shop/{RUN}/Query_{{kind}}_60_Crop.h5", MetaDomain.TARGET, Domain.CONSUMER, Split.QUERY),
        Piece(f"Street2Shop/{RUN}/Gallery_{{kind}}_60_Crop.h5", MetaDomain.TARGET, Domain.SHOP, Split.GALLERY),
    ),
}


@dataclass(frozen=True)
class Inspected:
    """A checked piece: its rows for the manifest, the widths of X-1 and X, and whether all rows have unit length."""

    piece: Piece
    table: pd.DataFrame
    widths: tuple[int, int]
    unit: tuple[bool, bool]


def inspect_piece(piece: Piece, find: Find) -> Inspected:
    """Read a piece through once.

    Raises UserError naming the file that is missing, damaged or foreign, that has other rows than its companions, a
    feature that is not finite, or a category number that is not known.
    """
    path, companion = find(piece.file("X")), find(piece.file("X-1"))
    embedding, pooled = (_inspect_file(where) for where in (path, companion))
    items, categories = _listed(piece, find) if path.suffix == ".mat" else _named(piece, path, embedding.labels)
    n = embedding.shape[0]
    if pooled.shape[0] != n:
        raise UserError(f"{companion}: {pooled.shape[0]} rows, where {path.name} has {n}; get both again")
    for name in embedding.labels.keys() & pooled.labels.keys():
        if not np.array_equal(embedding.labels[name], pooled.labels[name]):
            raise UserError(f"{companion}: {name} is not that of {path.name}, row by row; get both again")
    if len(items) != n:
        raise UserError(f"{path}: {n} rows, but {len(items)} labels; get both files again")
    images = [f"{piece.file('X')}#{row}" for row in range(len(items))]
    constant = {DOMAIN: str(piece.domain), META_DOMAIN: str(piece.meta_domain), SPLIT: str(piece.split)}
    table = pd.DataFrame({IMAGE: images, ITEM: items, CATEGORY: categories}).assign(**constant)
    return Inspected(piece, table, (pooled.shape[1], embedding.shape[1]), (pooled.unit, embedding.unit))


def piece_blocks(piece: Piece, find: Find) -> Iterator[Block]:
    """Yield (pooled, embedding) float32 of an inspected piece in order."""
    # Each file is read inside its own context: an error must name the file it is in.
    yield from zip(*(_file_blocks(find(piece.file(kind))) for kind in ("X-1", "X")), strict=True)


def _file_blocks(path: Path) -> Iterator[np.ndarray]:
    with _open(path) as (features, _):
        for start in range(0, len(features), BLOCK_ROWS):
            yield np.asarray(features[start : start + BLOCK_ROWS], np.float32)


@dataclass(frozen=True)
class _File:
    """Shape of the features in a file, whether all rows have unit length, and the label columns (N,)."""

    shape: tuple[int, int]
    unit: bool
    labels: dict[str, np.ndarray]


def _inspect_file(path: Path) -> _File:
    with _open(path) as (features, labels):
        return _File(features.shape, _check_rows(path, features), labels)


@contextmanager
def _open(path: Path) -> Iterator[tuple[Any, dict[str, np.ndarray]]]:
    """The features (N, width) in a file, to be read by slices, and its label columns (N,)."""
    if path.suffix == ".mat":
        yield _checked(path, read_mat(path, "feats")), {}
        return
    with reading(path, None) as file:
        features = _checked(path, file["X_"])
        labels = {name: np.ravel(file[name][()]) for name in LABELS if name in file}
        for name, values in labels.items():
            if values.dtype.kind not in "iu":
                raise UserError(f"{path}: {name} holds {values.dtype} instead of whole numbers; get the file again")
            if len(values) != len(features):
                raise UserError(f"{path}: {len(features)} rows of X_, but {len(values)} of {name}; get the file again")
        yield features, labels


def _checked(path: Path, features: Any) -> Any:
    shape, dtype = getattr(features, "shape", ()), getattr(features, "dtype", None)  # an HDF5 group has neither
    if len(shape) != 2 or dtype.kind != "f" or 0 in shape:
        kind = f"{dtype} of shape {shape}" if shape else type(features).__name__
        raise UserError(f"{path}: expected features (rows, width) as floating-point numbers, found {kind}")
    return features


def _check_rows(path: Path, features: Any) -> bool:
    """Whether all rows have unit length. Raises UserError for a NaN or infinity."""
    unit = True
    for start in progress(range(0, len(features), BLOCK_ROWS), what=f"check {path.name}", unit="block"):
        rows = np.asarray(features[start : start + BLOCK_ROWS], np.float32)
        if len(bad := bad_rows(rows)):
            raise UserError(f"{path}: row {start + bad[0]} is not finite; get the file again")
        unit = unit and bool((np.abs(np.linalg.norm(rows, axis=1) - 1) < UNIT_TOLERANCE).all())
    return unit


def _listed(piece: Piece, find: Find) -> tuple[list[str], list[str]]:
    """Items and categories from the list beside a MAT file."""
    path = find(str(PurePosixPath(piece.file("Labels")).with_suffix(".txt")))
    ids = [line.strip() for line in read_text(path.parent, path.name).rstrip().splitlines()]
    return ids, [UNKNOWN_CATEGORY] * len(ids)


def _named(piece: Piece, path: Path, labels: dict[str, np.ndarray]) -> tuple[list[str], list[str]]:
    """Items and categories from numbers; the names of items sort as the numbers do."""
    number, code = ("pid", "cid") if piece.split == Split.TRAIN else ("labels", "class_labels")
    for column in (number, code):
        if column not in labels:
            raise UserError(f"{path}: no dataset {column} in it; get the released file")
    known = DEEPFASHION if piece.meta_domain == MetaDomain.SOURCE else STREET2SHOP
    strange = (labels[code] < 0) | (labels[code] >= len(known))
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        raise UserError(f"{path}: {code} {labels[code][row]} of row {row} is unknown; known: 0 to {len(known) - 1}")
    categories = [known[one] for one in labels[code].tolist()]
    if piece.split == Split.TRAIN:  # one pid is one product of one category
        return [f"{one:07d}" for one in labels[number].tolist()], categories
    # Product numbers occur in several categories.
    return [f"{name}_{one:07d}" for name, one in zip(categories, labels[number].tolist(), strict=True)], categories
