"""Feature files: what is written is read; broken ones are named."""

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.base.names import Part
from pipeline.features import store
from pipeline.features.store import digest_rows, model_mark, open_features, open_parts, write_features
from pipeline.models.folder import save_head
from pipeline.models.head import Head
from pipeline.table.manifest import part_rows


def _write(path, blocks, n_rows=5, **options):
    write_features(path, np.arange(n_rows) * 2, blocks, model="m", **options)


def _blocks(sizes=(3, 2)):
    rng = np.random.default_rng(0)
    return [(rng.random((n, 4), np.float32), rng.random((n, 3), np.float32)) for n in sizes]


def test_round_trip_and_stable_bytes(tmp_path):
    blocks = _blocks()
    _write(tmp_path / "a.h5", blocks)
    _write(tmp_path / "b.h5", blocks)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    features = open_features(tmp_path / "a.h5")
    assert features.row.tolist() == [0, 2, 4, 6, 8]
    assert features.pooled.dtype == features.embedding.dtype == np.float32
    np.testing.assert_array_equal(features.pooled, np.concatenate([pooled for pooled, _ in blocks]))
    assert (features.normalized_pooled, features.model) == (False, "m")
    assert (len(features), features.widths) == (5, (4, 3))


def test_blocks_are_the_whole_and_files_are_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BLOCK_ROWS", 2)
    _write(tmp_path / "a.h5", _blocks())
    features = open_features(tmp_path / "a.h5")
    found = [np.concatenate(parts) for parts in zip(*features.blocks(), strict=True)]
    np.testing.assert_array_equal(found[0], features.pooled)
    np.testing.assert_array_equal(found[1], features.embedding)
    assert [len(rows) for (rows,) in features.blocks("pooled")] == [2, 2, 1]
    assert [rows.shape for rows in next(features.blocks("embedding", "pooled"))] == [(2, 3), (2, 4)]
    (tmp_path / "a.h5").unlink()
    assert features.pooled is features.pooled
    with pytest.raises(UserError, match="no such file"):
        next(features.blocks())


def test_normalised_rows_come_back_at_their_length(tmp_path):
    blocks = _blocks()
    blocks[0][0][1] = 0
    _write(tmp_path / "plain.h5", blocks)
    _write(tmp_path / "unit.h5", blocks, normalize=True)
    with h5py.File(tmp_path / "unit.h5") as file:
        lengths = np.linalg.norm(file["pooled"][()], axis=1)
        np.testing.assert_allclose(lengths, [1, 0, 1, 1, 1], atol=1e-6)
    plain, unit = (open_features(tmp_path / name) for name in ("plain.h5", "unit.h5"))
    np.testing.assert_allclose(unit.pooled, plain.pooled, rtol=3e-7)
    np.testing.assert_array_equal(unit.embedding, plain.embedding)
    assert (plain.normalized_pooled, unit.normalized_pooled) == (False, True)


def test_rows_that_come_at_unit_length_stay_as_they_are(tmp_path):
    blocks = [(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), embedding) for pooled, embedding in _blocks()]
    _write(tmp_path / "a.h5", blocks, unit=True, normalize=True)
    features = open_features(tmp_path / "a.h5")
    assert features.normalized_pooled
    np.testing.assert_array_equal(features.pooled, np.concatenate([pooled for pooled, _ in blocks]))


def _head(norm_features, width=4):
    return Head(width, 3, norm_features=norm_features)


def test_heads_that_do_not_take_what_is_stored(tmp_path):
    _write(tmp_path / "a.h5", _blocks(), normalize=True)
    features = open_features(tmp_path / "a.h5")
    features.check_heads({tmp_path: _head(False), tmp_path / "b": _head(True)})
    with pytest.raises(UserError, match="b: a head for pooled features of width 5, where the features have 4; run"):
        features.check_heads({tmp_path: _head(False), tmp_path / "b": _head(False, width=5)})
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["length"]
    features = open_features(tmp_path / "a.h5")
    features.check_heads({tmp_path: _head(True)})
    says = r"a\.h5: pooled features of unit length.*norm_features: false.*run `dvc repro -f extract`"
    with pytest.raises(UserError, match=says):
        features.check_heads({tmp_path: _head(False)})


