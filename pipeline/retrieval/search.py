"""Which queries search which gallery: those of one group, in which a picture is relevant when it has the query's label.

What a group and a label are is for others to say: the category and its items, everything and its products, an
attribute and its values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.ragged import Ragged
from pipeline.arrays.rows import check_finite
from pipeline.retrieval.ranking import Measure, first_copies, relevant_ranks, relevant_rows, top_k

Ties = Literal["first", "last"]  # which of equally similar gallery rows is ranked before the others


@dataclass(frozen=True)
class Side:
    """One side of a search: embeddings (N, D), and the label and the group (N,), int or str, of each.

    rows (N,) int64, where given: what a picture is known by on both sides, so that no picture finds itself, however
    often it is there.
    """

    embeddings: Tensor
    labels: np.ndarray
    groups: np.ndarray
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "Side":
        """The pictures with these indices (k,), in this order."""
        index = torch.from_numpy(rows).to(self.embeddings.device)
        known = None if self.rows is None else self.rows[rows]
        return Side(self.embeddings[index], self.labels[rows], self.groups[rows], known)


@dataclass(frozen=True)
class Found:
    """Ranks of the relevant pictures of the n queries that have any, sorted by group, then by query.

    query (n,) int64: index of the query; group (n,) int64: index into `groups`, those of queries and gallery, sorted;
    ranks: a row a query, from 1, ascending; dropped (C,) int64: queries without a relevant picture.
    """

    query: np.ndarray
    group: np.ndarray
    ranks: Ragged
    groups: tuple
    dropped: np.ndarray


def one_group(n: int) -> np.ndarray:
    """The groups (n,) str of pictures that all search one another: one, without a name."""
    return np.full(n, "")


def search(
    queries: Side,
    gallery: Side,
    *,
    measure: Measure = "cosine",
    ties: Ties = "first",
    dtype: torch.dtype = torch.float32,
) -> Found:
    """Every query searches the gallery pictures of its group. Those without a relevant one are dropped and counted.

    With `ties` last, gallery rows of the same bytes are equally similar.
    Raises UserError for NaN or infinite embeddings.
    """
    check_finite(queries.embeddings, "query embeddings")
    check_finite(gallery.embeddings, "gallery embeddings")
    nothing = np.empty(0, dtype=np.int64)
    used, group, ranks, names, dropped = [nothing], [nothing], [Ragged.empty(0)], [], []
    for name, rows, shown in _galleries(queries, gallery, ties):
        own = own_places(queries, gallery, rows, shown)
        answered = relevant_rows(queries.labels[rows], gallery.labels[shown], own).lengths > 0
        kept = rows[answered]
        names.append(name)
        dropped.append(len(rows) - len(kept))
        if not len(kept):
            continue
        found = gallery.embeddings[shown]
        used.append(kept)
        group.append(np.full(len(kept), len(names) - 1))
        ranks.append(
            relevant_ranks(
                queries.embeddings[kept],
                found,
                queries.labels[kept],
                gallery.labels[shown],
                own=None if own is None else own[answered],
                measure=measure,
                dtype=dtype,
                copies=first_copies(found) if ties == "last" else None,
            )
        )
    return Found(np.concatenate(used), np.concatenate(group), Ragged.stack(ranks), tuple(names), np.array(dropped))


def nearest(
    queries: Side,
    gallery: Side,
    k: int,
    *,
    measure: Measure = "cosine",
    ties: Ties = "first",
    dtype: torch.dtype = torch.float32,
) -> np.ndarray:
    """The first `k` gallery rows that the same search shows, best first: (Q, k) int64, -1 beyond a short gallery."""
    best = np.full((len(queries), k), -1, dtype=np.int64)
    for _, rows, shown in _galleries(queries, gallery, ties):
        own = own_places(queries, gallery, rows, shown)
        places = top_k(queries.embeddings[rows], gallery.embeddings[shown], k, own=own, measure=measure, dtype=dtype)
        best[rows, : places.shape[1]] = np.where(places < 0, -1, shown[places])
    return best


def _galleries(queries: Side, gallery: Side, ties: Ties) -> Iterator[tuple[int | str, np.ndarray, np.ndarray]]:
    """Yield (group, its query rows, its gallery rows in the order that ties are ranked in), sorted by group."""
    for name in np.unique(np.concatenate([queries.groups, gallery.groups])).tolist():
        shown = np.flatnonzero(gallery.groups == name)
        yield name, np.flatnonzero(queries.groups == name), shown if ties == "first" else shown[::-1].copy()


def own_places(queries: Side, gallery: Side, rows: np.ndarray, shown: np.ndarray) -> np.ndarray | None:
    """Where among the `shown` gallery pictures each query of `rows` is itself: (len(rows), K) int64, -1 where not."""
    if queries.rows is None or gallery.rows is None or not len(shown):
        return None
    order = np.argsort(gallery.rows[shown], kind="stable")
    known = gallery.rows[shown][order]
    first, end = (np.searchsorted(known, queries.rows[rows], side=side) for side in ("left", "right"))
    most = int((end - first).max(initial=0))
    place = first[:, None] + np.arange(most)
    own = np.where(place < end[:, None], order[np.minimum(place, len(known) - 1)], -1)
    return own if most else None
