"""Batches by hand: what is classified, that every triplet is one, and that only (seed, epoch, index) decide it."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.recipes.category_triplet.batches import CategoryTripletSampler, deal

# (category, item, dataset, pictures): items of one, two and three pictures; an id that occurs in two categories; a
# category with one picture; pictures that are an item each.
ITEMS = [
    ("dress", "i0", "a", 3),
    ("dress", "i1", "a", 2),
    ("coat", "i0", "a", 2),
    ("coat", "i2", "a", 1),
    ("coat", None, "b", 4),
    ("skirt", None, "b", 3),
    ("hat", "i3", "b", 1),
]
PAIRED = {("dress", "i0"), ("dress", "i1"), ("coat", "i0")}


def table():
    rows = [(category, item or f"photo{k}", dataset) for category, item, dataset, n in ITEMS for k in range(n)]
    made = pd.DataFrame(rows, columns=["category", "item", "dataset"])
    # Neither the order of rows nor their index says what they are.
    return made.sample(frac=1, random_state=0)


def unpaired():
    made = table()
    return made[made["item"].str.startswith("photo")]


def sampler(rows=None, *, batch_size=5, triplets=4, item_share=0.5, classified=None, seed=3):
    return CategoryTripletSampler(
        table() if rows is None else rows,
        batch_size=batch_size,
        triplets=triplets,
        item_share=item_share,
        classified=classified,
        seed=seed,
    )


def drawn(made, epochs=60):
    """(labels, rows to classify, rows (3, T)) of every batch."""
    for epoch in range(epochs):
        for index in range(made.n_batches):
            rows, labels = made.draw(epoch, index)
            yield labels, rows[: len(labels)], rows[len(labels) :].reshape(3, -1)


def test_an_epoch_classifies_every_picture_once():
    rows, made = table().reset_index(drop=True), sampler(batch_size=8)
    assert made.names == ["coat", "dress", "hat", "skirt"]
    assert made.n_batches == 2
    for epoch in range(3):
        batches = [made.draw(epoch, index) for index in range(made.n_batches)]
        shown = np.concatenate([batch[:8] for batch, _ in batches])
        assert sorted(shown) == list(range(16))
        labels = np.concatenate([labels for _, labels in batches])
        assert [made.names[label] for label in labels] == rows["category"][shown].tolist()
    assert made.draw(0, 0)[0].tolist() != made.draw(1, 0)[0].tolist()


def test_triplets_of_items():
    rows, made = table().reset_index(drop=True), sampler(item_share=1.0)
    names = list(zip(rows["category"], rows["item"], strict=True))
    anchors = Counter()
    for _, _, (anchor, positive, negative) in drawn(made):
        assert (anchor != positive).all()
        assert len(anchor) == 4
        for a, p, n in zip(anchor, positive, negative, strict=True):
            assert names[a] == names[p] != names[n]
            assert {names[a], names[n]} <= PAIRED
        anchors.update(names[a] for a in anchor)
    # 3 batches of 4 an epoch are 4 rounds of 3 items.
    assert anchors == dict.fromkeys(PAIRED, 60 * 4)


def test_triplets_of_categories():
    rows, made = table().reset_index(drop=True), sampler(item_share=0.0, triplets=5)
    category = rows["category"].tolist()
    anchors, positives, negatives = Counter(), Counter(), Counter()
    for _, _, (anchor, positive, negative) in drawn(made):
        assert (anchor != positive).all()
        for a, p, n in zip(anchor, positive, negative, strict=True):
            assert category[a] == category[p] != category[n]
            negatives[category[a], category[n]] += 1
        anchors.update(anchor.tolist())
        positives.update(positive.tolist())
    pictures = {row for row in range(16) if category[row] != "hat"}
    assert anchors == dict.fromkeys(pictures, 60), "15 anchors an epoch are every picture but the only hat, once"
    assert set(positives) == pictures
    of_dress = {other: n / sum(n for (own, _), n in negatives.items() if own == "dress") for (own, other), n in
                negatives.items() if own == "dress"}  # fmt: skip
    assert of_dress == pytest.approx(dict.fromkeys(["coat", "hat", "skirt"], 1 / 3), abs=0.08), "whatever their sizes"


def test_share_of_the_two_sources():
    # Items have two pictures in dataset a only, triplets of categories are made of the classified dataset b.
    rows, made = table().reset_index(drop=True), sampler(item_share=0.8, triplets=2, classified="b", batch_size=4)
    of_items = [set(rows["dataset"][triplets.ravel()]) == {"a"} for _, _, triplets in drawn(made, 1000)]
    assert np.mean(of_items) == pytest.approx(0.8, abs=0.03)


def test_classified_dataset():
    rows, made = table().reset_index(drop=True), sampler(classified="b", batch_size=4)
    assert made.names == ["coat", "hat", "skirt"]
    assert made.n_batches == 2
    seen = set()
    for labels, classified, (anchor, _, negative) in drawn(made):
        assert set(rows["dataset"][classified]) == {"b"}
        assert [made.names[label] for label in labels] == rows["category"][classified].tolist()
        seen.update((rows["dataset"][a], rows["dataset"][n]) for a, n in zip(anchor, negative, strict=True))
    assert seen == {("a", "a"), ("b", "b")}


def test_no_triplets():
    rows, labels = sampler(triplets=0).draw(0, 0)
    assert len(rows) == len(labels) == 5


def test_draws_do_not_depend_on_earlier_ones():
    one, other = sampler(batch_size=1), sampler(batch_size=1)
    reference = [one.draw(2, index)[0].tolist() for index in range(16)]
    assert [other.draw(2, index)[0].tolist() for index in reversed(range(16))] == reference[::-1]
    assert [sampler(batch_size=1, seed=4).draw(2, index)[0].tolist() for index in range(16)] != reference


def test_rounds_deal_out_everything_before_anything_comes_again():
    whole = deal(5, 0, 20, (1, 2, 3))
    assert all(sorted(part) == list(range(5)) for part in whole.reshape(4, 5))
    assert len({tuple(part) for part in whole.reshape(4, 5)}) > 1
    assert deal(5, 7, 6, (1, 2, 3)).tolist() == whole[7:13].tolist()
    assert deal(5, 0, 20, (1, 2, 4)).tolist() != whole.tolist()


def one_each(column):
    return table().drop_duplicates(column)


@pytest.mark.parametrize(
    ("rows", "changes", "says"),
    [
        (table()[table()["category"] == "coat"], {}, r"triplet: all 7 source pictures to classify are of .* 'coat'"),
        (None, {"batch_size": 17}, r"triplet.batch_size: 17 is more than the 16 source pictures to classify; lower it"),
        (None, {"batch_size": 9, "classified": "b"}, r"batch_size: 9 is more than the 8 source pictures to classify"),
        (None, {"classified": "c"}, r"triplet.classified: no source pictures of a dataset 'c'; known: a, b"),
        (unpaired(), {}, r"triplet.item_share: .* two items with two pictures.*source has 0; set"),
        (table()[table()["item"] != "i0"], {}, r"item_share: .* and the source has 1; set it to 0"),
        (
            one_each("category"),
            {"batch_size": 2, "item_share": 0.0},
            r"item_share: 0.0 asks .* no category has two",
        ),
    ],
)
def test_what_is_missing_is_named(rows, changes, says):
    with pytest.raises(UserError, match=says):
        sampler(rows, **changes)


def test_nothing_is_asked_for_that_is_not_used():
    sampler(unpaired(), item_share=0.0)
    sampler(one_each("category"), batch_size=2, triplets=0)
