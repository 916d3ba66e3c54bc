"""Triplets over attributes, by the rules of the published sampler, and what is mended."""

import numpy as np
import pandas as pd
import pytest
from support.golden import golden

from pipeline.base.errors import UserError
from pipeline.recipes.rpf.sampler import AttributeTriplets


def entries_of(rows):
    """Rows (picture, attribute, value) as entries."""
    return pd.DataFrame(
        {"attribute": [one[1] for one in rows], "value": [one[2] for one in rows]}, [one[0] for one in rows]
    )


def sampler(entries, **changes):
    return AttributeTriplets(entries, **({"triplets": 21, "batch_size": 4, "strict": False, "seed": 3} | changes))


@pytest.fixture(scope="module")
def case():
    return golden("sampler", "rpf")


@pytest.fixture(scope="module")
def published(case):
    rows = [
        (int(row[0]), f"a{row[k]}", f"v{row[k + 1]}")
        for row in case["label_rows"]
        for k in range(1, len(row), 2)
        if row[k] >= 0
    ]
    return entries_of(rows)


def test_published_index_and_batches(case, published):
    made = sampler(published, triplets=int(case["num_triplets"]), batch_size=int(case["batch_size"]))
    index = [(*made.names[label], picture) for label, picture in zip(made.labels, made.entries.index, strict=True)]
    expected = [(f"a{attribute}", f"v{value}", picture) for attribute, value, picture in case["value_index"]]
    assert sorted(index) == sorted(expected)
    assert made.n_batches == case["n_batches"]
    assert [len(made.draw(0, index)[0]) for index in range(made.n_batches)] == case["batch_lengths"].tolist()


def rules(attribute, value, picture):
    """Of triplets (3, T) each."""
    assert (attribute == attribute[0]).all()
    assert (value[0] == value[1]).all()
    assert (value[0] != value[2]).all()
    assert (picture[0] != picture[1]).all()


def drawn(made, epochs=10):
    """Attributes, values and pictures (3, T) of all triplets of some epochs."""
    batches = [made.draw(epoch, index) for epoch in range(epochs) for index in range(made.n_batches)]
    for rows, labels in batches:
        assert (rows.dtype, labels.dtype) == (np.int64, np.int64)
        assert np.array_equal(made.labels[rows], labels)
    rows = np.concatenate([rows.reshape(3, -1) for rows, _ in batches], axis=1)
    names = np.array(made.names)[made.labels[rows]]
    return names[..., 0], names[..., 1], made.entries.index.to_numpy()[rows]


def test_rules_of_the_published_draw(case, published):
    batch, role, image, attribute, value = case["example_epoch"].T
    order = np.lexsort((np.arange(len(batch)), batch, role))
    rules(*(column[order].reshape(3, -1) for column in (attribute, value, image)))
    rules(*drawn(sampler(published)))


@pytest.mark.parametrize("strict", [False, True])
def test_attributes_and_values_are_drawn_uniformly(published, strict):
    attribute, value, _ = drawn(sampler(published, strict=strict, triplets=400, batch_size=100))
    _, counts = np.unique(attribute[0], return_counts=True)
    assert counts / counts.sum() == pytest.approx(1 / 2, abs=0.03)
    _, counts = np.unique(value[0, attribute[0] == "a1"], return_counts=True)
    assert counts / counts.sum() == pytest.approx(1 / 4, abs=0.04)


def test_a_draw_depends_on_seed_epoch_and_index_alone(published):
    one, other = sampler(published), sampler(published)
    other.draw(0, 0)
    assert all(np.array_equal(*pair) for pair in zip(one.draw(2, 3), other.draw(2, 3), strict=True))
    draws = [one.draw(2, 3)[0], one.draw(3, 3)[0], one.draw(2, 4)[0], sampler(published, seed=4).draw(2, 3)[0]]
    assert len({tuple(rows) for rows in draws}) == 4


def test_strict_negatives_have_not_the_value_of_the_anchor():
    # Pictures 0 to 5 are striped, of which 3 to 7 are dotted too; 8 is dotted alone.
    rows = [(k, "pattern", "striped") for k in range(8)] + [(k, "pattern", "dotted") for k in range(3, 9)]
    entries = entries_of(rows)
    striped = set(range(8))
    _, value, picture = drawn(sampler(entries, strict=True, triplets=40))
    assert set(picture[2, value[0] == "striped"]) == {8}
    _, value, picture = drawn(sampler(entries, triplets=40))
    assert set(picture[2, value[0] == "striped"]) & striped
    # Every picture is striped: those alone are told from nothing.
    _, value, picture = drawn(made := sampler(entries_of(rows[:-1]), strict=True, triplets=40))
    assert set(value[0]) == {"dotted"}
    assert made.left_out == "1 of 2 values have no pair of pictures and give negatives only"


def test_a_value_with_one_picture_gives_negatives_only():
    rows = [(0, "sleeve", "long"), (1, "sleeve", "long"), (2, "sleeve", "short")]
    made = sampler(entries_of([*rows, (0, "neck", "v"), (1, "neck", "v")]))
    assert made.known == ("sleeve",)
    assert made.left_out == (
        "neck is left out, having one value; 1 of 2 values have no pair of pictures and give negatives only"
    )
    _, value, picture = drawn(made)
    assert set(value[0]) == {"long"}
    assert set(picture[2]) == {2}


def test_nothing_to_draw_is_said():
    rows = [(0, "sleeve", "long"), (1, "sleeve", "short"), (0, "neck", "v"), (1, "neck", "v")]
    with pytest.raises(UserError, match="no attribute to learn by: neck is left out, having one value; sleeve is left"):
        sampler(entries_of(rows))


def test_roles_are_shared_out_apart(published):
    made = sampler(published)
    assert made.parts(*made.draw(0, 0)) == (4, 4, 4)
    assert (made.smallest, made.parts(*made.draw(0, 5))) == (1, (1, 1, 1))
