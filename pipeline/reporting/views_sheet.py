"""A sheet of catalogue pictures and the street views that were drawn of them."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

GAP, MARGIN, PAPER = 4, 16, (255, 255, 255)


def views_sheet(rows: Iterable[Sequence[np.ndarray]]) -> Image.Image:
    """A row a picture, all of S x S pixels: (S, S, 3) uint8 of the picture itself, then of its views."""
    rows = [list(row) for row in rows]
    side, columns = len(rows[0][0]), max(map(len, rows))
    step = side + GAP
    sheet = Image.new("RGB", (2 * MARGIN + columns * step + GAP, 2 * MARGIN + len(rows) * step - GAP), PAPER)
    for number, row in enumerate(rows):
        for column, tile in enumerate(row):
            left = MARGIN + column * step + (2 * GAP if column else 0)  # the picture stands apart
            sheet.paste(Image.fromarray(tile), (left, MARGIN + number * step))
    return sheet
