"""Refusing features that are not numbers."""

import torch

from pipeline.base.errors import UserError


def check_finite(x: torch.Tensor, what: str) -> None:
    """Raise UserError naming `what` and the first faulty row of x (N, D) if it holds NaN or infinite values."""
    faulty = torch.nonzero(~torch.isfinite(x).all(dim=1)).flatten()
    if len(faulty):
        raise UserError(
            f"{what}: NaN or infinite values in {len(faulty)} of {len(x)} rows, the first is row {int(faulty[0])}; "
            "extract the features again with a sound model"
        )
