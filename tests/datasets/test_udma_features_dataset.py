"""UDMA's released features: what is brought to the chain, and mistakes in the files."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from released_support import (
    CONSUMER,
    DEEPFASHION,
    SHOP,
    STREET2SHOP,
    TARGET,
    copy_world,
    features,
    unit,
    write_deepfashion,
    write_small_tests,
    write_training,
)
from scipy.io import savemat
from tests_support import default_params

from pipeline.constants import Part
from pipeline.errors import UserError
from pipeline.io.brought import brings_features, describe_facts
from pipeline.io.features import read_features
from pipeline.io.manifest import part_rows
from pipeline.models.files import load_head_weights, write_head
from pipeline.sources.categories import DEEPFASHION as SOURCE_CATEGORIES
from pipeline.sources.categories import STREET2SHOP as TARGET_CATEGORIES

WIDTH = 16
QUERY, GALLERY = (STREET2SHOP.format("{}", side=side) for side in ("Query", "Gallery"))


@pytest.fixture
def section() -> dict[str, Any]:
    """The committed section."""
    return default_params()["datasets"]["udma_features"]


@pytest.fixture
def released(tmp_path) -> Path:
    """Small files of both test parts, 16 wide."""
    root = tmp_path / "released"
    write_training(root, WIDTH)
    write_small_tests(root, WIDTH)
    write_deepfashion(root, "Query", features(4, WIDTH, 7), np.array(["id_00000001", "id_00000002"] * 2))
    write_deepfashion(root, "Gallery", features(5, WIDTH, 8), np.array(["id_00000002"] * 5))
    return root


@pytest.fixture
def fetch(released, section, fetched) -> Callable[..., Any]:
    """Fetch the small files with changes of the section."""
    return lambda **changes: fetched(released, "udma_features", **section | changes)


def _world(tmp_path: Path) -> Path:
    root = tmp_path / "world"
    copy_world(root)
    write_small_tests(root, 32)
    return root


def _stored(path: Path, name: str = "X_") -> np.ndarray:
    with h5py.File(path) as file:
        return file[name][()]


def test_world_is_brought_row_by_row(tmp_path, section, fetched):
    root = _world(tmp_path)
    out, table = fetched(root, "udma_features", **section)
    assert brings_features(out)
    for part, names in (
        (Part.SOURCE_TRAIN, (SHOP, CONSUMER)),
        (Part.TARGET_TRAIN, (TARGET,)),
        (Part.TARGET_TEST, (QUERY, GALLERY)),
    ):
        found, rows = read_features(out / f"features/{part}.h5"), part_rows(table, part)
        np.testing.assert_array_equal(found.row, rows)
        for kind, values in (("X", found.embedding), ("X-1", found.pooled)):
            np.testing.assert_array_equal(values, np.concatenate([_stored(root / name.format(kind)) for name in names]))
        assert found.normalized_pooled
    assert not (out / "features/source_test.h5").exists()

    shop = table[: len(_stored(root / SHOP.format("X"), "pid"))]
    assert shop["item"].astype(int).tolist() == _stored(root / SHOP.format("X"), "pid").tolist()
    assert shop["category"].map(SOURCE_CATEGORIES.index).tolist() == _stored(root / SHOP.format("X"), "cid").tolist()
    assert set(shop["domain"]) == {"shop"}
    target = table[(table["meta_domain"] == "target") & (table["split"] == "train")]
    assert target["item"].astype(int).tolist() == _stored(root / TARGET.format("X"), "pid").tolist()
    assert (
        target["category"].map(TARGET_CATEGORIES.index).tolist() == _stored(root / TARGET.format("X"), "cid").tolist()
    )
    assert target["image"].iloc[3] == f"{TARGET.format('X')}#3"
    queries = table[table["split"] == "query"]
    assert queries["item"].tolist() == [f"leggings_{product:07d}" for product in (0, 0, 1, 1, 2, 2)]


def test_names_are_those_of_the_alignment(section):
    pictures = default_params()["datasets"]["udma"]
    assert section["alignment"] == pictures["alignment"]
    assert set(section["alignment"]) <= set(TARGET_CATEGORIES)
    assert {name for listed in section["alignment"].values() for name in listed} <= set(SOURCE_CATEGORIES)
    # The published groups, by number.
    numbers = {6: [20], 7: [1, 15], 8: [3, 21], 9: [10, 12], 10: [13, 14, 16, 17, 18, 19], 2: [8, 9, 11]}
    for target, listed in numbers.items():
        assert section["alignment"][TARGET_CATEGORIES[target]] == [SOURCE_CATEGORIES[one] for one in listed]


@pytest.mark.parametrize(
    ("test", "counts"),
    [("street2shop", (0, 15)), ("deepfashion", (9, 0)), ("both", (9, 15))],
)
def test_only_the_test_files_asked_for_are_read(released, fetch, test, counts):
    for name, kept in ((DEEPFASHION, test != "street2shop"), (STREET2SHOP, test != "deepfashion")):
        if not kept:
            shutil.rmtree(released / name.split("/")[0])
    out, table = fetch(test=test)
    assert tuple(len(part_rows(table, part)) for part in (Part.SOURCE_TEST, Part.TARGET_TEST)) == counts
    source = table.iloc[part_rows(table, Part.SOURCE_TEST)]
    assert source["item"].tolist() == (["id_00000001", "id_00000002"] * 2 + ["id_00000002"] * 5)[: len(source)]
    assert (out / "features/source_test.h5").exists() == (counts[0] > 0)


def test_archives_are_unpacked_aside(released, fetch, tmp_path):
    expected = _digests(fetch()[0])
    shutil.rmtree(tmp_path / "work")
    with zipfile.ZipFile(tmp_path / "clusters.zip", "w") as archive:
        for path in (released / "ClusteringFeats").rglob("*.h5"):
            archive.write(path, path.relative_to(released / "ClusteringFeats"))
    shutil.rmtree(released / "ClusteringFeats")
    (tmp_path / "clusters.zip").rename(released / "clusters.zip")
    out, _ = fetch(archives=[{"file": "clusters.zip", "into": "ClusteringFeats"}])
    assert _digests(out) == expected
    assert [path.name for path in out.parent.iterdir()] == ["udma_features"]


def _digests(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# The head


def test_least_squares_head_reproduces_the_embeddings(fetch):
    out, _ = fetch()
    weight, bias, norm_features = load_head_weights(out / "model")
    assert weight.shape == (WIDTH, WIDTH)
    assert norm_features is False
    facts = json.loads((out / "brought.json").read_text())
    assert facts["head"]["from"] == "least_squares"
    assert facts["head"]["mean_cosine"] > 0.999, "X-1 is X turned round here"
    assert facts["pooled_of_unit_length"] is True
    train = read_features(out / "features/target_train.h5")
    made = unit(train.pooled @ weight.numpy().T + bias.numpy())
    assert (made * train.embedding).sum(axis=1).min() > 0.999
    assert "all rows of unit length" in describe_facts(out)


def test_rows_that_are_not_normalised_are_told(released, fetch):
    for name in (SHOP, CONSUMER, TARGET, QUERY, GALLERY):
        with h5py.File(released / name.format("X-1"), "r+") as file:
            file["X_"][...] *= np.linspace(1, 2, len(file["X_"]), dtype=np.float32)[:, None]
    out, _ = fetch(norm_features=True)
    assert "not all rows of unit length" in describe_facts(out)
    assert "norm_features true" in describe_facts(out)
    assert not read_features(out / "features/target_train.h5").normalized_pooled
    assert load_head_weights(out / "model")[2] is True
    assert json.loads((out / "brought.json").read_text())["head"]["mean_cosine"] > 0.999


def test_head_of_a_checkpoint(released, fetch):
    weight, bias = torch.eye(WIDTH).flip(1), torch.zeros(WIDTH)
    write_head(released / "model", weight, bias, norm_features=True)
    out, _ = fetch(head="checkpoint")
    assert torch.equal(load_head_weights(out / "model")[0], weight)
    assert load_head_weights(out / "model")[2] is True
    assert json.loads((out / "brought.json").read_text())["head"]["mean_cosine"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((WIDTH, 8), r"model: its head makes embeddings of width 16 from 8, where the features have 16 from 16"),
        ((9, WIDTH), r"model: its head makes embeddings of width 9 from 16, where the features have 16 from 16"),
        (None, r"model: not a model of this project .*stages.convert.*datasets.udma_features.checkpoint"),
    ],
)
def test_head_that_does_not_fit(released, fetch, shape, says):
    if shape is not None:
        write_head(released / "model", torch.ones(shape), torch.zeros(shape[0]), norm_features=False)
    with pytest.raises(UserError, match=says):
        fetch(head="checkpoint")


@pytest.mark.parametrize(
    ("weight", "bias", "says"),
    [
        (torch.full((WIDTH, WIDTH), torch.nan), torch.zeros(WIDTH), "its head is not finite"),
        (torch.eye(WIDTH), torch.zeros(WIDTH - 1), r"bias \(15,\) do not make a linear layer"),
        (torch.ones(WIDTH), torch.zeros(WIDTH), r"weight \(16,\) and bias"),
        (torch.eye(WIDTH).int(), torch.zeros(WIDTH), "instead of floating-point numbers"),
    ],
)
def test_head_that_is_none(released, fetch, weight, bias, says, tmp_path):
    write_head(released / "model", weight, bias, norm_features=False)
    with pytest.raises(UserError, match=rf"model: not a model of this project .*{says}"):
        fetch(head="checkpoint")
    assert list((tmp_path / "work/udma_features").iterdir()) == [], "said before gigabytes are copied"


# Mistakes in the files


def _replace(path: Path, name: str, change: Callable[[np.ndarray], Any]) -> None:
    with h5py.File(path, "r+") as file:
        values = change(file[name][()])
        del file[name]
        if values is not None:
            file[name] = values


def _nan(rows: np.ndarray) -> np.ndarray:
    rows[3, 1] = np.nan
    return rows


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _group(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["X_"]
        file.create_group("X_")


def _flip(path: Path) -> None:
    """One wrong byte inside the features, which a checksum notices when they are read."""
    with h5py.File(path, "r+") as file:
        rows = file["X_"][()]
        del file["X_"]
        made = file.create_dataset("X_", data=rows, chunks=rows.shape, fletcher32=True)
        file.flush()
        place = made.id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 5] ^= 255
    path.write_bytes(content)


def _change(name: str, change: Callable[[np.ndarray], Any]) -> Callable[[Path], None]:
    return lambda path: _replace(path, name, change)


H5_MISTAKES = [
    (SHOP, "X", Path.unlink, "train_Shop_X_60.h5: no such file; put the released folders"),
    (SHOP, "X", _truncate, "train_Shop_X_60.h5: truncated or not HDF5 .*get the file again"),
    (SHOP, "X", _change("X_", lambda _: None), "train_Shop_X_60.h5: foreign HDF5 file"),
    (SHOP, "X", _change("cid", lambda _: None), "Shop_X_60.h5: no dataset cid in it"),
    (SHOP, "X", _change("cid", lambda cid: cid + 3), "cid 23 of row 0 is unknown; known: 0 to 22"),
    (SHOP, "X", _change("pid", lambda pid: pid[1:]), "24 rows of X_, but 23 of pid"),
    (SHOP, "X", _change("X_", _nan), "train_Shop_X_60.h5: row 3 is not finite"),
    (CONSUMER, "X-1", _change("X_", _nan), "train_Consumer_X-1_60.h5: row 3 is not finite"),
    (CONSUMER, "X-1", _change("pid", lambda pid: pid[::-1]), "X-1_60.h5: pid is not that of train_Consumer_X_60.h5"),
    (CONSUMER, "X-1", Path.unlink, "train_Consumer_X-1_60.h5: no such file"),
    (TARGET, "X", _change("cid", lambda cid: cid + 5), "cid 11 of row 0 is unknown; known: 0 to 10"),
    (TARGET, "X", _change("X_", lambda rows: rows[:, :9]), "width 9, where .*train_Shop_X_60.h5 has 16"),
    (TARGET, "X-1", _change("X_", lambda rows: rows[:1, 0]), r"expected features \(rows, width\)"),
    (SHOP, "X", _change("cid", lambda cid: cid.astype(float)), "Shop_X_60.h5: cid holds float64 instead of whole"),
    (SHOP, "X", _group, "expected features .* found Group"),
    (SHOP, "X", _flip, "train_Shop_X_60.h5: truncated or not HDF5"),
    (QUERY, "X", Path.unlink, "Query_X_60_Crop.h5: no such file; .*datasets.udma_features.test"),
    (GALLERY, "X", _change("labels", lambda _: None), "Gallery_X_60_Crop.h5: no dataset labels"),
    (GALLERY, "X", _change("class_labels", lambda code: code - 7), "class_labels -1 of row 0"),
]


@pytest.mark.parametrize(("name", "kind", "spoil", "says"), H5_MISTAKES)
def test_mistakes_in_hdf5(released, fetch, tmp_path, name, kind, spoil, says):
    spoil(released / name.format(kind))
    with pytest.raises(UserError, match=says):
        fetch()
    assert list((tmp_path / "work/udma_features").iterdir()) == [], "nothing is written before all is checked"


def test_x_and_x_minus_1_of_different_length(released, fetch):
    path = released / QUERY.format("X-1")
    with h5py.File(path, "w") as file:
        file["X_"] = features(5, WIDTH)
    with pytest.raises(UserError, match=r"Query_X-1_60_Crop.h5: 5 rows, where Query_X_60_Crop.h5 has 6"):
        fetch()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: savemat(path, {"features": np.ones((4, WIDTH))}), "no variable feats in it"),
        (lambda path: savemat(path, {"feats": _nan(features(4, WIDTH))}), "Query_X_60.mat: row 3 is not finite"),
        (lambda path: savemat(path, {"feats": features(3, WIDTH)}), "X-1_60.mat: 4 rows, where Query_X_60.mat has 3"),
        (_truncate, "Query_X_60.mat: truncated or not a MAT file"),
        (lambda path: path.write_bytes(b""), "Query_X_60.mat: truncated or not a MAT file"),
        (lambda path: path.write_text("no" * 200), "Query_X_60.mat: truncated or not a MAT file"),
        (lambda path: path.unlink(), "Query_X_60.mat: no such file"),
        (
            lambda path: path.with_name("Query_Labels_60.txt").write_text("id_1\n" * 3 + "\n"),
            "Query_X_60.mat: 4 rows, but 3 labels",
        ),
        (lambda path: path.with_name("Query_Labels_60.txt").unlink(), "Query_Labels_60.txt: no such file"),
    ],
)
def test_mistakes_in_mat(released, fetch, spoil, says):
    spoil(released / DEEPFASHION.format("X", side="Query"))
    with pytest.raises(UserError, match=says):
        fetch(test="both")
