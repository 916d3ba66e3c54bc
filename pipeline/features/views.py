"""Files of views, `data/views/<part>.h5`: pooled features of the street views that are drawn of catalogue pictures.

Datasets: `row` (N,) int64 into the manifest; for each kind of view one of its name, (N, K, P) float32; and
`photos` (n, S, S, 3) uint8, which grounds of the street are taken from. Attributes: `model`, `shown` as in
`pipeline.features.store`, `seed` of the draws.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch

from pipeline.arrays.blocks import slices
from pipeline.arrays.rows import bad_rows
from pipeline.base.errors import UserError
from pipeline.base.hdf5 import reading, set_attributes, writing
from pipeline.base.names import DOMAIN, MODEL, ROW, SHOWN, SPLIT, Domain, Split
from pipeline.features.store import Features, digest_rows, model_mark
from pipeline.models.folder import Adapted
from pipeline.models.head import Head
from pipeline.table.domains import CODES
from pipeline.views.mix import Mix
from pipeline.views.view import Studio

DRAW, PHOTOS, SEED = "draw", "photos", "seed"
MEND = f"run `dvc repro {DRAW}`"
BLOCK_VIEWS = 8192  # 40 MB at a width of 1280


@dataclass(frozen=True)
class Views:
    """An open file of views; see the module's docstring. row (N,) int64; numbers: kind -> K; width P."""

    path: Path
    row: np.ndarray
    numbers: Mapping[str, int]
    width: int
    model: str
    shown: str
    seed: int

    def __len__(self) -> int:
        return len(self.row)

    def blocks(self, kind: str, count: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Places and the first `count` views (B, count, P) of pictures, all in order.

        Raises UserError where there are fewer views of that kind.
        """
        if count > self.numbers.get(kind, 0):
            known = ", ".join(f"{number} {name}" for name, number in self.numbers.items()) or "none"
            raise UserError(f"{self.path}: {count} views of kind {kind!r} are wanted, it has {known}; {MEND}")
        with reading(self.path, DRAW) as file:
            for part in slices(len(self), max(1, BLOCK_VIEWS // max(count, 1))):
                yield part, file[kind][part, :count]

    def embeddings(
        self, head: Head, kind: str, count: int, block_rows: int, among: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Places (B,) and unit embeddings (B, count, D) float32 of the first views, as shop pictures, in order.

        among (n,) int64: no others than those at these places.
        """
        wanted = np.ones(len(self), bool) if among is None else np.isin(np.arange(len(self)), among)
        for part, block in self.blocks(kind, count):
            views = block[wanted[part]]
            if len(views):
                rows = views.reshape(-1, self.width)
                made = head.embed(rows, np.full(len(rows), CODES[Domain.SHOP]), block_rows)
                yield part.start + np.flatnonzero(wanted[part]), made.reshape(*views.shape[:2], -1)

    def blend(self, embeddings: np.ndarray, rows: np.ndarray, head: Head, mix: Mix, block_rows: int) -> np.ndarray:
        """Embeddings (N, D) of `rows` (N,) of the manifest by `head`, mixed with those of views where there are any.

        All that have views are among the rows.
        """
        made, place = embeddings.copy(), places_of(self.row, rows)
        made[place] = mix.blend(embeddings[place], self.mean_embedding(head, mix, block_rows))
        return made

    def mean_embedding(self, head: Head, mix: Mix, block_rows: int) -> np.ndarray:
        """Mean (N, D) float32 of the unit embeddings of the views that `mix` wants."""
        total = np.zeros((len(self), head.shape[0]), np.float32)
        for kind, count in mix.counts.items():
            for places, of_views in self.embeddings(head, kind, count, block_rows):
                total[places] += of_views.sum(axis=1)
        return total / sum(mix.counts.values())


def places_of(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Where each of `rows` (n,) is in `among` (N,), all different: (n,) int64. Raises KeyError for one that is not."""
    order = np.argsort(among, kind="stable")
    place = order[np.minimum(np.searchsorted(among, rows, sorter=order), len(among) - 1)]
    if not np.array_equal(among[place], rows):
        raise KeyError("a row that is not there")
    return place


def read_studio(path: Path) -> tuple[Studio, int]:
    """What views of further pictures are drawn by, as those in the file `path`, and the seed of the draws.

    Raises UserError when it is gone.
    """
    with reading(path, DRAW) as file:
        return Studio(file[PHOTOS][()]), int(file.attrs[SEED])


def in_catalogue(table: pd.DataFrame) -> np.ndarray:
    """Which rows (N,), as bool, of the manifest have views: shop pictures that are searched and do not search."""
    return ((table[DOMAIN] == Domain.SHOP) & ~table[SPLIT].isin([Split.QUERY, Split.TEST])).to_numpy()


def without_views(models: Mapping[str, Adapted | None], views: Views, rows: np.ndarray) -> list[str]:
    """Names of the models that mix views in, where catalogue pictures among `rows` (n,) of the manifest have none."""
    if len(rows) and np.isin(rows, views.row).all():
        return []
    return [name for name, model in models.items() if model is not None and model.mix is not None]


def lacks_views(views: Views, names: Sequence[str]) -> str:
    """What to say of models that `without_views` names."""
    return (
        f"{views.path} has no views of all catalogue pictures, so there is no model {' or '.join(names)}; views.parts "
        "says which parts have, pictures of split test have none, and of source_train those of views.items items"
    )


def embed_catalogue(
    model: Adapted, features: Features, domain: np.ndarray, views: Views, *, device: torch.device, block_rows: int
) -> np.ndarray:
    """Embeddings (N, D) float32 by `model` of the pictures of `features`, in these domains (N,), on the device.

    Those that have views are mixed with them, where the model does so.
    Raises UserError where the model wants views that there are none of.
    """
    head = model.head.to(device)
    embeddings = head.embed(features.pooled, domain, block_rows)
    if model.mix is None:
        return embeddings
    return views.blend(embeddings, features.row, head, model.mix, block_rows)


def open_views(path: Path, table: pd.DataFrame, model: Path) -> Views:
    """The file of views `path` of rows of the manifest `table`, by the model in the folder `model`.

    Raises UserError when it is missing, damaged, or of other rows or another model.
    """
    with reading(path, DRAW) as file:
        row = file[ROW][()]
        shapes = {name: data.shape for name, data in file.items() if name not in (ROW, PHOTOS)}
        mark, shown, seed = str(file.attrs[MODEL]), str(file.attrs[SHOWN]), int(file.attrs[SEED])
    for name, shape in shapes.items():
        if len(shape) != 3 or shape[0] != len(row):
            raise UserError(f"{path}: {name!r} is {shape} for {len(row)} rows; {MEND}")
    if len(row) and (row.max() >= len(table) or shown != digest_rows(table, row)):
        raise UserError(f"{path}: views of other pictures than those of the manifest; {MEND}")
    if mark != (expected := model_mark(model)):
        raise UserError(f"{path}: views as model {mark} sees them, where {model} holds model {expected}; {MEND}")
    width = next((shape[2] for shape in shapes.values()), 0)
    return Views(path, row, {name: shape[1] for name, shape in shapes.items()}, width, mark, shown, seed)


def write_views(
    path: Path,
    rows: np.ndarray,
    kinds: Mapping[str, Iterable[np.ndarray]],
    photos: np.ndarray,
    *,
    shape: tuple[int, int],
    model: str,
    shown: str,
    seed: int,
) -> None:
    """Write views of `rows` (N,) to `path`: kind -> chunks (C, K P) of pooled features, in order; `shape`: (K, P).

    Raises UserError naming the manifest row when a feature is not finite.
    """
    with writing(path) as file:
        file.create_dataset(ROW, data=rows.astype(np.int64))
        file.create_dataset(PHOTOS, data=photos)
        set_attributes(file, {MODEL: model, SHOWN: shown, SEED: seed})
        for kind, chunks in kinds.items():
            _write_kind(file.create_dataset(kind, (len(rows), *shape), "f4"), rows, chunks, path)


def _write_kind(into: h5py.Dataset, rows: np.ndarray, chunks: Iterable[np.ndarray], path: Path) -> None:
    done = 0
    for chunk in chunks:
        if len(bad := bad_rows(chunk)):
            raise UserError(f"{path}: a view of manifest row {rows[done + bad[0]]} is not finite; the model is broken")
        into[done : done + len(chunk)] = chunk.reshape(len(chunk), *into.shape[1:])
        done += len(chunk)
