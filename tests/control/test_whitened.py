"""The head in closed form, against a plain rewrite of the formulas, item by item and pair by pair."""

import numpy as np
import pytest
import torch

from pipeline.base.names import Domain
from pipeline.control import whitened
from pipeline.control.whitened import NothingToWhiten, fit_whitening, rooted
from pipeline.models.head import signed_root
from pipeline.table.domains import CODES

SHOP, CONSUMER = CODES[Domain.SHOP], CODES[Domain.CONSUMER]
WIDTH, POOLED = 3, 5


@pytest.fixture
def pictures():
    """Nine items: pooled features (N, 5) with something of the item and of the domain, domain (N,), item (N,)."""
    rng = np.random.default_rng(0)
    domain, item = rng.integers(0, 2, 60), rng.integers(0, 9, 60)
    domain[item == 8] = SHOP  # without a consumer picture
    pooled = rng.normal(size=(9, POOLED))[item] + domain[:, None] + rng.normal(size=(60, POOLED)) * [2, 1, 1, 0.5, 0.2]
    return pooled.astype(np.float32), domain, item


def made_of(pooled, root):
    """Unit features, or signed roots of unit length, in float64."""
    rows = pooled.astype(np.float64)
    rows = np.sign(rows) * np.sqrt(np.abs(rows)) if root else rows
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def pairs_by_hand(domain, item):
    return [
        (one, other)
        for one in range(len(item))
        for other in range(len(item))
        if item[one] == item[other] and (domain[one], domain[other]) == (CONSUMER, SHOP)
    ]


def embed(head, pooled, domain):
    return head.embed(pooled, domain, 7)


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("shrinkage", [0.01, 0.4, 1.0])
def test_closed_form_by_hand(pictures, root, shrinkage):
    pooled, domain, item = pictures
    rows = made_of(pooled, root)
    _, vectors = np.linalg.eigh(np.cov(rows.T))
    axes = vectors[:, ::-1][:, :WIDTH].T
    differences = np.array([axes @ (rows[one] - rows[other]) for one, other in pairs_by_hand(domain, item)])
    within = np.cov(differences.T) / 2
    shrunk = (1 - shrinkage) * within + shrinkage * np.trace(within) / WIDTH * np.eye(WIDTH)
    values, vectors = np.linalg.eigh(shrunk)
    inverse_root = vectors @ np.diag(values**-0.5) @ vectors.T
    centres = {code: rows[domain == code].mean(axis=0) for code in (CONSUMER, SHOP)}
    expected = np.array([inverse_root @ axes @ (row - centres[code]) for row, code in zip(rows, domain, strict=True)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)

    head = fit_whitening(pooled, domain, item, root=root, width=WIDTH).head(shrinkage)
    found = embed(head, pooled, domain)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)  # axes may point the other way


def test_without_shrinkage_pictures_of_an_item_differ_alike_in_all_directions(pictures):
    pooled, domain, item = pictures
    weight = fit_whitening(pooled, domain, item, root=False, width=WIDTH).head(1e-9).weight.detach().double().numpy()
    rows = made_of(pooled, root=False)
    within = np.cov(weight @ np.array([rows[one] - rows[other] for one, other in pairs_by_hand(domain, item)]).T)
    np.testing.assert_allclose(within / np.trace(within) * WIDTH, np.eye(WIDTH), atol=1e-4)


@pytest.mark.parametrize("root", [False, True])
def test_means_of_the_domains_are_in_one_place(pictures, root):
    """Whatever all photos have and no picture of a shop, it tells nothing."""
    pooled, domain, item = pictures
    head = fit_whitening(pooled, domain, item, root=root, width=WIDTH).head(0.3)
    rows, codes = (torch.from_numpy(values) for values in (pooled, domain))
    with torch.no_grad():
        made = head.project(rows, codes)
    assert made.norm(dim=1).mean() > 0.1
    for code in (CONSUMER, SHOP):
        np.testing.assert_allclose(made[codes == code].mean(dim=0), 0, atol=1e-6)


@pytest.mark.parametrize("root", [False, True])
def test_the_length_of_features_says_nothing(pictures, root):
    pooled, domain, item = pictures
    lengths = np.random.default_rng(1).uniform(0.5, 20, (len(pooled), 1)).astype(np.float32)
    head, other = (
        fit_whitening(rows, domain, item, root=root, width=WIDTH).head(0.3) for rows in (pooled, pooled * lengths)
    )
    plain, scaled = embed(head, pooled, domain), embed(other, pooled * lengths, domain)
    np.testing.assert_allclose(scaled @ scaled.T, plain @ plain.T, atol=1e-5)


@pytest.mark.parametrize("root", [False, True])
def test_blocks_are_the_whole(pictures, root, monkeypatch):
    whole = fit_whitening(*pictures, root=root, width=WIDTH)
    monkeypatch.setattr(whitened, "BLOCK_ROWS", 7)
    blocks = fit_whitening(*pictures, root=root, width=WIDTH)
    for name in ("variances", "centres"):
        np.testing.assert_allclose(getattr(blocks, name), getattr(whole, name), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(abs(blocks.axes), abs(whole.axes), atol=1e-9)


def test_no_more_axes_than_pictures_tell(pictures):
    pooled, domain, item = pictures
    assert fit_whitening(pooled, domain, item, root=False, width=100).head(0.3).shape == (POOLED, POOLED)
    rows = np.array([0, 1, 2])
    domain, item = np.array([CONSUMER, SHOP, SHOP]), np.zeros(3, np.int64)
    assert fit_whitening(pooled[rows], domain, item, root=False, width=100).head(0.3).shape == (2, POOLED)


def test_where_there_is_nothing_to_whiten(pictures):
    pooled, domain, item = pictures
    with pytest.raises(NothingToWhiten, match="both a consumer and a shop picture"):
        fit_whitening(pooled, np.full_like(domain, SHOP), item, root=False, width=WIDTH)
    with pytest.raises(NothingToWhiten, match="both a consumer and a shop picture"):
        fit_whitening(pooled, domain, np.arange(len(item)), root=False, width=WIDTH)
    alike = np.random.default_rng(0).random((9, POOLED), np.float32)[item]
    with pytest.raises(NothingToWhiten, match="do not differ"):
        fit_whitening(alike, domain, item, root=False, width=WIDTH)


def test_roots_in_the_precision_of_rows(pictures):
    pooled, _, _ = pictures
    made = rooted(pooled.astype(np.float64))
    np.testing.assert_allclose(made, made_of(pooled, root=True), atol=1e-15)
    np.testing.assert_allclose(signed_root(torch.from_numpy(pooled)), made, atol=1e-6)
