"""The head in closed form: pooled features whitened within the items of the source.

What differs between two pictures of one item is what a search must not see. Its covariance is estimated on pairs of
a consumer and a shop picture of one item, and the features are scaled by its inverse root: directions in which pictures
of one item differ count little.

Within-class whitening: Hatch, Kajarekar, Stolcke, "Within-class covariance normalization for SVM-based speaker
recognition", Interspeech 2006; Radenovic, Tolias, Chum, "Fine-tuning CNN image retrieval with no human annotation",
TPAMI 2018, section 3.3. Shrinkage: Ledoit, Wolf, "A well-conditioned estimator for large-dimensional covariance
matrices", 2004.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
    consumer, shop = pairs_of_items(domain, item)
    if not len(consumer):
        raise NothingToWhiten("no item of the source has both a consumer and a shop picture")
    made = rooted if root else unit_rows

    def taken(rows: np.ndarray) -> np.ndarray:
        return made(pooled[rows].astype(np.float64))

    every = np.arange(len(pooled))
    width = min(width, len(pooled) - 1, pooled.shape[1])
    # Ascending eigenvalues: the last axes are the principal ones.
    axes = np.linalg.eigh(_moments(taken(rows) for rows in _blocks(every))[1])[1][:, ::-1][:, :width].T
    pairs = np.stack([consumer, shop])
    _, within = _moments((taken(one) - taken(other)) @ axes.T for one, other in _blocks(pairs))
    if not within.any():
        raise NothingToWhiten("the pairs of one item do not differ from one another")
    variances, directions = np.linalg.eigh(within / 2)
    centres = [_moments(taken(rows) for rows in _blocks(every[domain == CODES[name]]))[0] for name in Domain]
    return Whitening(axes, np.stack(centres), variances.clip(min=0), directions, root)


def pairs_of_items(domain: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n,) of the consumer and of the shop picture of every pair of one item; domain, item (N,) int64."""
    order = np.argsort(item, kind="stable")
    shops = order[domain[order] == CODES[Domain.SHOP]]
    consumers = np.flatnonzero(domain == CODES[Domain.CONSUMER])
    first, last = (np.searchsorted(item[shops], item[consumers], side=side) for side in ("left", "right"))
    counts = last - first
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(consumers, counts), shops[np.repeat(first, counts) + place]


def _moments(blocks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D) of the rows of blocks (B, D) float64, of which there is one at least."""
    count, total, products = 0, 0.0, 0.0
    for block in blocks:
        count, total, products = count + len(block), total + block.sum(axis=0), products + block.T @ block
    mean = total / count
    return mean, (products - count * np.outer(mean, mean)) / max(count - 1, 1)


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    """The columns (..., n) in blocks."""
    for part in slices(rows.shape[-1], BLOCK_ROWS):
        yield rows[..., part]


def rooted(rows: np.ndarray) -> np.ndarray:
    """Signed roots of rows (N, P) at unit length: `pipeline.models.head.signed_root` in the precision of the rows."""
    return unit_rows(np.sign(rows) * np.sqrt(np.abs(rows)))


class NothingToWhiten(ValueError):  # noqa: N818
    """There is no pair to estimate from."""
