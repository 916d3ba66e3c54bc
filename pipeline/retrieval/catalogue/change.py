"""Changing an index: pictures come and go, and the folder is swapped whole."""

from collections.abc import Sequence
from dataclasses import replace
from os.path import normpath
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image

from pipeline.arrays.blocks import slices
from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, DOMAIN, IMAGE, ITEM, ROW
from pipeline.base.progress import progress
from pipeline.images.decode import UnreadableImage, as_box, content_digest, decode_image, read_content
from pipeline.retrieval.catalogue.embedding import CatalogueEmbedder
from pipeline.retrieval.embedding import Embedded
from pipeline.retrieval.index.folder import FOLDER, Index, changing, read_index, write_index

BATCH = 64


class Added(NamedTuple):
    """`added` pictures, of which `replaced` were there before; `left_out`: (file, reason) of unreadable ones."""

    added: int
    replaced: int
    left_out: list[tuple[Path, str]]


def add_pictures(folder: Path, entries: pd.DataFrame, device: torch.device) -> Added:
    """Add the pictures `entries` (see `pipeline.retrieval.catalogue.entries`) to the index in `folder`.

    A picture that is there already, the same box of the same file, is replaced by what it now shows. An index by
    attributes finds it by each of them, and knows no values of it.
    Raises UserError when none can be read, when the models of the index are gone, and while another change goes on.
    """
    entries = entries[~_pictures(entries).duplicated(keep="last")]
    with changing(folder):
        index = read_index(folder)
        embedder, first = CatalogueEmbedder(index.facts, device), index.facts.next_row
        kept, left_out = [], []
        for part in progress(slices(len(entries), BATCH), what="embed", unit="batch"):
            places, pictures, digests = _readable(entries.iloc[part], 2 * embedder.side, left_out)
            if places:
                ids, some = first + len(kept) + np.arange(len(places)), entries.iloc[part].iloc[places]
                told = {"categories": some[CATEGORY].tolist(), "domains": some[DOMAIN].tolist(), "digests": digests}
                for attribute in index.facts.attributes or (None,):
                    embedded = embedder.add(pictures, **told, attribute=attribute)
                    _extend(index, ids, embedded, some[CATEGORY].to_numpy(dtype=str), attribute)
                kept += [part.start + place for place in places]
        if not kept:
            raise UserError(f"{left_out[0][0]}: {left_out[0][1]}; nothing to add ({len(left_out)} unreadable pictures)")
        added = entries.iloc[kept].assign(**{ROW: first + np.arange(len(kept))})
        same = _pictures(index.table).isin(_pictures(added))
        table = pd.concat([index.table, added], ignore_index=True)
        table = table.fillna({name: "" for name in table if name not in (ROW, *BOX)})
        index = replace(index, table=table, facts=replace(index.facts, next_row=first + len(kept)))
        index = _without(index, np.append(same, np.zeros(len(kept), bool)))
        write_index(folder, index)
        index.settle()
        return Added(len(kept), int(same.sum()), left_out)


def remove_items(folder: Path, items: Sequence[str]) -> int:
    """Remove all pictures of `items` from the index in `folder`, and say how many these were.

    Raises UserError for an item that is not there, when nothing would be left, and while another change goes on.
    """
    with changing(folder):
        index = read_index(folder)
        held = index.table[ITEM]
        unknown = [item for item in items if not (held == item).any()]
        if unknown:
            raise UserError(f"item {unknown[0]!r}: not in the index; nothing was removed")
        gone = held.isin(items).to_numpy()
        index = _without(index, gone)
        write_index(folder, index)
        index.settle()
        return int(gone.sum())


def _without(index: Index, gone: np.ndarray) -> Index:
    """The index without the rows where `gone` (N,) bool."""
    if gone.all():
        raise UserError("the index would be empty; nothing was removed")
    ids, values = index.ids[gone], index.values
    if len(ids):  # faiss would go through all rows
        held = {name: ids[np.isin(ids, engine.ids)] for name, engine in index.engines.items()}
        if empty := [name for name, some in held.items() if len(some) == len(index.engines[name].ids)]:
            raise UserError(
                f"no picture would be left to be found by {empty[0]!r}; nothing was removed: add another one first, or "
                "build the index anew without it"
            )
        for name, some in held.items():
            if len(some):
                index.engines[name].remove(some)
        if index.colour is not None:
            index.colour.remove(ids)
        if values is not None:
            values = values[~values[ROW].isin(ids)]
    return replace(index, table=index.table[~gone].reset_index(drop=True), values=values)


def _extend(index: Index, ids: np.ndarray, embedded: Embedded, categories: np.ndarray, attribute: str | None) -> None:
    """Give the engines and the colours of the index rows with these numbers (n,) and categories (n,) str.

    `attribute`: that of the one engine that they are for.
    """
    for name, vectors in embedded.vectors.items():
        index.engines[name if attribute is None else attribute].add(ids, vectors, categories)
    if index.colour is not None:
        index.colour.add(ids, embedded.colour)


def _pictures(rows: pd.DataFrame) -> pd.MultiIndex:
    """What makes two rows the same picture, whatever folder its path was taken from: the file, and the box."""
    roots = {folder: Path(folder).resolve() for folder in rows[FOLDER].unique()}  # to ask for each picture takes long
    files = [normpath(f"{roots[folder]}/{image}") for folder, image in zip(rows[FOLDER], rows[IMAGE], strict=True)]
    return pd.MultiIndex.from_arrays([files, *(rows[name].fillna(-1.0) for name in BOX)])


def _readable(
    entries: pd.DataFrame, side: int, left_out: list[tuple[Path, str]]
) -> tuple[list[int], list[Image.Image], list[str]]:
    """Places of the entries whose pictures can be read, these, and digests of their files; others go to `left_out`."""
    places, pictures, digests = [], [], []
    boxes = entries[list(BOX)].to_numpy(dtype=np.float64)
    for place, (folder, image, box) in enumerate(zip(entries[FOLDER], entries[IMAGE], boxes, strict=True)):
        try:
            content = read_content(Path(folder) / image)
            pictures.append(decode_image(content, as_box(box), target_side=side))
            digests.append(content_digest(content))
            places.append(place)
        except UnreadableImage as error:
            left_out.append((Path(folder) / image, str(error)))
    return places, pictures, digests
