"""Rows of features, arrays or tensors alike: unit length, and refusing what is no number."""

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pipeline.base.errors import UserError

if TYPE_CHECKING:  # arrays alone need no torch, which takes seconds to import
    from torch import Tensor

Rows = TypeVar("Rows", np.ndarray, "Tensor")


def unit_rows(rows: Rows) -> Rows:
    """Rows (N, D) of floats divided by their length, in their precision; zero rows stay zero."""
    if isinstance(rows, np.ndarray):
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(lengths == 0, 1, lengths)
    lengths = rows.norm(dim=1, keepdim=True)
    return rows / lengths.masked_fill(lengths == 0, 1)


def bad_rows(rows: "np.ndarray | Tensor") -> np.ndarray:
    """Positions (n,) int64, ascending, of the rows of (N, D) that hold a NaN or an infinity."""
    if isinstance(rows, np.ndarray):
        return np.flatnonzero(~np.isfinite(rows).all(axis=1))
    return (~rows.isfinite().all(dim=1)).nonzero().flatten().cpu().numpy()


def check_finite(rows: "np.ndarray | Tensor", what: str) -> None:
    """Raise UserError naming `what` and the first faulty row of (N, D) if it holds NaN or infinite values."""
    faulty = bad_rows(rows)
    if len(faulty):
        raise UserError(
            f"{what}: NaN or infinite values in {len(faulty)} of {len(rows)} rows, the first is row {faulty[0]}; "
            "extract the features again with a sound model"
        )