@pytest.fixture
def parts(tmp_path):
    """A table with five rows of source_train at even positions, their features, and a model's folder."""
    table = pd.DataFrame(
        {
            "image": [f"{number}.png" for number in range(10)],
            "digest": "d",
            "meta_domain": ["source", "target"] * 5,
            "split": "train",
        }
    ).assign(x=0.0, y=0.0, w=np.nan, h=np.nan)
    save_head(tmp_path / "model", _head(False))
    rows = part_rows(table, Part.SOURCE_TRAIN)
    facts = {"model": model_mark(tmp_path / "model"), "shown": digest_rows(table, rows)}
    write_features(tmp_path / "source_train.h5", rows, _blocks(), **facts)
    return tmp_path, table


def test_parts_of_the_manifest_and_model_are_opened(parts):
    folder, table = parts
    (features,) = open_parts(folder, [Part.SOURCE_TRAIN], table.assign(category="any"), folder / "model")
    assert len(features) == 5


@pytest.mark.parametrize(("column", "value"), [("image", "z.png"), ("digest", "e"), ("w", 3.0), ("split", "val")])
def test_features_of_other_rows(parts, column, value):
    folder, table = parts
    table.loc[4, column] = value
    if column == "split":  # a row less
        table.loc[4, "meta_domain"] = "target"
    says = r"source_train\.h5: features of 5 rows, others than the . of source_train.*run `dvc repro extract`"
    with pytest.raises(UserError, match=says):
        open_parts(folder, [Part.SOURCE_TRAIN], table, folder / "model")


def test_features_of_another_model(parts):
    folder, table = parts
    save_head(folder / "model", _head(False))
    says = r"source_train\.h5: features of model \w{16}, where .*model holds model \w{16}; run `dvc repro extract`"
    with pytest.raises(UserError, match=says):
        open_parts(folder, [Part.SOURCE_TRAIN], table, folder / "model")
    with pytest.raises(UserError, match=r"nowhere: no such model; run `dvc repro finetune`"):
        open_parts(folder, [Part.SOURCE_TRAIN], table, folder / "nowhere")


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
        open_features(tmp_path / "a.h5").pooled  # noqa: B018


def test_truncated_foreign_and_missing_files(tmp_path):
    path = tmp_path / "a.h5"
    with pytest.raises(UserError, match=r"a\.h5: no such file; run `dvc repro -f extract`"):
        open_features(path)
    _write(path, _blocks())
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"a\.h5: truncated or not HDF5"):
        open_features(path)
    path.write_text("not HDF5 at all")
    with pytest.raises(UserError, match=r"a\.h5: truncated or not HDF5"):
        open_features(path)
    with h5py.File(path, "w") as file:
        file["X_"] = np.zeros(3)
    with pytest.raises(UserError, match=r"a\.h5: foreign HDF5 file"):
        open_features(path)


def test_rows_of_pictures_and_attributes(tmp_path):
    asked = {"condition": np.array([0, 2, 1, 0, 2]), "attributes": ("neck", "sleeve", "hem")}
    _write(tmp_path / "a.h5", _blocks(), **asked)
    features = open_features(tmp_path / "a.h5")
    assert (features.condition.tolist(), features.attributes) == ([0, 2, 1, 0, 2], ("neck", "sleeve", "hem"))
    _write(tmp_path / "plain.h5", _blocks())
    plain = open_features(tmp_path / "plain.h5")
    assert (plain.condition, plain.attributes) == (None, ())
    with h5py.File(tmp_path / "plain.h5") as file:
        assert set(file) == {"pooled", "embedding", "row"}
        assert set(file.attrs) == {"normalized_pooled", "model", "shown"}
    _write(tmp_path / "b.h5", _blocks(), **asked | {"attributes": ("neck", "sleeve")})
    with pytest.raises(UserError, match="'condition' does not tell 5 rows which of 2 attributes they are for"):
        open_features(tmp_path / "b.h5")


def test_pictures_of_a_part_may_be_asked_for_several_times_or_never(parts):
    folder, table = parts
    table["split"] = "query"
    rows = np.array([2, 2, 2, 6, 8])
    facts = {"condition": np.array([0, 1, 2, 1, 0]), "attributes": ("neck", "sleeve", "hem")}

    def opened(asked):
        write_features(
            folder / "source_test.h5",
            asked,
            _blocks(),
            model=model_mark(folder / "model"),
            shown=digest_rows(table, asked),
            **facts,
        )
        return open_parts(folder, [Part.SOURCE_TEST], table, folder / "model")

    assert opened(rows)[0].row.tolist() == rows.tolist()
    for wrong in (rows[::-1], np.array([2, 2, 3, 6, 8])):
        with pytest.raises(UserError, match=r"source_test\.h5: features of 5 rows, others than"):
            opened(wrong)
