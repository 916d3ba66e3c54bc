"""Feature files `data/features/<part>.h5`: pooled features and embeddings of manifest rows.

Datasets `pooled` (N, P) float32, `embedding` (N, D) float32, `row` (N,) int64 into the manifest; attributes
`normalized_pooled` (bool), `model` (fingerprint of the model they come from), `shown` (digest of what rows show).
Where `normalized_pooled` is true, `pooled` holds rows of unit length, and `length` (N,) float32 those they had: heads
take `pooled * length`, which is what the embeddings come from and what `Features` gives. Rows that heads take at unit
length have length 1.
Where colours were asked for there is `colour` (N, C) float32 too, with the attributes `colour_variant` and
`colour_cells` (`pipeline.features.colours`).
Of a network that embeds a picture for an attribute there is a row for each picture and attribute that were asked for:
`row` repeats, `condition` (N,) int64 is the place of the attribute in `attributes`, a list of names as JSON
(`pipeline.features.asked`). Parts to train on have none. `branches`, as JSON too, tells the widths of the parts that a
row is made of.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.arrays.blocks import slices
from pipeline.arrays.rows import bad_rows
from pipeline.base.errors import UserError
from pipeline.base.hdf5 import reading, set_attributes, writing
from pipeline.base.names import (
    ATTRIBUTES,
    BOX,
    BRANCHES,
    COLOUR,
    COLOUR_CELLS,
    COLOUR_VARIANT,
    CONDITION,
    DIGEST,
    EMBEDDING,
    IMAGE,
    LENGTH,
    MODEL,
    NORMALIZED_POOLED,
    POOLED,
    ROW,
    SHOWN,
    Part,
)
from pipeline.base.workspace import fingerprint
from pipeline.table.manifest import part_rows

if TYPE_CHECKING:  # torch takes seconds to import
    from pipeline.models.head import Head

EXTRACT = "extract"
NONE_TO_LEARN_FROM = "the model embeds a picture for an attribute, and nothing learns from such features"
BLOCK_ROWS = 8192  # 64 MiB of float32 at the published width of 2048

Block = tuple[np.ndarray, ...]  # pooled (B, P), embedding (B, D), and perhaps colour (B, C) float32


@dataclass(frozen=True)
class Features:
    """An open feature file; see the module's docstring. Values are read, and checked, when they are asked for.

    row (N,) int64; widths (P, D). `made_by` is the stage that is to be run again when the file is found damaged.
    `colour`: how colour features were made, None where there are none. `condition` (N,) int64 into `attributes`: which
    attribute each row is for; None, and no attributes, where a row is a picture. `branches`: widths of the parts that
    rows are made of, if they are told.
    """

    path: Path
    made_by: str
    row: np.ndarray
    widths: tuple[int, int]
    normalized_pooled: bool
    has_lengths: bool
    model: str
    shown: str
    colour: dict[str, Any] | None = None
    condition: np.ndarray | None = None
    attributes: tuple[str, ...] = ()
    branches: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row)

    @cached_property
    def pooled(self) -> np.ndarray:
        """(N, P) float32, as heads take them."""
        return self._whole(POOLED, self.widths[0])

    @cached_property
    def embedding(self) -> np.ndarray:
        """(N, D) float32."""
        return self._whole(EMBEDDING, self.widths[1])

    def blocks(self, *names: str) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield blocks (B, ...) of the arrays `names`, all rows in order; of pooled features and embeddings by default.

        Raises UserError when the file is damaged, or holds a NaN or infinity.
        """
        with reading(self.path, self.made_by) as file:
            for part in slices(len(self), BLOCK_ROWS):
                block = {name: file[name][part] for name in names or (POOLED, EMBEDDING)}
                if POOLED in block and self.has_lengths:
                    block[POOLED] = block[POOLED] * file[LENGTH][part][:, None]
                for name, values in block.items():
                    self._check_finite(name, values, part.start)
                yield tuple(block.values())

    def check_heads(self, heads: Mapping[Path, "Head"]) -> None:
        """Raise UserError unless every one of `heads`, by the folder it is from, takes the pooled features of here."""
        for folder, head in heads.items():
            self._check_head(head, folder)

    def check_fit(self, rows: np.ndarray, head: "Head") -> None:
        """Raise UserError unless these are features of `rows` (N,), in that order, and of the widths of `head`."""
        if not np.array_equal(self.row, rows):
            raise UserError(
                f"{self.path}: features of {len(self)} rows, others than the {len(rows)} of the manifest; {self._mend}"
            )
        if self.widths != head.shape[::-1]:
            raise UserError(
                f"{self.path}: embeddings of width {self.widths[1]} from pooled features of width {self.widths[0]}, "
                f"where the head makes {head.shape[0]} from {head.shape[1]}; {self._mend}"
            )

    def check_part(self, table: pd.DataFrame, part: Part, model: Path) -> None:
        """Raise UserError unless these are features of `part` of the manifest `table` by the model in the folder."""
        mend = f"run `dvc repro {self.made_by}`"
        rows = part_rows(table, part)
        if self.condition is not None:  # as often as a picture was asked for, which may be never
            rows = rows.repeat(np.bincount(self.row, minlength=len(table))[rows])
        if not np.array_equal(self.row, rows) or self.shown != digest_rows(table, rows):
            raise UserError(
                f"{self.path}: features of {len(self)} rows, others than the {len(rows)} of {part} in the manifest; "
                f"{mend}"
            )
        if self.model != (mark := model_mark(model)):
            raise UserError(f"{self.path}: features of model {self.model}, where {model} holds model {mark}; {mend}")

    def _check_head(self, head: "Head", folder: Path) -> None:
        from pipeline.models.folder import check_width

        check_width(head, self.widths[0], folder)
        if self.normalized_pooled and not self.has_lengths and not head.norm_features:
            raise UserError(
                f"{self.path}: pooled features of unit length, whose own lengths are not kept, where the head in "
                f"{folder} takes plain ones (finetune.model.norm_features: false); {self._mend}"
            )

    @property
    def _mend(self) -> str:
        return f"run `dvc repro -f {self.made_by}`"

    def _whole(self, name: str, width: int) -> np.ndarray:
        values, done = np.empty((len(self), width), np.float32), 0
        for (block,) in self.blocks(name):
            values[done : done + len(block)] = block
            done += len(block)
        return values

    def _check_finite(self, name: str, values: np.ndarray, start: int) -> None:
        if len(bad := bad_rows(values)):
            row = self.row[start + bad[0]]
            raise UserError(f"{self.path}: {name!r} of manifest row {row} is not finite; {self._mend}")


