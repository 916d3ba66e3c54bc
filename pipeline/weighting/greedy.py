"""Greedy one-to-one matching, exact and without a full table of similarities."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.weighting.matches import Matches, first_of_most_similar
from pipeline.weighting.members import as_index

# Nearest products a suitor remembers; it looks again once all of them are taken.
REMEMBERED = 64
LOW_BITS = 2**32 - 1


def greedy_rounds(suitors: Tensor, products: Tensor) -> Iterator[Matches]:
    """Match suitors (T, D) one-to-one with products (S, D), both float64 of unit length; yields each round's matches.

    In a round every suitor left picks its most similar product left, and each picked product accepts the most similar
    of its suitors; both leave. Rounds go on until no suitor or no product is left. The lowest index wins ties, and the
    matches of a round are sorted by product.

    Sharma et al., "Unsupervised Meta-Domain Adaptation for Fashion Retrieval", WACV 2021: strategy WS7.
    """
    taken = np.zeros(len(products), dtype=bool)
    waiting = np.arange(len(suitors))
    index, similarity = _nearest(suitors, products, taken)
    while len(waiting) and not taken.all():
        # What was among the nearest and is still free comes before all that was not among them.
        dry = waiting[taken[index[waiting]].all(axis=1)]
        if len(dry):
            index[dry], similarity[dry] = _nearest(suitors[as_index(dry, suitors)], products, taken)
        place = np.argmin(taken[index[waiting]], axis=1)
        picks, scores = index[waiting, place], similarity[waiting, place]
        accepted = first_of_most_similar(picks, scores)
        yield Matches(waiting[accepted], picks[accepted], scores[accepted])
        taken[picks[accepted]] = True
        waiting = np.delete(waiting, accepted)


def _nearest(suitors: Tensor, products: Tensor, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest products of each suitor, the free ones first: index (T, K) int64 and similarity (T, K) float32.

    By falling similarity (rounded to float32, so that equal products tie), then by rising index.
    """
    n, k = len(products), min(REMEMBERED, len(products))
    index, similarity = np.empty((len(suitors), k), np.int64), np.empty((len(suitors), k), np.float32)
    gone = torch.from_numpy(taken).to(products.device)
    backwards = torch.arange(n - 1, -1, -1, device=products.device)
    for rows in slices(len(suitors), rows_per_block(n)):
        scores = (suitors[rows] @ products.T).float().masked_fill_(gone, -torch.inf)
        # topk breaks ties as it likes, so every entry gets a number of its own: the similarity, then the index.
        keys = (_ordinals(scores) << 32) | backwards
        found = n - 1 - (keys.topk(k, dim=1).values & LOW_BITS)
        index[rows], similarity[rows] = found.cpu().numpy(), scores.gather(1, found).cpu().numpy()
    return index, similarity


def _ordinals(values: Tensor) -> Tensor:
    """Integers (int64) in the order of the float32 values: the bits of a float sort like it, but for the sign."""
    bits = (values + 0.0).view(torch.int32)  # + 0.0: -0.0 equals 0.0
    return torch.where(bits < 0, bits ^ (2**31 - 1), bits).long()
