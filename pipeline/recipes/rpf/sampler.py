"""Triplets of pictures over an attribute: two that share its value, and one that shows another."""

import numpy as np
import pandas as pd

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, VALUE
from pipeline.training.batches import Sampler


class AttributeTriplets(Sampler):
    """Batches of `batch_size` triplets, `triplets` an epoch; those left over make a smaller last batch.

    `entries` are rows of the manifest with an attribute and a value each; the index says which picture a row is of. A
    class is an (attribute, value) pair, its label the position in sorted order. Of each triplet the attribute is drawn
    uniformly, then two of its values, and of the first two different rows, of the second one. With `strict` the
    negative is of a picture that has not the first value too, as pictures of several values may.

    A value with one row gives negatives only, and attributes without triplets are left out: `left_out` says which, and
    what is drawn from are `self.entries`; known: the names of their attributes; attributes (C,) int64: the place there
    of that of each class. Every draw depends only on (seed, epoch, index of the batch).
    Raises UserError when no attribute is left.
    """

    def __init__(self, entries: pd.DataFrame, *, triplets: int, batch_size: int, strict: bool, seed: int) -> None:
        self.triplets, self.batch_size, self.strict, self.seed = triplets, batch_size, strict, seed
        self.n_batches = -(-triplets // batch_size)
        fit = _fit_for_anchors(entries, strict)
        drawn = fit.groupby(level=ATTRIBUTE).any()
        self.left_out = _left_out(fit, drawn)
        if not drawn.any():
            raise UserError(f"recipes.rpf: no attribute to learn by: {self.left_out}; see data.sets for more pictures")
        self.known: tuple[str, ...] = tuple(drawn.index[drawn])
        self.entries = entries[entries[ATTRIBUTE].isin(self.known)]
        fit = fit[fit.index.isin(self.known, level=ATTRIBUTE)]
        self.names: list[tuple[str, str]] = fit.index.tolist()
        self.labels = fit.index.get_indexer(pd.MultiIndex.from_frame(self.entries[[ATTRIBUTE, VALUE]]))
        self.attributes = pd.Index(self.known).get_indexer(fit.index.get_level_values(ATTRIBUTE)).astype(np.int64)
        self._rows = Ragged.group(self.labels, np.arange(len(self.entries)), len(fit))
        self._values = Ragged.group(self.attributes, np.arange(len(fit)), len(self.known))
        (anchors,) = fit.to_numpy().nonzero()
        self._first = Ragged.group(self.attributes[anchors], anchors, len(self.known))
        self._pictures = pd.factorize(self.entries.index)[0]
        self._shown = np.unique(self._keys(self.labels, np.arange(len(self.labels))))

    @property
    def smallest(self) -> int:
        """How many triplets the last batch of an epoch has."""
        return self.triplets - (self.n_batches - 1) * self.batch_size

    def draw(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (3B,) int64 of the entries, anchors, positives, negatives, and their labels (3B,) int64."""
        n = self.smallest if index == self.n_batches - 1 else self.batch_size
        rng = np.random.default_rng([self.seed, epoch, index])
        values = _any_of(rng, self._first, rng.integers(len(self.known), size=n))
        sizes, starts = self._rows.lengths[values], self._rows.offsets[values]
        anchors = rng.integers(sizes)
        # A step of 1 to n - 1 round a circle of n leads to each of the others alike.
        positives = (anchors + rng.integers(1, sizes)) % sizes
        same = self._rows.values[np.concatenate([starts + anchors, starts + positives])]
        rows = np.concatenate([same, self._negatives(rng, values)])
        return rows, self.labels[rows]

    def parts(self, rows: np.ndarray, labels: np.ndarray) -> tuple[int, ...]:  # noqa: ARG002  as of every sampler
        """Each role by itself."""
        return (len(rows) // 3,) * 3

    def _negatives(self, rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
        """A row (B,) of another value than each of `values` (B,), of the same attribute."""
        rows = np.empty(len(values), dtype=np.int64)
        wanted = np.arange(len(values))
        while len(wanted):
            own = values[wanted]
            attributes = self.attributes[own]
            n, start = self._values.lengths[attributes], self._values.offsets[attributes]
            others = start + (own - start + rng.integers(1, n)) % n
            rows[wanted] = _any_of(rng, self._rows, others)
            if not self.strict:
                break
            keys = self._keys(own, rows[wanted])
            wanted = wanted[self._shown[np.searchsorted(self._shown, keys).clip(max=len(self._shown) - 1)] == keys]
        return rows

    def _keys(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """A number (N,) for each value with the picture of each row."""
        return values * len(self._pictures) + self._pictures[rows]


def _fit_for_anchors(entries: pd.DataFrame, strict: bool) -> pd.Series:
    """Whether anchors may have each (attribute, value), in sorted order: two rows, and something to tell them from."""
    sizes = entries.groupby([ATTRIBUTE, VALUE]).size()
    others = sizes.groupby(level=ATTRIBUTE).transform("size") > 1
    if strict:  # all pictures of the attribute may have that value, beside others
        pictures = entries.index.to_series().groupby(entries[ATTRIBUTE].to_numpy()).nunique()
        others = pictures[sizes.index.get_level_values(ATTRIBUTE)].to_numpy() > sizes
    return (sizes > 1) & others


def _left_out(fit: pd.Series, drawn: pd.Series) -> str:
    """What gives no triplets, or negatives only, in words; empty where everything is drawn alike."""
    values = fit.groupby(level=ATTRIBUTE).size()
    said = [
        f"{name} is left out, having "
        + ("one value" if values[name] == 1 else "no pair of pictures to tell from others")
        for name in drawn.index[~drawn]
    ]
    rest = fit[drawn[fit.index.get_level_values(ATTRIBUTE)].to_numpy()]
    if not rest.all():
        said.append(f"{(~rest).sum()} of {len(rest)} values have no pair of pictures and give negatives only")
    return "; ".join(said)


def _any_of(rng: np.random.Generator, groups: Ragged, chosen: np.ndarray) -> np.ndarray:
    """A value of each of the rows `chosen` (B,) of `groups`, drawn uniformly."""
    return groups.values[groups.offsets[chosen] + rng.integers(groups.lengths[chosen])]
