"""Pairs of UDMA's fine-tuning: what is drawn, and that only (seed, epoch, index) decide it."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.base.seeds import mixed_seed
from pipeline.images.loading import Pictures
from pipeline.images.transforms import PictureInput, training_transform
from pipeline.params.finetune import AugmentParams
from pipeline.training.batches import PictureRows, load_epoch
from pipeline.training.pairs import ItemPairs

AUGMENT = AugmentParams(rotation=20.0, resize=20, scale=(0.5, 1.0), flip=0.5, jitter=0.3)


@pytest.fixture(scope="module")
def pictures_and_table(tmp_path_factory):
    raw = tmp_path_factory.mktemp("raw")
    rows = []
    rng = np.random.default_rng(0)
    for item in range(6):
        for domain, n in (("consumer", 2), ("shop", 2)):
            for k in range(n):
                name = f"{item}_{domain}_{k}.png"
                Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(raw / name)
                rows.append((name, f"i{item}", "dress", domain))
    rows.append(("0_shop_0.png", "lonely", "dress", "shop"))  # no consumer picture: not an item to train on
    rows += [("0_shop_1.png", "i0", "coat", domain) for domain in ("consumer", "shop")]  # an id used again
    table = pd.DataFrame(rows, columns=["image", "item", "category", "domain"])
    table[["x", "y", "w", "h"]] = np.nan
    transform = training_transform(AUGMENT, PictureInput(16, (0.5,) * 3, (0.5,) * 3))
    return PictureRows(Pictures(table, raw, transform, 16)), table


def _items(pictures_and_table, mode="all", seed=5, batch_items=3):
    return ItemPairs(pictures_and_table[1], mode=mode, batch_items=batch_items, seed=seed, recipe="triplet")


def _batches(pictures_and_table, epoch, first=0, workers=0, **changes):
    items = _items(pictures_and_table, **changes)
    return list(load_epoch(pictures_and_table[0], items, epoch=epoch, first=first, workers=workers))


def test_items_are_pairs_of_category_and_item_with_both_domains(pictures_and_table):
    assert len(_items(pictures_and_table).names) == 7


def test_shares_of_the_three_kinds(pictures_and_table):
    items, table = _items(pictures_and_table), pictures_and_table[1]
    kinds = Counter()
    same = 0
    for epoch in range(4000):
        first, second = items.pair(epoch, 3)
        kinds[table["domain"][first][0] + table["domain"][second][0]] += 1
        same += first == second
    assert kinds["cs"] / 4000 == pytest.approx(0.5, abs=0.03)
    assert kinds["cc"] / 4000 == pytest.approx(0.25, abs=0.03)
    assert kinds["ss"] / 4000 == pytest.approx(0.25, abs=0.03)
    assert same / 4000 == pytest.approx(0.25, abs=0.03)  # drawn with replacement from two
    assert set(table["item"][list({items.pair(e, 3)[0] for e in range(50)})]) == {"i2"}  # coat i0 comes first


def test_mode_c2s_always_pairs_consumer_with_shop(pictures_and_table):
    items, table = _items(pictures_and_table, mode="c2s"), pictures_and_table[1]
    for epoch in range(100):
        first, second = items.pair(epoch, 2)
        assert (table["domain"][first], table["domain"][second]) == ("consumer", "shop")


def test_an_epoch_shows_every_item_once_and_drops_the_rest(pictures_and_table):
    batches = _batches(pictures_and_table, 0)
    assert len(batches) == _items(pictures_and_table).n_batches == 2
    labels = torch.cat([labels[:3] for _, labels in batches])
    assert len(set(labels.tolist())) == 6
    for images, labels in batches:
        assert images.shape == (6, 3, 16, 16)
        assert torch.equal(labels[:3], labels[3:])
    assert not torch.equal(labels, _batches(pictures_and_table, 1)[-1][1])


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_workers_or_on_where_one_starts(pictures_and_table, workers):
    reference = _batches(pictures_and_table, 2)
    torch.rand(3)  # nor on the global generator
    resumed = _batches(pictures_and_table, 2, first=1, workers=workers)
    assert torch.equal(resumed[0][0], reference[1][0])
    assert torch.equal(resumed[0][1], reference[1][1])


def test_seeds_are_of_an_item_and_a_side_whatever_its_batch(pictures_and_table):
    def of_items(batch_items):
        items = _items(pictures_and_table, batch_items=batch_items)
        rows, labels = items.draw(1, 0)
        keys = zip(labels.tolist(), np.repeat([0, 1], batch_items).tolist(), strict=True)
        return dict(zip(keys, zip(rows.tolist(), items.seeds(1, 0, rows, labels), strict=True), strict=True))

    some, more = of_items(2), of_items(5)
    assert len({seed for _, seed in more.values()}) == len(more) == 10
    assert some.items() <= more.items()
    for (item, side), (row, seed) in more.items():
        assert row == _items(pictures_and_table).pair(1, item)[side]
        assert seed == mixed_seed(5, 1, item, side)


def test_the_two_sides_are_augmented_apart(pictures_and_table):
    items = _items(pictures_and_table)
    for epoch in range(40):
        for images, labels in _batches(pictures_and_table, epoch, batch_items=1):
            first, second = items.pair(epoch, int(labels[0]))
            if first == second:
                assert not torch.equal(images[0], images[1])
                return
    pytest.fail("no pair of one picture was drawn")


def test_a_batch_larger_than_the_items_is_refused(pictures_and_table):
    with pytest.raises(UserError, match=r"recipes.triplet.batch_items: 8 is more than the 7 source items"):
        _items(pictures_and_table, batch_items=8)


def test_a_set_without_one_of_the_domains_is_told_what_is_missing(pictures_and_table):
    table = pictures_and_table[1]
    shop = table[table["domain"] == "shop"]
    with pytest.raises(UserError, match=r"needs two items .* has 0 among 0 consumer and 14 shop pictures .*: dada or"):
        ItemPairs(shop, mode="all", batch_items=2, seed=5, recipe="triplet")
