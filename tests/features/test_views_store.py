"""Files of views: what is written is read and mixed in; broken ones are named."""

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.base.names import Domain
from pipeline.features import views as views_module
from pipeline.features.store import digest_rows, model_mark
from pipeline.features.views import open_views, places_of, read_studio, without_views, write_views
from pipeline.models.folder import Adapted, save_head
from pipeline.models.head import Head
from pipeline.table.domains import CODES
from pipeline.views.mix import Mix

ROWS, NUMBER, WIDTH = np.array([1, 4, 5, 8]), 3, 6
PHOTOS = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)


@pytest.fixture
def head():
    """With a bias a domain: views are embedded as shop pictures."""
    rng = np.random.default_rng(0)
    made = Head(WIDTH, 5, norm_features=True)
    bias = made.bias.detach().new_tensor(rng.normal(size=(2, 5)))
    return Head.of(made.weight, bias, norm_features=True)


@pytest.fixture
def file(tmp_path, head):
    """Views of four rows of a table of ten: its path, the table, the folder of the model, the views by kind."""
    table = pd.DataFrame({"image": [f"{number}.png" for number in range(10)], "digest": "d"})
    table = table.assign(x=0.0, y=0.0, w=np.nan, h=np.nan)
    save_head(tmp_path / "model", head)
    rng = np.random.default_rng(1)
    kept = {kind: rng.random((len(ROWS), NUMBER, WIDTH), np.float32) for kind in ("street", "augment")}
    write(tmp_path / "views.h5", table, tmp_path / "model", kept)
    return tmp_path / "views.h5", table, tmp_path / "model", kept


def write(path, table, model, kept, chunk=3):
    flat = {kind: values.reshape(len(ROWS), -1) for kind, values in kept.items()}
    chunks = {kind: iter([values[:chunk], values[chunk:]]) for kind, values in flat.items()}
    facts = {"model": model_mark(model), "shown": digest_rows(table, ROWS), "seed": 7}
    write_views(path, ROWS, chunks, PHOTOS, shape=(NUMBER, WIDTH), **facts)


def test_what_is_written_is_read_with_stable_bytes(file, monkeypatch):
    path, table, model, kept = file
    write(path.with_name("again.h5"), table, model, kept, chunk=1)
    assert path.with_name("again.h5").read_bytes() == path.read_bytes()
    views = open_views(path, table, model)
    assert (views.row.tolist(), dict(views.numbers)) == (ROWS.tolist(), {"augment": NUMBER, "street": NUMBER})
    assert (len(views), views.width, views.seed) == (4, WIDTH, 7)
    monkeypatch.setattr(views_module, "BLOCK_VIEWS", 5)
    blocks = list(views.blocks("street", 2))
    assert [part.stop - part.start for part, _ in blocks] == [2, 2]
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in blocks]), kept["street"][:, :2])
    studio, seed = read_studio(path)
    np.testing.assert_array_equal(studio.photos, PHOTOS)
    assert seed == 7


def test_rows_are_mixed_with_their_views_in_whatever_order(file, head):
    """By hand: a share of the mean of unit embeddings as shop pictures; rows without views stay."""
    path, table, model, kept = file
    mix, rows = Mix({"street": 2, "augment": 1}, 0.25), np.array([8, 0, 5, 1, 9, 4])
    rng = np.random.default_rng(2)
    own = rng.normal(size=(len(rows), 5)).astype(np.float32)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    expected = own.copy()
    for place, row in enumerate(rows):
        if row in ROWS:
            shown = np.concatenate([kept["street"][row == ROWS][0, :2], kept["augment"][row == ROWS][0, :1]])
            mean = head.embed(shown, np.full(3, CODES[Domain.SHOP]), 8).mean(axis=0)
            expected[place] = 0.75 * own[place] + 0.25 * mean
            expected[place] /= np.linalg.norm(expected[place])
    made = open_views(path, table, model).blend(own, rows, head, mix, 2)
    np.testing.assert_allclose(made, expected, atol=1e-6)
    np.testing.assert_array_equal(made[[1, 4]], own[[1, 4]])


def test_places_by_hand():
    assert places_of(np.array([5, 1, 9]), np.array([9, 1, 4, 5])).tolist() == [3, 1, 0]
    for unknown in (0, 6, 12):
        with pytest.raises(KeyError):
            places_of(np.array([5, unknown]), np.array([9, 1, 4, 5]))


@pytest.mark.parametrize(("kind", "count"), [("street", NUMBER + 1), ("own_ground", 1)])
def test_views_that_are_not_there(file, head, kind, count):
    path, table, model, _ = file
    views = open_views(path, table, model)
    says = rf"{count} views of kind '{kind}' are wanted, it has 3 augment, 3 street; run `dvc repro draw`"
    with pytest.raises(UserError, match=says):
        views.mean_embedding(head, Mix({kind: count}, 0.5), 4)


def test_a_file_of_no_views_leaves_models_without_them(tmp_path, file, head):
    _, table, model, _ = file
    nothing, facts = np.zeros(0, np.int64), {"model": model_mark(model), "seed": 0}
    photos, shown = np.zeros((0, 0, 0, 3), np.uint8), digest_rows(table, np.zeros(0, np.int64))
    write_views(tmp_path / "none.h5", nothing, {}, photos, shape=(0, 0), shown=shown, **facts)
    views = open_views(tmp_path / "none.h5", table, model)
    models = {"baseline": None, "control": Adapted(head), "viewed": Adapted(head, Mix({"street": 1}, 0.5))}
    assert (len(views), views.numbers) == (0, {})
    some = open_views(file[0], table, model)
    other = np.setdiff1d(np.arange(len(table)), some.row)[:1]
    assert without_views(models, views, some.row) == ["viewed"]
    assert without_views(models, some, some.row[:1]) == []
    assert without_views(models, some, np.append(some.row, other)) == ["viewed"], "half of a catalogue is none"
    assert without_views(models, some, nothing) == ["viewed"]


def test_views_by_another_model(file, head):
    path, table, model, _ = file
    save_head(model, Head(WIDTH, 5, norm_features=True))
    with pytest.raises(UserError, match=r"views as model \w+ sees them, where .*model holds model \w+; run `dvc repro"):
        open_views(path, table, model)


def test_views_of_other_pictures(file):
    path, table, model, _ = file
    for other in (table.assign(digest="e"), table.head(6)):
        with pytest.raises(UserError, match=r"views\.h5: views of other pictures than those of the manifest; run"):
            open_views(path, other, model)


def _rows(path):
    with h5py.File(path, "r+") as file:
        del file["row"]


def _shape(path):
    with h5py.File(path, "r+") as file:
        del file["street"]
        file["street"] = np.zeros((3, 2, WIDTH))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:900]), "truncated or not HDF5"),
        (lambda path: path.unlink(), "no such file"),
        (_rows, "foreign HDF5 file"),
        (_shape, r"'street' is \(3, 2, 6\) for 4 rows"),
    ],
)
def test_damaged_files(file, damage, says):
    path, table, model, _ = file
    damage(path)
    with pytest.raises(UserError, match=rf"views\.h5: {says}.*; run `dvc repro (-f )?draw`"):
        open_views(path, table, model)


def test_a_view_that_is_not_finite_is_named_and_nothing_is_written(file):
    path, table, model, kept = file
    kept["augment"][3, 1, 2] = np.nan
    with pytest.raises(UserError, match="a view of manifest row 8 is not finite; the model is broken"):
        write(path.with_name("new.h5"), table, model, kept)
    assert not path.with_name("new.h5").exists()
