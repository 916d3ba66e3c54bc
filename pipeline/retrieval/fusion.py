"""The fused score of deep-fashion-retrieval: score = -(deep distance) - weight x (colour distance)."""

from typing import NamedTuple

import numpy as np

from pipeline.base.names import Distance
from pipeline.retrieval.distances import distances


class Fusion(NamedTuple):
    """The distances that are summed, and the weight of the second one; they are not scaled to each other."""

    metric: Distance = "cosine"
    colour_metric: Distance = "euclidean"
    weight: float = 0.0


class Scored(NamedTuple):
    """Distances (n,) float64 of rows to a query, and `score` (n,), greater is nearer; colour is 0 where it is unread.

    A cosine distance counts from 1, so that the score without colour is the cosine similarity.
    """

    score: np.ndarray
    deep: np.ndarray
    colour: np.ndarray


def fused_scores(
    deep: tuple[np.ndarray, np.ndarray], colour: tuple[np.ndarray, np.ndarray] | None, fusion: Fusion
) -> Scored:
    """Scores of rows, given as (query (D,), rows (n, D)) of both kinds. `colour` is not read when its weight is 0."""
    apart = distances(*deep, fusion.metric)
    coloured = distances(*colour, fusion.colour_metric) if fusion.weight else np.zeros(len(apart))
    return Scored(offset(fusion.metric) - apart - fusion.weight * coloured, apart, coloured)


def offset(metric: Distance) -> float:
    """What is added to the published score: 1 for the cosine."""
    return 1.0 if metric == "cosine" else 0.0


def best(score: np.ndarray, ids: np.ndarray, k: int) -> np.ndarray:
    """Positions of the `k` greatest of score (n,), falling; of equal ones that with the lower id (n,) first."""
    if 0 < k < len(score):
        least = np.partition(score, -k)[-k]
        near = np.flatnonzero(score >= least)
    else:
        near = np.arange(len(score))
    return near[np.lexsort((ids[near], -score[near]))][:k]
