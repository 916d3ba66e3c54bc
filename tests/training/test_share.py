"""Shares of a batch: all of it, once, in order."""

import numpy as np
import pytest

from pipeline.base.errors import UserError
from pipeline.training.share import Share


@pytest.mark.parametrize(("n", "count"), [(0, 1), (7, 1), (7, 2), (7, 3), (3, 3), (100, 8), (2, 5)])
def test_shares_are_all_of_it_in_order(n, count):
    places = [Share(rank, count).places(n) for rank in range(count)]
    assert np.concatenate(places).tolist() == list(range(n))
    sizes = [len(own) for own in places]
    assert max(sizes) - min(sizes) <= 1
    assert all(Share(rank, count).sizes(n) == sizes for rank in range(count))


def test_each_part_of_a_batch_is_shared_out():
    chosen = [Share(rank, 2).chosen(3, 4) for rank in range(2)]
    assert np.flatnonzero(chosen[0]).tolist() == [0, 3, 4]
    assert np.flatnonzero(chosen[1]).tolist() == [1, 2, 5, 6]
    assert Share().chosen(3, 4).all()
    assert Share(1, 2).chosen(4, 0).tolist() == [False, False, True, True]


def test_a_part_that_is_too_small():
    with pytest.raises(UserError, match=r"^4 processes cannot share out the 3 rows of a batch; start 3 at most$"):
        Share(0, 4).chosen(8, 3)
