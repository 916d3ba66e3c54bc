"""Which queries search which gallery. A gallery picture is relevant when it shows the item of the query."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.ragged import Ragged
from pipeline.arrays.rows import check_finite
from pipeline.base.errors import UserError
from pipeline.base.names import Split
from pipeline.retrieval.ranking import Measure, relevant_ranks, relevant_rows, top_k

EVERYTHING = "all"  # name of the one category of a search of the whole gallery


@dataclass(frozen=True)
class EmbeddedPictures:
    """One side of a search: embeddings (N, D), and the items and categories (N,) str the pictures show.

    rows (N,) int64, where given: what a picture is known by on both sides, so that no picture finds itself.
    """

    embeddings: Tensor
    items: np.ndarray
    categories: np.ndarray
    rows: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "EmbeddedPictures":
        """The pictures with these indices (k,), in this order."""
        index = torch.from_numpy(rows).to(self.embeddings.device)
        known = None if self.rows is None else self.rows[rows]
        return EmbeddedPictures(self.embeddings[index], self.items[rows], self.categories[rows], known)


@dataclass(frozen=True)
class Found:
    """Ranks of the relevant pictures of the n queries that have any, sorted by category, then by query.

    query (n,) int64: index of the query; category (n,) int64: index into `categories`, the names of queries and
    gallery, sorted; ranks: a row a query, from 1, ascending; dropped (C,) int64: queries without a relevant picture.
    """

    query: np.ndarray
    category: np.ndarray
    ranks: Ragged
    categories: tuple[str, ...]
    dropped: np.ndarray


def sides(splits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (Q,) of the queries and (G,) of the gallery, int64, among pictures of these splits (N,) str.

    Pictures of split `test`, which is searched by itself, are on both sides.
    """
    return tuple(np.flatnonzero(np.isin(splits, [role, Split.TEST])) for role in (Split.QUERY, Split.GALLERY))


def search(
    queries: EmbeddedPictures,
    gallery: EmbeddedPictures,
    *,
    by_category: bool,
    measure: Measure = "cosine",
    dtype: torch.dtype = torch.float32,
) -> Found:
    """Every query searches the gallery pictures of its own category, or all of them as one category named "all".

    Queries without a relevant picture there are dropped and counted.
    Raises UserError for NaN or infinite embeddings, and when no query is left.
    """
    check_finite(queries.embeddings, "query embeddings")
    check_finite(gallery.embeddings, "gallery embeddings")
    used, category, ranks, names, dropped = [], [], [], [], []
    for name, rows, shown in _galleries(queries, gallery, by_category):
        own = _own(queries, gallery, rows, shown)
        answered = relevant_rows(queries.items[rows], gallery.items[shown], own).lengths > 0
        kept = rows[answered]
        names.append(name)
        dropped.append(len(rows) - len(kept))
        if not len(kept):
            continue
        used.append(kept)
        category.append(np.full(len(kept), len(names) - 1))
        ranks.append(
            relevant_ranks(
                queries.embeddings[kept],
                gallery.embeddings[shown],
                queries.items[kept],
                gallery.items[shown],
                own=None if own is None else own[answered],
                measure=measure,
                dtype=dtype,
            )
        )
    if not used:
        where = "the gallery of its category" if by_category else "the gallery"
        raise UserError(
            f"evaluate: none of the {len(queries.items)} queries shows an item that {where} has; "
            "check the columns item and category of the query, gallery or test rows"
        )
    return Found(np.concatenate(used), np.concatenate(category), Ragged.stack(ranks), tuple(names), np.array(dropped))


def first_found(
    queries: EmbeddedPictures,
    gallery: EmbeddedPictures,
    k: int,
    *,
    by_category: bool,
    dtype: torch.dtype = torch.float32,
) -> np.ndarray:
    """The first `k` gallery rows that the same search shows, best first: (Q, k) int64, -1 beyond a short gallery."""
    best = np.full((len(queries.items), k), -1, dtype=np.int64)
    for _, rows, shown in _galleries(queries, gallery, by_category):
        own = _own(queries, gallery, rows, shown)
        places = top_k(queries.embeddings[rows], gallery.embeddings[shown], k, own=own, dtype=dtype)
        best[rows, : places.shape[1]] = np.where(places < 0, -1, shown[places])
    return best


def _galleries(
    queries: EmbeddedPictures, gallery: EmbeddedPictures, by_category: bool
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield (category, its query rows, its gallery rows), or everything at once."""
    if not by_category:
        yield EVERYTHING, np.arange(len(queries.items)), np.arange(len(gallery.items))
        return
    for name in np.unique(np.concatenate([queries.categories, gallery.categories])).tolist():
        yield name, np.flatnonzero(queries.categories == name), np.flatnonzero(gallery.categories == name)


def _own(
    queries: EmbeddedPictures, gallery: EmbeddedPictures, rows: np.ndarray, shown: np.ndarray
) -> np.ndarray | None:
    """Where among the `shown` gallery pictures each query of `rows` is itself: (len(rows),) int64, -1 where not."""
    if queries.rows is None or gallery.rows is None or not len(shown):
        return None
    order = np.argsort(gallery.rows[shown])
    known = gallery.rows[shown][order]
    place = np.minimum(np.searchsorted(known, queries.rows[rows]), len(known) - 1)
    own = np.where(known[place] == queries.rows[rows], order[place], -1)
    return own if (own >= 0).any() else None
