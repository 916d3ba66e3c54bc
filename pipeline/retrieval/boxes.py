"""A box that a user typed."""

from math import isfinite

from pipeline.base.errors import UserError
from pipeline.images.decode import Box


def parse_box(text: str) -> Box:
    """`x,y,w,h` in pixels. Raises UserError when that is not what it says."""
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"box: {text!r} is not x,y,w,h in pixels, as 20,40,120,200") from None
    if not all(isfinite(value) for value in (x, y, w, h)) or w <= 0 or h <= 0:
        raise UserError(f"box: {text!r} has no size; w and h are pixels above 0")
    return x, y, w, h
