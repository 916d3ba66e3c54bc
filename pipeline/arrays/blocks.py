"""Cutting large tables of pairs into blocks, so that memory is bounded by the block and never by N x N."""

from collections.abc import Iterator
from math import isqrt

import torch
from torch import Tensor

# Pairs held at once: 64 MiB of float32, enough for a matrix product to run at full speed.
BLOCK_PAIRS = 2**24


def rows_per_block(columns: int) -> int:
    """Rows of a table with `columns` columns that make one block; at least 1."""
    return max(1, BLOCK_PAIRS // max(1, columns))


def block_side() -> int:
    """Rows and columns of a square block of pairs: a quarter of a block, which still fills a matrix product."""
    return max(1, isqrt(BLOCK_PAIRS) // 2)


def slices(total: int, size: int) -> list[slice]:
    """0..total cut into consecutive slices of at most `size`."""
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]


def matching_blocks(row_keys: Tensor, column_keys: Tensor, size: int) -> Iterator[tuple[slice, slice, Tensor]]:
    """Walk over all pairs (row, column) of equal key without walking over all pairs.

    `row_keys` (R,) and `column_keys` (C,) are sorted int64. Yields at most `size` rows at a time as
    (rows, columns, match): `columns` is the span that holds every key of these rows, and `match` the bool table
    (rows, columns) of equal keys. Columns whose key no row has only widen the spans: leave them out beforehand.
    """
    starts = torch.searchsorted(column_keys, row_keys, right=False)
    ends = torch.searchsorted(column_keys, row_keys, right=True)
    for rows in slices(len(row_keys), size):
        columns = slice(int(starts[rows.start]), int(ends[rows.stop - 1]))
        yield rows, columns, row_keys[rows, None] == column_keys[None, columns]
