"""The groups of shop pictures that are clustered together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, DOMAIN, Domain, Part
from pipeline.table.manifest import part_rows


@dataclass(frozen=True)
class Group:
    """A target category with the source categories it is aligned with, or a target category alone.

    source (n_s,) int64: positions among the source shop rows, category by category in the order of the alignment,
    each in file order; target (n_t,) int64: positions among the target rows, in file order. Clusters are computed on
    the source rows followed by the target rows. `missing`: listed source categories that have no row.
    """

    name: str
    aligned: bool
    source: np.ndarray
    target: np.ndarray
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.source) + len(self.target)


@dataclass(frozen=True)
class ClusteredGroup:
    """A group with its FINCH partitions.

    source (n_s,), target (n_t,) int64: positions in the features of source_train and target_train; labels
    (n_s + n_t, P) int64: source rows first, the finest partition first; partition: index of the one in use.
    """

    name: str
    aligned: bool
    source: np.ndarray
    target: np.ndarray
    labels: np.ndarray
    partition: int

    @property
    def source_clusters(self) -> np.ndarray:
        """(n_s,) int64 labels of the source rows in the partition in use."""
        return self.labels[: len(self.source), self.partition]

    @property
    def target_clusters(self) -> np.ndarray:
        """(n_t,) int64 labels of the target rows in the partition in use."""
        return self.labels[len(self.source) :, self.partition]


def build_groups(
    source_categories: np.ndarray, target_categories: np.ndarray, alignment: Mapping[str, Sequence[str]]
) -> list[Group]:
    """The groups of UDMA: an aligned one for every target category with source categories, then the target-only ones.

    source_categories (Ns,) and target_categories (Nt,) str, of the shop pictures in file order; `alignment` maps a
    target category to source categories. Aligned groups come in the order of `alignment`; target categories without
    an alignment (or with an empty list) follow in sorted order.
    Raises UserError for an aligned group without a source or a target picture.
    """
    aligned = {name: listed for name, listed in alignment.items() if listed}
    groups = [_aligned_group(name, listed, source_categories, target_categories) for name, listed in aligned.items()]
    alone = sorted(set(target_categories.tolist()) - set(aligned))
    nothing = np.empty(0, dtype=np.int64)
    return groups + [Group(name, False, nothing, _positions(target_categories, name)) for name in alone]


def check_groups(table: pd.DataFrame, alignment: Mapping[str, Sequence[str]]) -> None:
    """Raise UserError where `build_groups` will of the pictures of a manifest; nothing is grouped without a target."""
    source, target = (table.iloc[part_rows(table, part)] for part in (Part.SOURCE_TRAIN, Part.TARGET_TRAIN))
    if len(target):
        source = source[source[DOMAIN] == Domain.SHOP]
        build_groups(*(rows[CATEGORY].to_numpy(dtype=str) for rows in (source, target)), alignment)


def _positions(categories: np.ndarray, name: str) -> np.ndarray:
    return np.flatnonzero(categories == name).astype(np.int64)


def _aligned_group(
    name: str, listed: Sequence[str], source_categories: np.ndarray, target_categories: np.ndarray
) -> Group:
    source = [_positions(source_categories, category) for category in listed]
    target = _positions(target_categories, name)
    if not len(target):
        raise UserError(
            f"data.alignment.{name}: no target picture has category {name!r} among those to train on; target "
            f"categories: {_known(target_categories)}"
        )
    if not any(map(len, source)):
        raise UserError(
            f"data.alignment.{name}: no source shop picture has category {' or '.join(map(repr, listed))} among those "
            f"to train on; source categories: {_known(source_categories)}"
        )
    missing = tuple(category for category, rows in zip(listed, source, strict=True) if not len(rows))
    return Group(name, True, np.concatenate(source), target, missing)


def _known(categories: np.ndarray) -> str:
    return ", ".join(np.unique(categories).tolist()) or "none"
