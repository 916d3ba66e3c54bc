"""What is chosen on held-out items, and that nothing but a clear gain changes the default."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.base.names import Domain
from pipeline.control.choose import AS_FINE_TUNED, HEADS, Trial, best_place, choose, mixes_of
from pipeline.control.held_out import HeadSetting, HeldOut, Source, average_precision
from pipeline.control.whitened import NothingToWhiten
from pipeline.features.views import Views
from pipeline.models.head import Head
from pipeline.table.domains import CODES
from pipeline.views.mix import Mix

SHOP, CONSUMER = CODES[Domain.SHOP], CODES[Domain.CONSUMER]
DEFAULT, MIX = HeadSetting(root=True, shrinkage=0.3), Mix({"street": 4, "own_ground": 4}, 0.5)
ITEMS = 30


class Measured:
    """Stands for `HeldOut`: what it would measure is given."""

    items, kinds = ITEMS, {"street": 4, "own_ground": 4}

    def __init__(self, heads=None, mixes=None, usual=0.5):
        self.heads, self.mixes, self.usual, self.asked = heads or {}, mixes or {}, usual, []
        self.noise = np.random.default_rng(0).normal(0, 0.05, (2, ITEMS))

    def score(self, setting):
        value = self.heads.get(setting, self.usual)
        if value is None:
            raise NothingToWhiten
        return value + self.noise[0]

    def score_mixes(self, setting, mixes):
        self.asked.append(setting)
        return [self.mixes.get(mix.name, self.usual) + self.noise[1] for mix in mixes]


def test_average_precision_by_hand():
    similarities = np.array([[0.9, 0.8, 0.7, 0.6], [0.1, 0.5, 0.5, 0.2], [0.0, 0.1, 0.2, 0.3]])
    relevant = np.array([[1, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0]], dtype=bool)
    # Of equals the first ranks first; the last query finds its two behind all others.
    np.testing.assert_allclose(average_precision(similarities, relevant), [(1 + 2 / 3) / 2, 1 / 2, (1 / 3 + 2 / 4) / 2])


def test_a_head_that_has_learnt_the_items_by_heart_gains_nothing_by_it():
    rng = np.random.default_rng(0)
    item, domain = np.repeat(np.arange(ITEMS), 4), np.tile([SHOP, SHOP, CONSUMER, CONSUMER], ITEMS)
    pooled = rng.normal(size=(len(item), 200)).astype(np.float32)  # nothing of the item is in it
    answers = np.linalg.pinv(pooled) @ np.eye(ITEMS)[item]
    by_heart = Head.of(torch.from_numpy(answers.T), torch.zeros(ITEMS), norm_features=False)
    one, other = (
        HeldOut(Source(pooled, domain, item, np.arange(len(item)), head, None, 16), 5, 0, 64)
        for head in (by_heart, Head.identity(200, norm_features=False))
    )
    np.testing.assert_array_equal(one.score(AS_FINE_TUNED), other.score(AS_FINE_TUNED))
    assert one.source.fit(AS_FINE_TUNED) is by_heart


def test_another_than_the_default_must_be_clearly_better():
    rng = np.random.default_rng(0)
    first, noise = rng.random(100), rng.normal(0, 0.2, 100)
    noise -= noise.mean()
    error = noise.std(ddof=1) / 10
    trials = [Trial("first", first), Trial("worse", first - 1), Trial("none", None)]
    assert best_place([*trials, Trial("hardly", first + noise + 1.9 * error)]) == 0
    assert best_place([*trials, Trial("clearly", first + noise + 2.1 * error)]) == 3
    assert best_place([*trials, Trial("same", first)]) == 0
    assert best_place([Trial("none", None), *trials]) == 1, "a default that cannot be had is no default"
    assert best_place([Trial("one item", first[:1]), Trial("better", first[:1] + 1)]) == 0, "one item tells nothing"


def test_the_default_stays_where_nothing_is_better():
    choice = choose(Measured(usual=0.5), DEFAULT, MIX)
    assert (choice.setting, choice.mix) == (DEFAULT, MIX)
    assert [trial.name for trial in choice.heads][:2] == [DEFAULT.name, "as fine-tuned"]
    assert len(choice.heads) == len({DEFAULT, AS_FINE_TUNED, *HEADS})
    assert choice.mixes[0].name == MIX.name
    assert choice.report["held_out_items"] == ITEMS


def test_the_head_stays_as_fine_tuned_where_whitening_hurts():
    others = dict.fromkeys((DEFAULT, *HEADS), 0.3)
    measured = Measured(others | {AS_FINE_TUNED: 0.6}, {MIX.name: 0.7})
    choice = choose(measured, DEFAULT, MIX)
    assert (choice.setting, choice.mix) == (AS_FINE_TUNED, MIX)
    assert measured.asked == [AS_FINE_TUNED], "views are tried with the head that was chosen"
    tried = choice.report["tried"]["heads"]
    assert tried["as fine-tuned"]["gain"] == pytest.approx(0.3)
    assert tried["as fine-tuned"]["error"] == pytest.approx(0, abs=1e-9)
    assert "gain" not in tried[DEFAULT.name]


def test_what_cannot_be_whitened_is_not_chosen():
    choice = choose(Measured({setting: None for setting in (DEFAULT, *HEADS) if setting.shrinkage}), DEFAULT, None)
    assert choice.setting.shrinkage is None
    assert choice.report["tried"]["heads"][DEFAULT.name] == {"mean": None}


def test_no_views_where_they_harm():
    settings = [mix.name for mix in (MIX, *mixes_of(Measured.kinds))]
    choice = choose(Measured(mixes=dict.fromkeys(settings, 0.3)), DEFAULT, MIX)
    assert choice.mix is None
    assert choice.report["views"] == "none"
    assert choice.report["tried"]["views"]["none"]["gain"] > 0


def test_views_that_are_not_the_default_can_be_chosen():
    better = mixes_of(Measured.kinds)[0]
    assert choose(Measured(mixes={better.name: 0.9}), DEFAULT, MIX).mix == better
    assert choose(Measured(mixes={better.name: 0.9}), DEFAULT, None).mix == better


def test_mixes_that_are_tried():
    names = [mix.name for mix in mixes_of({"street": 8, "own_ground": 4})]
    assert len(names) == len(set(names)) == 15
    for one in ("4 street, share 0.3", "8 street, share 0.5", "2 own_ground, share 0.7"):
        assert one in names
    assert "4 street + 2 own_ground, share 0.5" in names
    assert {mix.counts["street"] for mix in mixes_of({"street": 1})} == {1}, "one view has no half"
    assert mixes_of({}) == []


@pytest.fixture
def source():
    """Twenty items with two photos and two shop pictures each, one more without photos; noise on two of six values."""
    rng = np.random.default_rng(1)
    item, domain = np.repeat(np.arange(21), 4), np.tile([CONSUMER, CONSUMER, SHOP, SHOP], 21)
    domain[item == 20] = SHOP
    kind = rng.normal(size=(21, 6)) * [0.1, 0.1, 1, 1, 1, 1]
    noise = rng.normal(size=(84, 6)) * [6, 6, 0.1, 0.1, 0.1, 0.1]
    order = rng.permutation(84)
    pooled = (kind[item] + noise).astype(np.float32)[order]
    start = Head.identity(6, norm_features=True)
    return Source(pooled, domain[order], item[order], 3 * np.arange(84), start, None, 6)


def test_every_item_is_held_out_once_and_no_part_of_what_is_estimated_then(source, monkeypatch):
    estimated, estimate = [], Source.estimate
    monkeypatch.setattr(
        Source, "estimate", lambda self, root, rows: estimated.append(rows) or estimate(self, root, rows)
    )
    held_out = HeldOut(source, folds=3, seed=0, block_rows=16)
    assert held_out.items == 20, "one has no photos"
    scores = held_out.score(HeadSetting(root=False, shrinkage=0.3))
    assert scores.shape == (20,)
    held = [set(source.item.tolist()) - set(source.item[rows].tolist()) for rows in estimated]
    assert sorted(item for part in held for item in part) == list(range(20))
    assert [len(part) for part in held] == [7, 7, 6]
    held_out.score(HeadSetting(root=False, shrinkage=0.5))
    assert len(estimated) == 3, "one estimate serves every shrinkage"


def test_whitening_is_chosen_where_photos_differ_by_what_items_do_not(source):
    held_out = HeldOut(source, folds=4, seed=0, block_rows=16)
    plain, whitened = (held_out.score(each).mean() for each in (AS_FINE_TUNED, HeadSetting(False, 0.1)))
    assert whitened > plain + 0.2
    assert choose(held_out, AS_FINE_TUNED, None).setting.shrinkage is not None


def test_scores_by_hand(source):
    """Searched in the fold alone: with as many folds as items all that is found is right."""
    assert (HeldOut(source, folds=20, seed=0, block_rows=16).score(AS_FINE_TUNED) == 1).all()
    held_out = HeldOut(source, folds=2, seed=0, block_rows=16)
    items = np.random.default_rng(0).permutation(20)
    unit = source.pooled / np.linalg.norm(source.pooled, axis=1, keepdims=True)
    expected = []
    for part in (items[::2], items[1::2]):
        gallery = np.flatnonzero(np.isin(source.item, part) & (source.domain == SHOP))
        for one in np.sort(part):
            queries = np.flatnonzero((source.item == one) & (source.domain == CONSUMER))
            ranked = source.item[gallery][np.argsort(-(unit[queries] @ unit[gallery].T), axis=1, kind="stable")]
            hits = ranked == one
            places = np.arange(1, len(gallery) + 1)
            expected.append(np.mean([(hit.cumsum() / places)[hit].mean() for hit in hits]))
    np.testing.assert_allclose(held_out.score(AS_FINE_TUNED), expected, atol=1e-9)


def test_mixes_are_measured_on_the_items_that_have_views(source, monkeypatch):
    """Views that are photos of the item find it where the shop's picture does not; those of another item do not."""
    rng, pooled = np.random.default_rng(2), source.pooled.copy()
    pooled[:, :2] = 0
    pooled[source.domain == SHOP] = rng.normal(size=(int((source.domain == SHOP).sum()), 6))
    photos = {one: pooled[(source.item == one) & (source.domain == CONSUMER)] for one in range(20)}
    shop = np.flatnonzero((source.domain == SHOP) & (source.item < 8))
    kept = {"good": [photos[one] for one in source.item[shop]], "bad": [photos[one ^ 1] for one in source.item[shop]]}
    views = Views(None, source.row[shop], {"good": 2, "bad": 2}, 6, "m", "s", 0)

    def blocks(self, kind, count):
        yield slice(0, len(shop)), np.stack(kept[kind])[:, :count]

    monkeypatch.setattr(Views, "blocks", blocks)
    held_out = HeldOut(replace(source, pooled=pooled, views=views), folds=2, seed=0, block_rows=16)
    assert held_out.items == 8
    plain = held_out.score(AS_FINE_TUNED)
    mixes = [Mix({"good": 2}, 1.0), Mix({"bad": 2}, 1.0), Mix({"bad": 1}, 1e-9), Mix({"good": 1, "bad": 1}, 0.5)]
    good, bad, hardly, _ = held_out.score_mixes(AS_FINE_TUNED, mixes)
    assert (good == 1).all()
    assert max(plain.mean(), bad.mean()) < 0.9
    np.testing.assert_allclose(hardly, plain)
