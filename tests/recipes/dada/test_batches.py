"""Batches of items as classes: what they hold, and that only (seed, epoch, index) decide it."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.images.loading import Pictures
from pipeline.images.transforms import PictureInput, training_transform
from pipeline.params.finetune import AugmentParams
from pipeline.recipes.dada.batches import ItemSampler
from pipeline.training.batches import PictureRows, load_epoch

PICTURES = (1, 2, 3, 4, 6, 8)  # of items 0 to 5


def table():
    """Items with consumer pictures, with shop pictures, and with both; and an id used again."""
    rows = [
        (f"{item}_{k}.png", f"i{item}", "dress", ("consumer", "shop")[(k + item) % 2 if item % 2 else item // 2 % 2])
        for item, n in enumerate(PICTURES)
        for k in range(n)
    ]
    made = pd.DataFrame([*rows, ("5_0.png", "i5", "coat", "shop")], columns=["image", "item", "category", "domain"])
    made[["x", "y", "w", "h"]] = np.nan
    # Neither the order of rows nor their index says which item they are of.
    return made.sample(frac=1, random_state=0)


def sampler(rows=None, *, batch_size=6, samples_per_class=2, kind="distinct", seed=5):
    rows = table() if rows is None else rows
    return ItemSampler(rows, batch_size=batch_size, samples_per_class=samples_per_class, sampler=kind, seed=seed)


@pytest.mark.parametrize("kind", ["distinct", "random"])
def test_labels_are_category_and_item_and_samples_lie_side_by_side(kind):
    rows = table().reset_index(drop=True)
    made = sampler(rows, kind=kind)
    names = sorted(set(zip(rows["category"], rows["item"], strict=True)))
    assert len(made.classes) == len(names) == 7
    assert made.n_batches == len(rows) // 6 == 4
    for epoch in range(20):
        for index in range(made.n_batches):
            drawn, labels = made.draw(epoch, index)
            assert len(drawn) == len(labels) == 6
            assert [(rows["category"][row], rows["item"][row]) for row in drawn] == [names[label] for label in labels]
            assert (labels[::2] == labels[1::2]).all()


def test_distinct_draws_without_replacement_and_all_classes_alike():
    made = sampler()
    seen = Counter()
    for epoch in range(300):
        for index in range(made.n_batches):
            drawn, labels = made.draw(epoch, index)
            assert len(set(labels[::2].tolist())) == 3
            seen.update(labels[::2].tolist())
            for label, pair in zip(labels[::2], drawn.reshape(-1, 2), strict=True):
                repeated = len(made.classes[label]) == 1
                assert (pair[0] == pair[1]) == repeated, "a picture comes twice only where there is no other"
    expected = 300 * made.n_batches * 3 / 7
    assert all(abs(count / expected - 1) < 0.1 for count in seen.values())
    first_round = [made.draw(0, index)[1] for index in range(2)]
    assert len(set(np.concatenate(first_round).tolist())) == 6, "a round deals out every class before one comes again"


def test_random_draws_with_replacement():
    made = sampler(kind="random")
    batches = [made.draw(epoch, index) for epoch in range(300) for index in range(made.n_batches)]
    several = np.mean([len(set(labels[::2].tolist())) < 3 for _, labels in batches])
    assert several == pytest.approx(1 - 6 / 7 * 5 / 7, abs=0.05)
    pairs = [
        (drawn[k] == drawn[k + 1], len(made.classes[labels[k]])) for drawn, labels in batches for k in range(0, 6, 2)
    ]
    for n in (2, 4):
        assert np.mean([same for same, of in pairs if of == n]) == pytest.approx(1 / n, abs=0.08)


def test_too_few_classes_or_pictures_are_named():
    with pytest.raises(UserError, match=r"dada.batch_size: 16 is 8 items of 2 pictures, more than the 7 source items"):
        sampler(batch_size=16)
    sampler(batch_size=16, kind="random")
    with pytest.raises(UserError, match=r"dada.batch_size: 26 is more than the 25 source pictures"):
        sampler(batch_size=26, kind="random")
    with pytest.raises(UserError, match=r"dada: the 4 source pictures show one item"):
        rows = table()
        sampler(rows[rows["item"] == "i3"], batch_size=2)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_workers_or_on_where_one_starts(tmp_path, workers):
    rows = table()
    rng = np.random.default_rng(0)
    for name in set(rows["image"]):
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(tmp_path / name)
    augment = AugmentParams(rotation=20.0, resize=20, scale=(0.5, 1.0), flip=0.5, jitter=0.3, policy="autoaugment")
    transform = training_transform(augment, PictureInput(16, (0.5,) * 3, (0.5,) * 3))
    pictures = PictureRows(Pictures(rows, tmp_path, transform, 16))
    made = sampler(rows)
    reference = list(load_epoch(pictures, made, epoch=2, first=0, workers=0))
    assert len(reference) == 4
    assert reference[0][0].shape == (6, 3, 16, 16)
    torch.rand(3)  # nor on the global generator
    resumed = list(load_epoch(pictures, made, epoch=2, first=3, workers=workers))
    assert len(resumed) == 1
    assert torch.equal(resumed[0][0], reference[3][0])
    assert torch.equal(resumed[0][1], reference[3][1])
    other = next(load_epoch(pictures, made, epoch=3, first=0, workers=0))
    assert not torch.equal(other[0], reference[0][0])
    alone = [
        (images[k], images[k + 1])
        for images, labels in reference
        for k in range(0, 6, 2)
        if len(made.classes[labels[k]]) == 1
    ]
    assert alone
    assert not any(torch.equal(one, other) for one, other in alone), "a repeated picture is augmented anew"
