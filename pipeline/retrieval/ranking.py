"""Ranking a gallery for every query by cosine similarity, a block of queries at a time."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from pipeline.blocks import rows_per_block, slices
from pipeline.progress import progress
from pipeline.ragged import Ragged


def rankings(
    queries: Tensor, gallery: Tensor, *, dtype: torch.dtype = torch.float32, block_queries: int | None = None
) -> Iterator[tuple[slice, Tensor]]:
    """Yield (queries of the block, gallery indices (b, G) int64, most similar first).

    queries (Q, D) and gallery (G, D) need not be normalised; a zero row is similar to nothing (0). `dtype` is that
    of the similarities. Equal similarities rank by gallery row, the lower first.
    """
    queries, gallery = _unit(queries.to(dtype)), _unit(gallery.to(dtype))
    blocks = slices(len(queries), block_queries or rows_per_block(len(gallery)))
    for block in progress(blocks, what="ranking", unit="block"):
        yield block, torch.sort(queries[block] @ gallery.T, dim=1, descending=True, stable=True).indices


def top_k(
    queries: Tensor, gallery: Tensor, k: int, *, dtype: torch.dtype = torch.float32, block_queries: int | None = None
) -> np.ndarray:
    """The `k` most similar gallery rows of every query, best first: (Q, min(k, G)) int64."""
    best = np.empty((len(queries), min(k, len(gallery))), dtype=np.int64)
    for block, order in rankings(queries, gallery, dtype=dtype, block_queries=block_queries):
        best[block] = order[:, :k].cpu().numpy()
    return best


def relevant_ranks(
    queries: Tensor,
    gallery: Tensor,
    query_items: np.ndarray,
    gallery_items: np.ndarray,
    *,
    dtype: torch.dtype = torch.float32,
    block_queries: int | None = None,
) -> Ragged:
    """Ranks (from 1, ascending) of the gallery rows that show the item of the query, a row a query.

    query_items (Q,) and gallery_items (G,) are of one kind (str or int); there is at least one query.
    """
    _, codes = np.unique(np.concatenate([query_items, gallery_items]), return_inverse=True)
    codes = torch.from_numpy(codes).to(gallery.device)
    wanted, shown = codes[: len(query_items)], codes[len(query_items) :]
    ranked = rankings(queries, gallery, dtype=dtype, block_queries=block_queries)
    return Ragged.stack([ranks_of(shown[order] == wanted[block, None]) for block, order in ranked])


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


def _unit(rows: Tensor) -> Tensor:
    norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return rows / norms.masked_fill(norms == 0, 1)
