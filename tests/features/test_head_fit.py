"""Fitting a head to features: exact where there is an exact one, least squares where there is none."""

import numpy as np
import pytest

from pipeline.base.errors import UserError
from pipeline.features.fit import fit_head, head_cosine


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _blocks(pooled: np.ndarray, embedding: np.ndarray, size: int = 170):
    rows = (pooled.astype(np.float32), embedding.astype(np.float32))
    return lambda: (tuple(part[start : start + size] for part in rows) for start in range(0, len(pooled), size))


def _exact(norm_features: bool) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    pooled = np.abs(rng.normal(size=(1000, 24))) * rng.uniform(0.8, 1.25, size=(1000, 1))
    weight, bias = rng.normal(size=(10, 24)), 0.3 * rng.normal(size=10)
    embedding = _unit((_unit(pooled) if norm_features else pooled) @ weight.T + bias)
    return pooled, embedding, weight, bias


@pytest.mark.parametrize("norm_features", [False, True])
def test_finds_the_head_that_made_the_embeddings(norm_features):
    pooled, embedding, weight, bias = _exact(norm_features)
    fitted = fit_head(_blocks(pooled, embedding), norm_features=norm_features)
    assert fitted.weight.shape == (10, 24)
    assert fitted.weight.dtype == fitted.bias.dtype == np.float32
    assert fitted.cosine > 0.999
    found, made = (np.append(w.ravel(), b) for w, b in ((fitted.weight, fitted.bias), (weight, bias)))
    assert found @ made / np.linalg.norm(found) / np.linalg.norm(made) > 0.99, "up to a factor it is the same layer"
    again = head_cosine(
        _blocks(pooled, embedding),
        fitted.weight.astype(float),
        fitted.bias.astype(float),
        norm_features=norm_features,
    )
    assert again == pytest.approx(fitted.cosine, abs=1e-6)


def test_is_never_worse_than_plain_least_squares():
    rng = np.random.default_rng(1)
    pooled, embedding = rng.normal(size=(300, 8)), _unit(rng.normal(size=(300, 8)))
    design = np.hstack([pooled, np.ones((300, 1))])
    plain = (_unit(design @ np.linalg.lstsq(design, embedding, rcond=None)[0]) * embedding).sum(axis=1).mean()
    assert fit_head(_blocks(pooled, embedding), norm_features=False).cosine > plain - 1e-6


def test_blocks_do_not_matter_and_few_rows_suffice():
    pooled, embedding, *_ = _exact(False)
    whole, cut = (fit_head(_blocks(pooled, embedding, size), norm_features=False) for size in (1000, 7))
    np.testing.assert_allclose(whole.weight, cut.weight, atol=1e-4)
    few = fit_head(_blocks(pooled[:12], embedding[:12]), norm_features=False)
    assert np.isfinite(few.weight).all()
    assert few.cosine == pytest.approx(1, abs=1e-6)


def test_zero_embeddings_have_no_layer():
    with pytest.raises(UserError, match="all embeddings are zero rows"):
        fit_head(_blocks(np.ones((5, 3)), np.zeros((5, 2))), norm_features=False)


def test_some_zero_embeddings_do_not_spoil_the_fit():
    pooled, embedding, *_ = _exact(norm_features=False)
    fitted = fit_head(_blocks(pooled, np.where(np.arange(len(pooled))[:, None] < 3, 0, embedding)), norm_features=False)
    assert np.isfinite(fitted.weight).all()
    assert fitted.cosine > 0.98
