"""Ranking a gallery for every query, a block of queries at a time.

The measure is cosine similarity, or the dot product or Euclidean distance of features as they are. `own` (Q,) int64,
where given, is the gallery row that is the query itself, or -1: that row is passed over. With several such rows it is
(Q, K).
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.arrays.ragged import Ragged
from pipeline.arrays.rows import unit_rows
from pipeline.base.progress import progress

Measure = Literal["cosine", "euclidean", "dot"]

GALLERY_BLOCK = 2**16  # rows that `top_k` holds the similarities to, of as many queries as make a block
SORTED_FROM = 80  # relevant rows of a query; with more, sorting the gallery is faster than counting (measured)


def rankings(
    queries: Tensor,
    gallery: Tensor,
    *,
    own: np.ndarray | None = None,
    measure: Measure = "cosine",
    dtype: torch.dtype = torch.float32,
    block_queries: int | None = None,
) -> Iterator[tuple[slice, Tensor]]:
    """Yield (queries of the block, gallery indices (b, G) int64, most similar first).

    queries (Q, D) and gallery (G, D) need not be normalised; a zero row is similar to nothing (cosine 0). `dtype` is
    that of the similarities. Equal similarities rank by gallery row, the lower first; the query itself comes last.
    """
    similarity = Similarity(gallery, measure, dtype)
    blocks = slices(len(queries), block_queries or rows_per_block(len(gallery)))
    for block in progress(blocks, what="ranking", unit="block"):
        similar = similarity(queries[block], None if own is None else own[block])
        yield block, torch.sort(similar, dim=1, descending=True, stable=True).indices


def top_k(
    queries: Tensor,
    gallery: Tensor,
    k: int,
    *,
    own: np.ndarray | None = None,
    measure: Measure = "cosine",
    dtype: torch.dtype = torch.float32,
    block_queries: int | None = None,
    block_gallery: int = GALLERY_BLOCK,
) -> np.ndarray:
    """The `k` most similar gallery rows of every query, best first: (Q, min(k, G)) int64; -1 for the query itself.

    They are the head of `rankings`, ties included, selected instead of sorted, from `block_gallery` rows at a time.
    """
    values = torch.empty(len(queries), 0, dtype=dtype, device=queries.device)
    best = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    if not len(queries):
        return np.empty((0, min(k, len(gallery))), dtype=np.int64)
    for columns in progress(slices(len(gallery), block_gallery), what="nearest", unit="block"):
        similarity = Similarity(gallery[columns], measure, dtype)
        size = block_queries or rows_per_block(columns.stop - columns.start)
        found = [
            _select(similarity(queries[rows], _own_within(own, rows, columns)), k)
            for rows in slices(len(queries), size)
        ]
        near, place = (torch.cat(parts) for parts in zip(*found, strict=True))
        # What comes from earlier rows stands first, and stays there in a tie.
        values, best = torch.cat([values, near], dim=1), torch.cat([best, place + columns.start], dim=1)
        values, order = values.sort(dim=1, descending=True, stable=True)
        values, best = values[:, :k], best.gather(1, order[:, :k])
    rows = best.cpu().numpy()
    return rows if own is None else np.where((rows[:, :, None] == _columns(own)[:, None]).any(axis=2), -1, rows)


def relevant_ranks(
    queries: Tensor,
    gallery: Tensor,
    query_items: np.ndarray,
    gallery_items: np.ndarray,
    *,
    own: np.ndarray | None = None,
    measure: Measure = "cosine",
    dtype: torch.dtype = torch.float32,
    block_queries: int | None = None,
) -> Ragged:
    """Ranks (from 1, ascending) of the gallery rows that show the item of the query, a row a query.

    query_items (Q,) and gallery_items (G,) are of one kind (str or int); there is at least one query. The ranks are
    those of `rankings`, but counted, not sorted, as long as that is faster: two comparisons with the gallery for each
    relevant row.
    """
    relevant = relevant_rows(query_items, gallery_items, own)
    ranks = np.empty(len(relevant.values), dtype=np.int64)
    similarity = Similarity(gallery, measure, dtype)
    # Queries with most relevant rows come first, so that those with more than k of them are the head of a block.
    order = np.argsort(-relevant.lengths, kind="stable")
    for block in progress(
        slices(len(order), block_queries or rows_per_block(len(gallery))), what="ranking", unit="block"
    ):
        rows = order[block]
        similar = similarity(queries[torch.from_numpy(rows).to(queries.device)], None if own is None else own[rows])
        most = relevant.lengths[rows[0]]
        if most > SORTED_FROM:
            blockwise = relevant.take(rows)
            at = np.repeat(relevant.offsets[rows], blockwise.lengths) + blockwise.places
            ranks[at] = _ranks_by_sorting(similar, blockwise)
            continue
        room = torch.empty_like(similar)
        for k in range(most):
            head = rows[relevant.lengths[rows] > k]
            at = relevant.offsets[head] + k
            place = torch.from_numpy(relevant.values[at]).to(similar.device)
            ranks[at] = _ranks_of_places(similar[: len(head)], place, room[: len(head)]).cpu().numpy()
    return Ragged(ranks[np.lexsort((ranks, relevant.owners))], relevant.offsets)


def relevant_rows(query_items: np.ndarray, gallery_items: np.ndarray, own: np.ndarray | None = None) -> Ragged:
    """The gallery rows that show the item of each query, ascending, but for the query's `own` row: a row a query."""
    _, codes = np.unique(np.concatenate([query_items, gallery_items]), return_inverse=True)
    wanted, shown = codes[: len(query_items)], codes[len(query_items) :]
    relevant = Ragged.group(shown, np.arange(len(shown)), codes.max() + 1).take(wanted)
    if own is None:
        return relevant
    owners = relevant.owners
    others = (relevant.values[:, None] != _columns(own)[owners]).all(axis=1)
    return Ragged.group(owners[others], relevant.values[others], len(relevant))


