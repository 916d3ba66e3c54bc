"""How much hangs on the order of equal similarities: relevant rows among the first places, at worst and at best."""

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.retrieval.ranking import Measure, Similarity, relevant_rows


def hits_within(
    queries: Tensor,
    gallery: Tensor,
    query_items: np.ndarray,
    gallery_items: np.ndarray,
    k: int,
    *,
    own: np.ndarray | None = None,
    measure: Measure = "cosine",
    dtype: torch.dtype = torch.float32,
    block_queries: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places looked at (Q,), and relevant rows among them at worst (Q,) and at best (Q,), all int64.

    The arguments are those of `ranking.relevant_ranks`. The first min(n, k) places are looked at, n the relevant rows
    of the query. Rows as similar as the one in the last place are ordered against the relevant ones, or for them;
    `relevant_ranks`, by which the lower row comes first, gives something between.
    """
    relevant = relevant_rows(query_items, gallery_items, own)
    places = np.minimum(relevant.lengths, k)
    worst, best = np.zeros_like(places), np.zeros_like(places)
    similarity = Similarity(gallery, measure, dtype)
    asked = np.flatnonzero(places)
    for block in slices(len(asked), block_queries or rows_per_block(len(gallery))):
        rows = asked[block]
        similar = similarity(queries[torch.from_numpy(rows).to(queries.device)], None if own is None else own[rows])
        wanted, looked_at = relevant.take(rows), torch.from_numpy(places[rows]).to(similar.device)
        right = torch.zeros_like(similar, dtype=torch.bool)
        right[tuple(torch.from_numpy(index).to(similar.device) for index in (wanted.owners, wanted.values))] = True
        last = similar.topk(int(looked_at.max()), dim=1).values.gather(1, looked_at[:, None] - 1)
        above, equal = similar > last, similar == last
        sure, tied_right, tied = ((above & right).sum(1), (equal & right).sum(1), equal.sum(1))
        open_places = looked_at - above.sum(1)
        worst[rows] = (sure + (open_places - (tied - tied_right)).clamp(min=0)).cpu().numpy()
        best[rows] = (sure + torch.minimum(tied_right, open_places)).cpu().numpy()
    return places, worst, best
