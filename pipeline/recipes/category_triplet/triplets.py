"""Triplets of rows in groups: two rows of one group and a row of another."""

import numpy as np

from pipeline.arrays.ragged import Ragged


class Triplets:
    """Draws from `groups` (two at least) of rows. A group of one row gives negatives only."""

    def __init__(self, groups: Ragged) -> None:
        self.rows, self.starts, self.sizes = groups.values, groups.offsets[:-1], groups.lengths
        self.owners, self.places = groups.owners, groups.places
        self.anchors = np.flatnonzero(self.sizes[self.owners] >= 2)

    def of_groups(self, rng: np.random.Generator, groups: np.ndarray) -> np.ndarray:
        """Rows (3, T) of anchors, positives and negatives; the anchor is any row of each of `groups` (T,) int64.

        Every group must have two rows.
        """
        return self.of_anchors(rng, self.starts[groups] + rng.integers(self.sizes[groups]))

    def of_anchors(self, rng: np.random.Generator, anchors: np.ndarray) -> np.ndarray:
        """Rows (3, T) for `anchors` (T,), elements of `self.anchors`.

        The positive is any other row of the anchor's group; the negative any row of a group that is drawn uniformly
        from the others.
        """
        own = self.owners[anchors]
        # A step of 1 to n - 1 round a circle of n leads to each of the others alike.
        places = (self.places[anchors] + rng.integers(1, self.sizes[own])) % self.sizes[own]
        other = (own + rng.integers(1, len(self.sizes), size=len(own))) % len(self.sizes)
        negatives = self.starts[other] + rng.integers(self.sizes[other])
        return self.rows[np.stack([anchors, self.starts[own] + places, negatives])]
