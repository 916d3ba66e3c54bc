"""Boxes against the pictures that they are of: cut to them, or with the reason why nothing can be cut out."""

import numpy as np

from pipeline.base.names import BOX

LARGEST_SHARE = 1.5  # of a picture, in boxes that overshoot it; in pixels no box could be used that is as small


def in_pixels(boxes: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, bool]:
    """Boxes (N, 4) of pictures of `sizes` (N, 2) in pixels, and whether all of them were shares of their picture.

    So they are taken when no value of any is larger than a share can be. Rows of NaN have no box.
    """
    if np.isnan(boxes).all() or np.nanmax(boxes) > LARGEST_SHARE:
        return boxes, False
    return boxes * np.tile(sizes, 2), True


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
    if (box[:2] >= 0).all() and (box[:2] + box[2:] <= 1).all():
        return f"{told} is a share of the picture, where other boxes are in pixels"
    if ((box[:2] >= size) | (box[:2] + box[2:] <= 0)).any():
        return f"{told} lies outside the picture of {size[0]:.0f}x{size[1]:.0f} pixels"
    return f"box of {pixels[0]:.0f}x{pixels[1]:.0f} pixels, below {min_side} on a side"