def ranks_of(relevant: Tensor, ignored: Tensor | None = None) -> Ragged:
    """Ranks (from 1) of the relevant places in ranked lists: relevant (Q, G) bool, best place first.

    Places in `ignored` (Q, G) bool ("junk") are passed over as if they were not in the gallery.
    """
    if ignored is None:
        query, place = relevant.nonzero(as_tuple=True)
        ranks = place + 1
    else:
        query, place = (relevant & ~ignored).nonzero(as_tuple=True)
        ranks = (~ignored).cumsum(dim=1)[query, place]
    return Ragged.group(query.cpu().numpy(), ranks.cpu().numpy(), len(relevant))


def _select(similar: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` greatest values of each row (b, G), falling, and their columns, the lower first in a tie: (b, min(k, G)).

    torch.topk finds the values, but of equal ones it takes any: where the last place is tied, the columns are counted.
    """
    if similar.shape[1] <= k:
        return similar.sort(dim=1, descending=True, stable=True)
    values, columns = similar.topk(k + 1, dim=1)
    tied = (values[:, k - 1] == values[:, k]).nonzero().flatten()
    columns = columns[:, :k]
    if len(tied):
        rows, least = similar[tied], values[tied, k - 1 : k]
        equal = rows == least
        missing = k - (rows > least).sum(dim=1, keepdim=True)
        taken = (rows > least) | (equal & (equal.cumsum(dim=1) <= missing))
        columns[tied] = taken.nonzero()[:, 1].view(-1, k)
    columns = columns.sort(dim=1).values
    values, order = similar.gather(1, columns).sort(dim=1, descending=True, stable=True)
    return values, columns.gather(1, order)


def _columns(own: np.ndarray) -> np.ndarray:
    """`own` with a column for each row that a query is itself: (Q, K)."""
    return own.reshape(len(own), -1)


def _own_within(own: np.ndarray | None, rows: slice, columns: slice) -> np.ndarray | None:
    """Of the queries `rows`, the place of each itself among the gallery rows `columns`, -1 where it is not there."""
    if own is None:
        return None
    places = own[rows]
    return np.where((places >= columns.start) & (places < columns.stop), places - columns.start, -1)


def _ranks_by_sorting(similar: Tensor, relevant: Ragged) -> np.ndarray:
    """Ranks, from 1, of the columns `relevant` of each row of `similar` (b, G), flat in their order."""
    order = torch.sort(similar, dim=1, descending=True, stable=True).indices
    ranks = torch.empty_like(order)
    ranks.scatter_(1, order, torch.arange(1, order.shape[1] + 1, device=order.device).expand_as(order))
    owners, columns = (torch.from_numpy(index).to(order.device) for index in (relevant.owners, relevant.values))
    return ranks[owners, columns].cpu().numpy()


def _ranks_of_places(similar: Tensor, place: Tensor, room: Tensor) -> Tensor:
    """Rank (b,) int64 from 1 of column place[i] in row i of `similar` (b, G); `room` is overwritten."""
    value = similar.gather(1, place[:, None])
    # Comparisons written as floats add up much faster than booleans, and exactly up to 2^24 gallery rows.
    greater, equal = (compare(similar, value, out=room).sum(dim=1).long() for compare in (torch.gt, torch.eq))
    rank = greater + 1
    for row in (equal > 1).nonzero().flatten():
        rank[row] += (similar[row, : place[row]] == value[row]).sum()
    return rank


class Similarity:
    """Similarities (b, G) of a block of queries (b, D) to the gallery (G, D): larger is nearer."""

    def __init__(self, gallery: Tensor, measure: Measure, dtype: torch.dtype) -> None:
        self.dtype, self.measure = dtype, measure
        self.gallery = self._rows(gallery)
        self.half_squares = self.gallery.square().sum(dim=1) / 2 if measure == "euclidean" else None

    def __call__(self, queries: Tensor, own: np.ndarray | None) -> Tensor:
        queries = self._rows(queries)
        if self.half_squares is not None:  # q.g - |g|^2 / 2 orders as -|q - g|^2 does
            similar = torch.addmm(self.half_squares, queries, self.gallery.T, beta=-1)
        else:
            similar = queries @ self.gallery.T
        if own is not None:
            rows, _ = np.nonzero(_columns(own) >= 0)
            similar[torch.from_numpy(rows), torch.from_numpy(own[own >= 0])] = -torch.inf
        return similar

    def _rows(self, rows: Tensor) -> Tensor:
        return unit_rows(rows.to(self.dtype)) if self.measure == "cosine" else rows.to(self.dtype)
