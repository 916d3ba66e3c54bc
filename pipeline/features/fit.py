"""A linear head from features alone: W, b such that l2(W z + b) gives the unit rows x that belong to pooled rows z.

The length of W z + b is lost in x. So each row has an unknown scale s, and W, b and s are to make W z + b = s x. With s
given this is ordinary least squares; with W, b given the best s is <W z + b, x>. The two alternate, from s = 1 (plain
least squares of x on [z, 1]), with the mean of s^2 held at 1 so that nothing shrinks to zero. This is power iteration
for the top eigenvector s of the positive semi-definite H * X X^T (elementwise; H projects onto the columns of [z, 1]),
whose eigenvalue 1 belongs to an exact head.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.base.errors import UserError

ROUNDS = 10
GAIN = 1e-4  # of the mean cosine, below which another round is not worth a pass over the data

Blocks = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class FittedHead:
    """weight (D, P), bias (D,) float32; `cosine`: mean over the rows of <l2(W z + b), x>."""

    weight: np.ndarray
    bias: np.ndarray
    cosine: float


def fit_head(blocks: Blocks, *, norm_features: bool) -> FittedHead:
    """Fit a head to the rows of `blocks()`: pairs z (B, P), x (B, D); called once a pass, with the same rows each time.

    Sums are in float64; memory is bounded by the blocks and (P + 1)^2. Of several best heads (fewer rows than
    columns) the smallest is taken. `norm_features`: z is L2-normalised first.
    Raises UserError when no row has an embedding other than zero.
    """
    gram, inverse, solution, best = None, None, None, None
    for turn in range(ROUNDS + 1):
        sums = _Sums(gram)
        for pooled, embedding in blocks():
            sums.add(pooled, embedding, solution, norm_features)
        gram = sums.gram
        if not sums.squares > 0:
            raise UserError("head: all embeddings are zero rows, so there is no layer to fit; get the X files again")
        if solution is not None:
            if best is not None and not sums.cosine >= best.cosine + GAIN:
                break
            best = FittedHead(solution[:-1].T.astype(np.float32), solution[-1].astype(np.float32), sums.cosine)
        if turn < ROUNDS:
            if inverse is None:
                inverse = np.linalg.pinv(gram, rcond=len(gram) * np.finfo(np.float64).eps, hermitian=True)
            solution = inverse @ sums.cross / np.sqrt(sums.squares / sums.rows)
    return best


def head_cosine(blocks: Blocks, weight: np.ndarray, bias: np.ndarray, *, norm_features: bool) -> float:
    """Mean over the rows of `blocks()` of <l2(W z + b), x> for a given head; weight (D, P), bias (D,)."""
    total, rows = 0.0, 0
    for pooled, embedding in blocks():
        made = _design(pooled, norm_features) @ np.vstack([weight.T, bias]).astype(np.float64)
        total += float((_unit(made) * _unit(embedding.astype(np.float64))).sum())
        rows += len(pooled)
    return total / rows


class _Sums:
    """What one pass over the rows adds up; `gram` of an earlier pass is taken over, as it does not change."""

    def __init__(self, gram: np.ndarray | None) -> None:
        self.known, self.gram, self.cross = gram is not None, gram, 0.0
        self.squares, self.cosines, self.rows = 0.0, 0.0, 0

    @property
    def cosine(self) -> float:
        """Of the head that the rows were scaled by."""
        return self.cosines / self.rows

    def add(self, pooled: np.ndarray, embedding: np.ndarray, solution: np.ndarray | None, norm_features: bool) -> None:
        """Add rows, scaled by the head `solution` (P + 1, D), or not at all."""
        design, wanted = _design(pooled, norm_features), _unit(embedding.astype(np.float64))
        scale = (wanted != 0).any(axis=1).astype(np.float64)
        if solution is not None:
            made = design @ solution
            scale = (made * wanted).sum(axis=1)
            self.cosines += float((_unit(made) * wanted).sum())
        if not self.known:
            self.gram = design.T @ design + (0.0 if self.gram is None else self.gram)
        self.cross = design.T @ (scale[:, None] * wanted) + self.cross
        self.squares += float((scale**2).sum())
        self.rows += len(wanted)


def _design(pooled: np.ndarray, norm_features: bool) -> np.ndarray:
    """Rows [z, 1] (N, P + 1) float64."""
    rows = pooled.astype(np.float64)
    return np.hstack([_unit(rows) if norm_features else rows, np.ones((len(rows), 1))])


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)
