"""From a query to its nearest rows: a shortlist by the engine, then exact scores."""

from typing import NamedTuple

import numpy as np

from pipeline.retrieval.engines.face import Among, Engine, nearest_of
from pipeline.retrieval.engines.vectors import Vectors
from pipeline.retrieval.fusion import Fusion, Scored, best, fused_scores

SCAN_ROWS = 20_000  # rows of a category that are compared one by one; those of a larger one are left to the engine
SHORTEST = 100  # rows that are scored exactly at least, so that two engines agree on the first ones


class Query(NamedTuple):
    """An embedding (D,) of unit length, and a colour feature (C,), which is None when its weight is 0."""

    deep: np.ndarray
    colour: np.ndarray | None = None


def find(
    engine: Engine,
    query: Query,
    k: int,
    *,
    fusion: Fusion,
    shortlist: int,
    colour: Vectors | None = None,
    among: Among | None = None,
    own: int = -1,
) -> tuple[np.ndarray, Scored]:
    """Numbers (k,) int64 of the `k` best rows, and what they score: best first, ties by number.

    The engine finds `shortlist` times as many (0: all that it looks into, be it fewer than `k`), without colour;
    `colour` has the features of the rows. `among`: no others are found. `own`: a row that is not found.
    """
    wanted, least = 0, 0
    if shortlist:
        least = k + int(own >= 0)
        wanted = min(max(shortlist * least, SHORTEST), len(engine.ids))
    if among is not None and len(among.ids) <= SCAN_ROWS:
        ids = nearest_of(query.deep, engine.rows(among.ids), among.ids, wanted)
    else:
        ids = engine.search(query.deep[None], wanted, among, least)[0]
    ids = ids[(ids >= 0) & (ids != own)]
    coloured = (query.colour, colour.rows(ids)) if fusion.weight else None
    scored = fused_scores((query.deep, engine.rows(ids)), coloured, fusion)
    chosen = best(scored.score, ids, k)
    return ids[chosen], Scored(*(values[chosen] for values in scored))
