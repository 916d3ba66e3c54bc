"""Figures as published implementations compute them, where they deviate from the literature.

DADA's counts a picture that shows an item alone as a miss, where the literature leaves it out, and divides a query's
average precision by the size of its class with the query in it, or by the number of relevant pictures that it found.
"""

from collections.abc import Iterable

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.evaluation.metrics.cmc import first_ranks


def recall_at(ranks: Ragged, missed: int, ks: Iterable[int]) -> dict[int, float]:
    """K -> share of queries with a relevant picture in the first k; `missed` queries have none in the gallery."""
    first = first_ranks(ranks)
    return {k: float(np.count_nonzero(first <= k) / (len(ranks) + missed)) for k in ks}


def map_at_class_size(ranks: Ragged, missed: int) -> float:
    """What it calls mAP_R: precisions at the relevant of the first f pictures, summed, divided by f = relevant + 1."""
    sizes = ranks.lengths + 1
    return _mean_of_sums(ranks, ranks.values <= sizes[ranks.owners], sizes, missed)


def map_at(ranks: Ragged, missed: int, k: int) -> float:
    """What it calls mAP_1000, for k = 1000: the same over the first `k`, divided by f."""
    return _mean_of_sums(ranks, ranks.values <= k, ranks.lengths + 1, missed)


def map_of_found(ranks: Ragged, missed: int, k: int) -> float:
    """MAP over the first `k` of the gallery, divided by the number of relevant pictures in them (0 if none)."""
    within = ranks.values <= k
    found = np.bincount(ranks.owners[within], minlength=len(ranks))
    return _mean_of_sums(ranks, within, np.maximum(found, 1), missed)


def item_hit_names(k: int) -> tuple[str, ...]:
    """Keys of `item_hits`."""
    return f"hits@{k}_published", "possible_hits_published", f"items_hit@{k}_published", f"items_missed@{k}_published"


def item_hits(ranks: Ragged, alone: int, k: int) -> dict[str, float]:
    """What deep-fashion-retrieval counts where one picture of each item searches all pictures, itself among them.

    `ranks` leave out the picture itself, which takes one of the `k` places shown; `alone` items have no other picture.
    Hits are other pictures of the item among those shown, of all there are; items are hit by one at least, or missed.
    """
    shown = ranks.values < k
    hit = len(np.unique(ranks.owners[shown]))
    counts = (np.count_nonzero(shown), len(ranks.values), hit, len(ranks) + alone - hit)
    return dict(zip(item_hit_names(k), map(float, counts), strict=True))


def _mean_of_sums(ranks: Ragged, within: np.ndarray, divisors: np.ndarray, missed: int) -> float:
    precisions = np.where(within, (ranks.places + 1) / ranks.values, 0)
    sums = np.bincount(ranks.owners, weights=precisions, minlength=len(ranks))
    return float((sums / divisors).sum() / (len(ranks) + missed))
