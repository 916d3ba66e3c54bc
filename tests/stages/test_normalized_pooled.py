"""`extract.normalize_pooled` says how pooled features are stored, and changes nothing of what is made from them."""

import h5py
import numpy as np
import pytest
import torch

from pipeline.features.store import open_features
from pipeline.models.folder import load_head

FILE = "data/features/source_train.h5"


@pytest.fixture(scope="module")
def normalized(finished, tmp_path_factory):
    """The tiny chain with features stored at unit length, from there to its end; only to be looked at."""
    chain = finished.copy(tmp_path_factory.mktemp("normalized"), {"extract.normalize_pooled": True})
    chain.succeed("extract", "draw", "cluster", "weight", "adapt", "evaluate")
    return chain


def test_rows_are_stored_at_unit_length(finished, normalized):
    lengths = []
    for chain in (finished, normalized):
        with h5py.File(chain.folder / FILE) as file:
            lengths.append(np.linalg.norm(file["pooled"][()], axis=1))
    assert np.abs(lengths[0] - 1).min() > 0.01, "or the test shows nothing"
    np.testing.assert_allclose(lengths[1], 1, atol=1e-6)


@pytest.mark.parametrize("which", ["finished", "normalized"])
def test_adaptation_starts_from_the_function_that_made_the_embeddings(which, request):
    chain = request.getfixturevalue(which)
    features = open_features(chain.folder / FILE)
    start = load_head(chain.folder / "data/models/backbone").folded()
    with torch.no_grad():
        assert start.bias.abs().max() > 0.01, "or lengths do not matter"
    domain = np.zeros(len(features), np.int64)  # which such a head does not ask for
    np.testing.assert_allclose(start.embed(features.pooled, domain, 64), features.embedding, atol=1e-6)


def test_adapted_heads_do_not_depend_on_how_rows_are_stored(finished, normalized):
    for name in ("udma_control", "udma", "control", "linked"):
        one, other = (load_head(chain.folder / "data/models/adapter" / name) for chain in (finished, normalized))
        for key, value in one.state_dict().items():
            torch.testing.assert_close(other.state_dict()[key], value, rtol=0, atol=1e-5)
