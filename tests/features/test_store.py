"""Feature files: what is written is read; broken ones are named."""

import h5py
import numpy as np
import pytest

from pipeline.base.errors import UserError
from pipeline.features.store import read_features, write_features


def _write(path, blocks, n_rows=5):
    write_features(path, np.arange(n_rows) * 2, blocks, normalized=False, model="m")


def _blocks(sizes=(3, 2)):
    rng = np.random.default_rng(0)
    return [(rng.random((n, 4), np.float32), rng.random((n, 3), np.float32)) for n in sizes]


def test_round_trip_and_stable_bytes(tmp_path):
    blocks = _blocks()
    _write(tmp_path / "a.h5", blocks)
    _write(tmp_path / "b.h5", blocks)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    features = read_features(tmp_path / "a.h5")
    assert features.row.tolist() == [0, 2, 4, 6, 8]
    assert features.pooled.dtype == features.embedding.dtype == np.float32
    np.testing.assert_array_equal(features.pooled, np.concatenate([pooled for pooled, _ in blocks]))
    assert (features.normalized_pooled, features.model) == (False, "m")
    assert read_features(tmp_path / "a.h5", "embedding").pooled.shape == (5, 0)


@pytest.mark.parametrize("sizes", [(3,), (3, 3)])
def test_every_row_is_proven_written(tmp_path, sizes):
    with pytest.raises(UserError, match=r"rows have no features|more features than"):
        _write(tmp_path / "a.h5", _blocks(sizes))
    assert list(tmp_path.iterdir()) == []


def test_nan_names_the_manifest_row(tmp_path):
    blocks = _blocks()
    blocks[1][1][0, 1] = np.nan
    with pytest.raises(UserError, match="'embedding' of manifest row 6 is not finite"):
        _write(tmp_path / "a.h5", blocks)
    assert list(tmp_path.iterdir()) == []


def test_nan_in_a_file_is_refused(tmp_path):
    _write(tmp_path / "a.h5", _blocks())
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["pooled"][1, 1] = np.inf
    with pytest.raises(UserError, match="'pooled' of manifest row 2"):
        read_features(tmp_path / "a.h5")


def test_truncated_foreign_and_missing_files(tmp_path):
    path = tmp_path / "a.h5"
    with pytest.raises(UserError, match=r"a\.h5: no such file; run `dvc repro -f extract`"):
        read_features(path)
    _write(path, _blocks())
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"a\.h5: truncated or not HDF5"):
        read_features(path)
    path.write_text("not HDF5 at all")
    with pytest.raises(UserError, match=r"a\.h5: truncated or not HDF5"):
        read_features(path)
    with h5py.File(path, "w") as file:
        file["X_"] = np.zeros(3)
    with pytest.raises(UserError, match=r"a\.h5: foreign HDF5 file"):
        read_features(path)
