"""UDMA's released features: mistakes in the files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from support.released import (
    CONSUMER,
    DEEPFASHION,
    SHOP,
    STREET2SHOP,
    TARGET,
    features,
)
from support.released import (
    RELEASED_WIDTH as WIDTH,
)

from pipeline.base.errors import UserError

QUERY, GALLERY = (STREET2SHOP.format("{}", side=side) for side in ("Query", "Gallery"))


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
    (QUERY, "X", Path.unlink, "Query_X_60_Crop.h5: no such file; .*datasets/udma_features/params.yaml:test"),
    (GALLERY, "X", _change("labels", lambda _: None), "Gallery_X_60_Crop.h5: no dataset labels"),
    (GALLERY, "X", _change("class_labels", lambda code: code - 7), "class_labels -1 of row 0"),
]


@pytest.mark.parametrize(("name", "kind", "spoil", "says"), H5_MISTAKES)
def test_mistakes_in_hdf5(released, fetch_released, tmp_path, name, kind, spoil, says):
    spoil(released / name.format(kind))
    with pytest.raises(UserError, match=says):
        fetch_released()
    assert list((tmp_path / "work/udma_features").iterdir()) == [], "nothing is written before all is checked"


def test_x_and_x_minus_1_of_different_length(released, fetch_released):
    path = released / QUERY.format("X-1")
    with h5py.File(path, "w") as file:
        file["X_"] = features(5, WIDTH)
    with pytest.raises(UserError, match=r"Query_X-1_60_Crop.h5: 5 rows, where Query_X_60_Crop.h5 has 6"):
        fetch_released()


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
def test_mistakes_in_mat(released, fetch_released, spoil, says):
    spoil(released / DEEPFASHION.format("X", side="Query"))
    with pytest.raises(UserError, match=says):
        fetch_released(test="both")