def open_features(path: Path, made_by: str = EXTRACT) -> Features:
    """Open the feature file `path`, which the stage `made_by` writes.

    Raises UserError when it is missing, truncated, foreign or inconsistent.
    """
    with reading(path, made_by) as file:
        row, has_lengths = file[ROW][()], LENGTH in file
        shapes = {name: file[name].shape for name in (POOLED, EMBEDDING)}
        facts = {name: file.attrs[name] for name in (NORMALIZED_POOLED, MODEL, SHOWN)}
        colour = None
        if COLOUR in file:
            shapes[COLOUR] = file[COLOUR].shape
            colour = {"variant": str(file.attrs[COLOUR_VARIANT]), "cells": int(file.attrs[COLOUR_CELLS])}
        condition, attributes, branches = None, (), {}
        if CONDITION in file:
            condition = file[CONDITION][()]
            attributes, branches = tuple(json.loads(file.attrs[ATTRIBUTES])), json.loads(file.attrs[BRANCHES])
        if has_lengths and file[LENGTH].shape != row.shape:
            raise UserError(f"{path}: {file[LENGTH].shape} lengths for {len(row)} rows; run `dvc repro -f {made_by}`")
    for name, shape in shapes.items():
        if len(shape) != 2 or shape[0] != len(row):
            raise UserError(f"{path}: {name!r} is {shape} for {len(row)} rows; run `dvc repro -f {made_by}`")
    if condition is not None and not (
        condition.shape == row.shape and np.isin(condition, np.arange(len(attributes))).all()
    ):
        raise UserError(
            f"{path}: {CONDITION!r} does not tell {len(row)} rows which of {len(attributes)} attributes they are for; "
            f"run `dvc repro -f {made_by}`"
        )
    widths = (shapes[POOLED][1], shapes[EMBEDDING][1])
    normalized, model, shown = bool(facts[NORMALIZED_POOLED]), str(facts[MODEL]), str(facts[SHOWN])
    facts = (normalized, has_lengths, model, shown, colour, condition, attributes, branches)
    return Features(path, made_by, row, widths, *facts)


