"""Retrieval by attributes: the entries that search one another, and their embeddings.

An entry is a picture, an attribute and a value that it has; a picture has several. Its embedding is that of the picture
for the attribute or, of a model that is told none, of the picture alone: that is the same for every attribute.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from pipeline.arrays.rows import unit_rows
from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, ATTRIBUTES_FILE, SPLIT, ModelName, Part, Split
from pipeline.features.store import Features
from pipeline.table.attributes import part_attributes

Say = Callable[[str], None]


def entries_of(
    manifest: pd.DataFrame, known: pd.DataFrame, part: Part, features: Features, say: Say = lambda _: None
) -> pd.DataFrame:
    """Rows of `manifest` for all that is `known` of the pictures of `part`, see `part_attributes`.

    Attributes that `features` are not of are left out; `say` gets a line that names them, and those without queries, or
    without candidates. Raises UserError when nothing is left.
    """
    entries = part_attributes(manifest, known, part)
    if not len(entries):
        raise UserError(
            f"{ATTRIBUTES_FILE}: no attribute is known of pictures of {part}, which the protocol attributes compares; "
            "evaluate.meta_domain says whose test part it is, evaluate.protocol how it is searched"
        )
    if features.condition is not None:
        of = [features.attributes[condition] for condition in np.unique(features.condition)]
        absent = sorted(set(entries[ATTRIBUTE]).difference(of))
        entries = entries[~entries[ATTRIBUTE].isin(absent)]
        if not len(entries):
            raise UserError(
                f"{features.path}: features for {', '.join(of) or 'no attribute'}, where {ATTRIBUTES_FILE} knows "
                f"{', '.join(absent)} of {part}; run `dvc repro extract`, extract.attributes says for which"
            )
        if absent:
            say(f"left out, since there are no features for them: {', '.join(absent)}")
    _tell_sides(entries, say)
    return entries


def places_of(entries: pd.DataFrame, features: Features) -> np.ndarray:
    """Where the embedding of each entry is in `features`: (N,) int64. Raises UserError for one that is not there."""
    if features.condition is None:
        place = pd.Index(features.row).get_indexer(entries.index)
    else:
        n = len(features.attributes)
        wanted = entries.index.to_numpy() * n + pd.Index(features.attributes).get_indexer(entries[ATTRIBUTE])
        place = pd.Index(features.row * n + features.condition).get_indexer(wanted)
    if (place < 0).any():
        first = entries.iloc[np.flatnonzero(place < 0)[0]]
        raise UserError(
            f"{features.path}: no features of manifest row {first.name} for {first[ATTRIBUTE]!r}, which "
            f"{ATTRIBUTES_FILE} knows a value of; run `dvc repro extract`"
        )
    return place.astype(np.int64)


def of_entries(models: Mapping[str, np.ndarray], entries: pd.DataFrame, features: Features) -> dict[str, np.ndarray]:
    """Model -> embeddings (N, D) of the entries, from those of `features`.

    Beside the models given there is one for each branch that the baseline's embeddings are made of, if there are
    several: its columns, as rows of unit length.
    """
    place, made = places_of(entries, features), {}
    for name, embeddings in models.items():
        made[name] = embeddings[place]
    if len(features.branches) < 2:
        return made
    start, whole = 0, made[ModelName.BASELINE]
    for name, width in features.branches.items():
        made[name] = unit_rows(whole[:, start : start + width])
        start += width
    return made


def _tell_sides(entries: pd.DataFrame, say: Say) -> None:
    asked, searched = (
        set(entries[ATTRIBUTE][entries[SPLIT].isin([role, Split.TEST])]) for role in (Split.QUERY, Split.GALLERY)
    )
    if lonely := sorted(asked - searched):
        say(f"nothing is found by queries of these, which have no candidates: {', '.join(lonely)}")
    if idle := sorted(searched - asked):
        say(f"left out, since they have no queries: {', '.join(idle)}")
