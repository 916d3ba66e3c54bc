"""The head in closed form: pooled features whitened within the items of the source.

What differs between two pictures of one item is what a search must not see. Its covariance is estimated on pairs of
a consumer and a shop picture of one item, and the features are scaled by its inverse root: directions in which pictures
of one item differ count little.

Within-class whitening: Hatch, Kajarekar, Stolcke, "Within-class covariance normalization for SVM-based speaker
recognition", Interspeech 2006; Radenovic, Tolias, Chum, "Fine-tuning CNN image retrieval with no human annotation",
TPAMI 2018, section 3.3. Shrinkage: Ledoit, Wolf, "A well-conditioned estimator for large-dimensional covariance
matrices", 2004.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from pipeline.arrays.blocks import slices
from pipeline.arrays.rows import unit_rows
from pipeline.base.names import Domain
from pipeline.models.head import Head
from pipeline.table.domains import CODES

BLOCK_ROWS = 8192


@dataclass(frozen=True)
class Whitening:
    """The estimate that heads of any shrinkage are made of, all float64.

    axes (D, P): principal axes of all pictures; centres (2, P): means of the domains; variances (D,) ascending and
    directions (D, D), columns, of the covariance within items along the axes; root: as in `Head`.
    """

    axes: np.ndarray
    centres: np.ndarray
    variances: np.ndarray
    directions: np.ndarray
    root: bool

    def head(self, shrinkage: float) -> Head:
        """l2(S^(-1/2) (z - m_dom)) with S = (1 - shrinkage) C + shrinkage tr(C)/D I of the covariance C within items.

        z are signed roots where `root` says so, else features of unit length.
        """
        variances = (1 - shrinkage) * self.variances + shrinkage * self.variances.mean()
        weight = (self.directions / np.sqrt(variances)) @ self.directions.T @ self.axes
        # The scale says nothing about the embeddings; this one is that of a head that is trained on from here.
        weight *= np.sqrt(len(weight)) / np.linalg.norm(weight)
        bias = -self.centres @ weight.T
        return Head.of(torch.from_numpy(weight), torch.from_numpy(bias), norm_features=not self.root, root=self.root)


def fit_whitening(pooled: np.ndarray, domain: np.ndarray, item: np.ndarray, *, root: bool, width: int) -> Whitening:
    """Estimate on pooled features (N, P) of pictures of these domains (N,) and items (N,), both int64 codes.

    `width`: at most so many principal axes are kept. Raises NothingToWhiten where no item has pictures of both domains,
    or none of them differ.
    """
    item = np.unique(item, return_inverse=True)[1]
    counts = np.zeros((len(Domain), item.max() + 1))  # pictures of each item, a row a domain
    np.add.at(counts, (domain, item), 1)
    if not counts.prod(axis=0).any():
        raise NothingToWhiten("no item of the source has both a consumer and a shop picture")
    z, sums = _Rows(pooled, rooted if root else unit_rows), np.zeros((len(Domain), pooled.shape[1]))
    for part, rows in z.blocks():
        for code in CODES.values():
            sums[code] += rows[domain[part] == code].sum(axis=0)
    centres, mean = sums / counts.sum(axis=1)[:, None], sums.sum(axis=0) / len(pooled)
    # Ascending eigenvalues: the last axes are the principal ones.
    width = min(width, len(pooled) - 1, pooled.shape[1])
    scatter = sum((rows - mean).T @ (rows - mean) for _, rows in z.blocks())
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :width].T
    within = _within_items(z, axes, domain, item, counts)
    variances, directions = np.linalg.eigh(within / 2)
    return Whitening(axes, centres, variances.clip(min=0), directions, root)


def _within_items(z: "_Rows", axes: np.ndarray, domain: np.ndarray, item: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Covariance (D, D), along the axes, of the differences of all pairs of a photo and a shop picture of one item.

    The pairs need not be listed: sum (c - s)(c - s)' over those of an item with n photos c and m shop pictures s is
    m sum cc' + n sum ss' - sum c sum s' - sum s sum c'. counts (2, I): n and m of each item.
    Raises NothingToWhiten where no two of these differences differ.
    """
    partners = counts[1 - domain, item]  # pictures that each is paired with
    products, sums = np.zeros((len(axes), len(axes))), np.zeros((*counts.shape, len(axes)))
    for part, rows in z.blocks():
        along = rows @ axes.T
        products += (along * partners[part, None]).T @ along
        np.add.at(sums, (domain[part], item[part]), along)
    photos, shown = sums
    crossed, pairs = photos.T @ shown, counts.prod(axis=0).sum()
    mean = (counts[1] @ photos - counts[0] @ shown) / pairs
    within = products - crossed - crossed.T - pairs * np.outer(mean, mean)
    if np.trace(within) <= 1e-12 * np.trace(products):  # what rounding leaves
        raise NothingToWhiten("the pairs of one item do not differ from one another")
    return within / (pairs - 1)


class _Rows(NamedTuple):
    """Pooled features (N, P), and what is made of them in float64."""

    pooled: np.ndarray
    made: Callable[[np.ndarray], np.ndarray]

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Places, and rows (B, P)."""
        for part in slices(len(self.pooled), BLOCK_ROWS):
            yield part, self.made(self.pooled[part].astype(np.float64))


def rooted(rows: np.ndarray) -> np.ndarray:
    """Signed roots of rows (N, P) at unit length: `pipeline.models.head.signed_root` in the precision of the rows."""
    return unit_rows(np.sign(rows) * np.sqrt(np.abs(rows)))


class NothingToWhiten(ValueError):
    """There is no pair to estimate from."""
