"""Every picture once an epoch, in batches that only (seed, epoch, index) decide, and classes in order."""

import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.recipes.margin_softmax.batches import ShuffledPictures


def table(n, items=4):
    rows = [(f"c{k % 2}", f"i{k % items}") for k in range(n)]
    return pd.DataFrame(rows, columns=["category", "item"]).sample(frac=1, random_state=0)


def drawn(made, epoch):
    return [made.draw(epoch, index) for index in range(made.n_batches)]


@pytest.mark.parametrize(
    ("n", "batch_size", "sizes"),
    [(22, 4, [4] * 5 + [2]), (12, 4, [4] * 3), (13, 4, [4, 4, 5]), (5, 128, [5]), (5, 4, [5])],
)
def test_an_epoch_shows_every_picture_once(n, batch_size, sizes):
    made = ShuffledPictures(table(n), batch_size=batch_size, seed=3)
    for epoch in range(2):
        batches = drawn(made, epoch)
        assert [len(rows) for rows, _ in batches] == sizes
        assert sorted(np.concatenate([rows for rows, _ in batches])) == list(range(n))
    assert made.smallest == min(sizes)


def test_labels_are_places_of_items_in_order():
    rows = table(11)
    made = ShuffledPictures(rows, batch_size=4, seed=3)
    assert made.names == [("c0", "i0"), ("c0", "i2"), ("c1", "i1"), ("c1", "i3")]
    for batch, labels in drawn(made, 0):
        assert [made.names[label] for label in labels] == list(rows.iloc[batch].itertuples(index=False, name=None))
    assert made.counts.tolist() == [3, 3, 3, 2]


def test_draws_do_not_depend_on_earlier_ones():
    one, other = (ShuffledPictures(table(22), batch_size=4, seed=3) for _ in range(2))
    reference = [one.draw(epoch, index)[0].tolist() for epoch in (0, 1) for index in range(6)]
    backwards = [other.draw(epoch, index)[0].tolist() for epoch in (1, 0) for index in reversed(range(6))]
    assert backwards[::-1] == reference
    assert reference[:6] != reference[6:]
    assert ShuffledPictures(table(22), batch_size=4, seed=4).draw(0, 0)[0].tolist() != reference[0]


# Of golden derived_params.csv: pictures, batch size, epochs, iterations.
@pytest.mark.parametrize(
    ("n", "batch_size", "epochs", "iterations"), [(1000, 64, 3, 48), (999, 100, 4, 40), (5, 128, 1, 1)]
)
def test_published_numbers_of_batches(n, batch_size, epochs, iterations):
    assert ShuffledPictures(table(n), batch_size=batch_size, seed=0).n_batches * epochs == iterations


def test_one_item():
    with pytest.raises(UserError, match=r"^recipes.margin_softmax: the 6 source pictures show one item"):
        ShuffledPictures(table(6).assign(category="a", item="b"), batch_size=4, seed=0)
