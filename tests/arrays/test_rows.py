"""Unit length and finiteness of rows, arrays and tensors alike."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from pipeline.arrays.rows import bad_rows, check_finite, unit_rows
from pipeline.base.errors import UserError

KINDS = [np.asarray, torch.from_numpy]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_unit_rows_keep_direction_precision_and_zeros(kind, dtype):
    made = unit_rows(kind(np.array([[3, 4], [0, 0], [0, -0.5]], dtype=dtype)))
    assert isinstance(made, type(kind(np.zeros(1))))
    assert np.asarray(made).dtype == dtype
    np.testing.assert_allclose(np.asarray(made), [[0.6, 0.8], [0, 0], [0, -1]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_unit_rows_are_those_of_torch_to_the_bit(dtype):
    rows = torch.randn(200, 37, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert torch.equal(unit_rows(rows), normalize(rows, dim=1))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_are_not_finite(kind):
    rows = np.ones((5, 3), dtype=np.float32)
    assert bad_rows(kind(rows)).tolist() == []
    check_finite(kind(rows), "rows")
    rows[1, 2], rows[4, 0] = np.nan, -np.inf
    assert bad_rows(kind(rows)).tolist() == [1, 4]
    with pytest.raises(UserError, match="rows: NaN or infinite values in 2 of 5 rows, the first is row 1; extract"):
        check_finite(kind(rows), "rows")
