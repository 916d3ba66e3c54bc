"""What the rows of a feature file are asked for: pictures, or pictures and attributes.

A network that embeds a picture for an attribute gives a row for each of both. Of parts to train on none is asked for:
what learns from stored features behind `extract` takes a picture for a row.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, ATTRIBUTES, CONDITION, Part
from pipeline.features.store import NONE_TO_LEARN_FROM
from pipeline.table.attributes import part_attributes
from pipeline.table.manifest import part_rows

TO_TRAIN_ON = (Part.SOURCE_TRAIN, Part.TARGET_TRAIN)
LABELLED, ALL = "labelled", "all"
Wanted = Literal["labelled", "all"] | tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """row (N,) int64 of the manifest; condition (N,) int64 into `attributes`, or None: a row a picture.

    `left_out`: attributes of which values are known, and which the network does not know.
    """

    row: np.ndarray
    condition: np.ndarray | None = None
    attributes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.row)

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of the manifest `table`, as often as they are asked for, with the attribute that each is for."""
        rows = table.iloc[self.row]
        if self.condition is None:
            return rows
        return rows.assign(**{ATTRIBUTE: np.array(self.attributes, dtype=object)[self.condition]})

    @property
    def facts(self) -> dict[str, Any]:
        """What a feature file holds of it beside the rows (`pipeline.features.store.write_features`)."""
        return {CONDITION: self.condition, ATTRIBUTES: self.attributes}


def asked_for(
    table: pd.DataFrame, part: Part, attributes: tuple[str, ...], known: pd.DataFrame | None, wanted: Wanted
) -> Asked:
    """The rows of `part` of the manifest `table` for a network of these `attributes`; without any, its pictures.

    `known`: the table of attributes, None for a network without. `wanted`: the pairs of picture and attribute of which
    it knows a value, those of all pictures and attributes, or of all pictures and some attributes. The order is that of
    the pictures, then of `attributes`. Raises UserError for an attribute in `wanted` that the network does not have.
    """
    rows = part_rows(table, part)
    if not attributes:
        return Asked(rows)
    if part in TO_TRAIN_ON:
        return Asked(rows[:0], rows[:0], attributes)
    if wanted == LABELLED:
        labelled = part_attributes(table, known, part)
        left_out = sorted(set(labelled[ATTRIBUTE]).difference(attributes))
        labelled = labelled[~labelled[ATTRIBUTE].isin(left_out)]
        place = pd.Index(rows).get_indexer(labelled.index)
        pairs = np.unique(place * len(attributes) + pd.Index(attributes).get_indexer(labelled[ATTRIBUTE]))
        return Asked(rows[pairs // len(attributes)], pairs % len(attributes), attributes, tuple(left_out))
    chosen = attributes if wanted == ALL else wanted
    for name in chosen:
        if name not in attributes:
            raise UserError(
                f"extract.attributes: the model does not know the attribute {name!r}; it knows {', '.join(attributes)}"
            )
    conditions = np.sort([attributes.index(name) for name in dict.fromkeys(chosen)]).astype(np.int64)
    return Asked(rows.repeat(len(conditions)), np.tile(conditions, len(rows)), attributes)


def why_none(part: Part, attributes: tuple[str, ...]) -> str:
    """In words, why no rows of `part` are asked for."""
    if not attributes:
        return f"the dataset has no rows for {part}"
    if part in TO_TRAIN_ON:
        return f"no features of {part}: {NONE_TO_LEARN_FROM}"
    return f"no attribute is known of pictures of {part}"
