"""Greedy one-to-one matching against the slow, obvious version."""

import numpy as np
import pytest
import torch

from pipeline.arrays import blocks
from pipeline.weighting import greedy
from pipeline.weighting.greedy import greedy_rounds


def plain_rounds(similarity: np.ndarray) -> list[list[tuple[int, int, float]]]:
    """The definition, round by round and suitor by suitor, on a full table (T, S)."""
    suitors, products = list(range(similarity.shape[0])), list(range(similarity.shape[1]))
    rounds = []
    while suitors and products:
        picks = {
            suitor: max(products, key=lambda product: (similarity[suitor, product], -product)) for suitor in suitors
        }
        accepted = []
        for product in sorted(set(picks.values())):
            own = [suitor for suitor in suitors if picks[suitor] == product]
            best = max(own, key=lambda suitor: (similarity[suitor, product], -suitor))
            accepted.append((best, product, similarity[best, product]))
        rounds.append(accepted)
        suitors = [suitor for suitor in suitors if suitor not in {pair[0] for pair in accepted}]
        products = [product for product in products if product not in {pair[1] for pair in accepted}]
    return rounds


def listed(suitors, products):
    rounds = greedy_rounds(torch.from_numpy(suitors), torch.from_numpy(products))
    return [[*zip(*(part.tolist() for part in (m.target, m.product, m.similarity)), strict=True)] for m in rounds]


@pytest.mark.parametrize("remembered", [1, 3, 64])
@pytest.mark.parametrize(("n_suitors", "n_products"), [(30, 50), (50, 30), (40, 40), (1, 5), (5, 1), (0, 3), (3, 0)])
def test_equals_the_definition_with_many_ties(n_suitors, n_products, remembered, monkeypatch):
    monkeypatch.setattr(greedy, "REMEMBERED", remembered)
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 64)
    rng = np.random.default_rng(n_suitors * 100 + n_products)
    # Four entries of +-1/2: unit rows whose similarities are exact and take five values, 0 among them.
    suitors, products = (rng.choice([-0.5, 0.5], size=(n, 4)) for n in (n_suitors, n_products))
    expected = plain_rounds(suitors @ products.T)
    assert listed(suitors, products) == expected
    assert sum(map(len, expected)) == min(n_suitors, n_products)


@pytest.mark.parametrize("remembered", [2, 64])
def test_equals_the_definition_on_crowded_directions(remembered, monkeypatch):
    monkeypatch.setattr(greedy, "REMEMBERED", remembered)
    rng = np.random.default_rng(0)
    # All suitors look much alike, so they all want the same few products and rounds are many.
    suitors, products = 0.1 * rng.normal(size=(60, 8)) + 1, rng.normal(size=(80, 8))
    suitors, products = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (suitors, products))
    expected = plain_rounds((suitors @ products.T).astype(np.float32))
    made = listed(suitors, products)
    assert len(made) == len(expected) > 10
    for one, other in zip(made, expected, strict=True):
        assert [pair[:2] for pair in one] == [pair[:2] for pair in other]
        assert [pair[2] for pair in one] == pytest.approx([pair[2] for pair in other])


def test_only_a_block_of_similarities_is_held(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PAIRS", 200)
    sizes = []
    ordinals = greedy._ordinals
    monkeypatch.setattr(greedy, "_ordinals", lambda values: (sizes.append(values.numel()), ordinals(values))[1])
    rng = np.random.default_rng(0)
    listed(rng.normal(size=(30, 4)), rng.normal(size=(50, 4)))
    assert max(sizes) <= 200
    assert len(sizes) >= 30 * 50 / 200


def test_ordinals_sort_like_the_floats():
    values = torch.tensor([-torch.inf, -1.0, -0.5, -1e-30, -0.0, 0.0, 1e-30, 0.5, 1.0])
    ordinals = greedy._ordinals(values).tolist()
    assert ordinals == sorted(ordinals)
    assert len(set(ordinals)) == len(values) - 1, "-0.0 equals 0.0"