def open_parts(folder: Path, parts: Iterable[Part], table: pd.DataFrame, model: Path) -> list[Features]:
    """The files of `parts` in `folder`: of the rows of the manifest `table`, and of the model in the folder `model`.

    Raises UserError naming the file that is missing, damaged, or of other rows or another model.
    """
    opened = []
    for part in parts:
        opened.append(open_features(folder / f"{part}.h5"))
        opened[-1].check_part(table, part, model)
    return opened


def write_features(
    path: Path,
    rows: np.ndarray,
    blocks: Iterable[Block],
    *,
    model: str,
    shown: str = "",
    unit: bool = False,
    normalize: bool = False,
    colour: Mapping[str, Any] | None = None,
    condition: np.ndarray | None = None,
    attributes: Sequence[str] = (),
    branches: Mapping[str, int] | None = None,
) -> None:
    """Write the blocks of (pooled, embedding), which together cover `rows` (N,) in order, to `path`.

    `unit`: the pooled features have unit length already. `normalize`: they are to have it in the file. `colour`: how
    the colour features, which then come third in each block, are made. `condition` (N,) into `attributes`: which
    attribute a row is for, where it is not a picture alone; `branches`: widths of the parts of a row.
    Raises UserError naming the manifest row when a feature is not finite, or when rows are missing or too many.
    """
    with writing(path) as file:
        lengths, done = np.ones(len(rows), np.float32), 0
        names = (POOLED, EMBEDDING) if colour is None else (POOLED, EMBEDDING, COLOUR)
        for block in blocks:
            values = dict(zip(names, block, strict=True))
            if done == 0:
                made = {
                    name: file.create_dataset(name, (len(rows), len(each.T)), "f4") for name, each in values.items()
                }
            end = done + len(block[0])
            if end > len(rows):
                raise UserError(f"{path}: more features than the {len(rows)} rows asked for; remove data/.partial")
            for name, each in values.items():
                _check_made(path, name, each, rows[done:end])
            if normalize and not unit:
                lengths[done:end] = np.linalg.norm(values[POOLED], axis=1)
            own = lengths[done:end, None]
            values[POOLED] = values[POOLED] / np.where(own == 0, 1, own)
            for name, each in values.items():
                made[name][done:end] = each
            done = end
        if done != len(rows):
            raise UserError(f"{path}: {len(rows) - done} of {len(rows)} rows have no features; remove data/.partial")
        file.create_dataset(ROW, data=rows.astype(np.int64))
        if unit or normalize:
            file.create_dataset(LENGTH, data=lengths)
        set_attributes(file, {NORMALIZED_POOLED: unit or normalize, MODEL: model, SHOWN: shown})
        if colour is not None:
            set_attributes(file, {COLOUR_VARIANT: colour["variant"], COLOUR_CELLS: colour["cells"]})
        if condition is not None:
            file.create_dataset(CONDITION, data=condition.astype(np.int64))
            set_attributes(file, {ATTRIBUTES: json.dumps(list(attributes)), BRANCHES: json.dumps(dict(branches or {}))})


def digest_rows(table: pd.DataFrame, rows: np.ndarray) -> str:
    """Hex digest (16 characters) of what `rows` (N,) of the manifest show: files, their content, boxes."""
    shown = table.iloc[rows]
    texts: Sequence[str] = [*shown[IMAGE], *shown[DIGEST]]
    digest = hashlib.sha256("\0".join(texts).encode())
    digest.update(shown[list(BOX)].to_numpy(dtype="<f8").tobytes())
    return digest.hexdigest()[:16]


def model_mark(folder: Path) -> str:
    """Fingerprint of the model in `folder`. Raises UserError when there is none."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such model; run `dvc repro finetune`")
    return fingerprint(params=[], inputs=[folder], modules=[])


def _check_made(path: Path, name: str, values: np.ndarray, rows: np.ndarray) -> None:
    if len(bad := bad_rows(values)):
        raise UserError(
            f"{path}: {name!r} of manifest row {rows[bad[0]]} is not finite ({len(bad)} such rows); "
            "the model is broken: lower finetune.optim.lr and train again"
        )
