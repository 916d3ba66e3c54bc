"""Boxes against the pictures that they are of: cut to them, or with the reason why nothing can be cut out."""

import numpy as np

from pipeline.base.names import BOX


def are_shares(boxes: np.ndarray) -> np.ndarray:
    """Which boxes (N, 4) of x, y, w, h, as (N,) bool, lie within 0..1, as shares of a picture do and no pixels."""
    start, extent = boxes[:, :2], boxes[:, 2:]
    return ((start >= 0) & (extent > 0) & (start + extent <= 1)).all(axis=1)


def fit_boxes(boxes: np.ndarray, sizes: np.ndarray, min_side: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Boxes (N, 4) cut to pictures of `sizes` (N, 2): float64, which of them (N,) were cut, and N problems.

    The problem of a box that can be used is "". A row of NaN has no box; with a size of NaN (a picture that cannot be
    read) the box is lost and its problem is not this one.
    """
    start, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    inside_start, inside_end = np.clip(start, 0, sizes), np.minimum(end, sizes)
    cut = ((inside_start > start) | (inside_end < end)).any(axis=1)
    extents = np.where(cut[:, None], inside_end - inside_start, boxes[:, 2:])
    fitted = np.hstack([inside_start, extents])
    pixels = np.trunc(fitted[:, :2] + fitted[:, 2:]) - np.trunc(fitted[:, :2])  # as a crop is made
    problems = [""] * len(boxes)
    for row in np.flatnonzero((pixels < min_side).any(axis=1)):
        problems[row] = _problem(boxes[row], sizes[row], pixels[row], min_side)
    return fitted, cut, problems


def _problem(box: np.ndarray, size: np.ndarray, pixels: np.ndarray, min_side: int) -> str:
    told = "box ({})".format(", ".join(f"{name} {value:g}" for name, value in zip(BOX, box, strict=True)))
    if (box[2:] <= 0).any():
        return f"{told} has no size"
    if are_shares(box[None])[0]:
        return f"{told} is a share of the picture; pixels are wanted"
    if ((box[:2] >= size) | (box[:2] + box[2:] <= 0)).any():
        return f"{told} lies outside the picture of {size[0]:.0f}x{size[1]:.0f} pixels"
    return f"box of {pixels[0]:.0f}x{pixels[1]:.0f} pixels, below {min_side} on a side"
