"""UDMA's released feature files, written small: the miniature world's training files, and test files of any rows."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat

from support.golden import GOLDEN

RUN = "DeepFashion_ADAM_ALL"
RELEASED_WIDTH = 16  # of the small files
SHOP = f"ClusteringFeats/BASE/DeepFashion/{RUN}/train_Shop_{{}}_60.h5"
CONSUMER = f"ClusteringFeats/BASE/DeepFashion/{RUN}/train_Consumer_{{}}_60.h5"
TARGET = f"ClusteringFeats/BASE/Street2Shop/{RUN}/train_Shop_{{}}_60.h5"
STREET2SHOP = f"Street2Shop/{RUN}/{{side}}_{{}}_60_Crop.h5"
DEEPFASHION = f"DeepFashion/{RUN}/{{side}}_{{}}_60.mat"


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of unit length, float32."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def features(rows: int, width: int, seed: int = 0) -> np.ndarray:
    """Random unit rows (rows, width)."""
    return unit(np.random.default_rng(seed).normal(size=(rows, width)))


def copy_world(root: Path) -> None:
    """The miniature world's training files: 450 + 489 source rows, 320 target rows, width 32."""
    shutil.copytree(GOLDEN / "world", root, dirs_exist_ok=True)


def write_training(root: Path, width: int) -> None:
    """Training files of two source categories and one target category: 12 products of 2 shop and 2 consumer rows."""
    pid = np.repeat(np.arange(12), 2)
    cid = np.where(pid < 6, 20, 8)  # TROUSERS/Leggings, DRESSES/Dress
    for seed, name in enumerate((SHOP, CONSUMER)):
        write_h5(root, name, features(24, width, seed), {"pid": pid, "cid": cid})
    write_h5(root, TARGET, features(10, width, 2), {"pid": np.arange(10) // 2 + 1, "cid": np.full(10, 6)})


def write_h5(root: Path, name: str, rows: np.ndarray, labels: Mapping[str, np.ndarray]) -> None:
    """X and X-1 (the same rows turned round) of one HDF5 pair."""
    for kind, values in (("X", rows), ("X-1", rows[:, ::-1])):
        path = root / name.format(kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            for label, numbers in {"X_": values, **labels}.items():
                file[label] = numbers


def write_street2shop(root: Path, side: str, rows: np.ndarray, categories: np.ndarray, products: np.ndarray) -> None:
    """A test pair of Street2Shop; `side` Query or Gallery."""
    labels = {"labels": products, "class_labels": categories}
    columns = {name: values.astype(np.int64)[:, None] for name, values in labels.items()}
    write_h5(root, STREET2SHOP.format("{}", side=side), rows, columns)


def write_deepfashion(root: Path, side: str, rows: np.ndarray, ids: np.ndarray) -> None:
    """A test pair of DeepFashion with its list of ids."""
    for kind, values in (("X", rows), ("X-1", rows[:, ::-1])):
        path = root / DEEPFASHION.format(kind, side=side)
        path.parent.mkdir(parents=True, exist_ok=True)
        savemat(path, {"feats": values})
    path.with_name(f"{side}_Labels_60.txt").write_text("".join(f"{one}\n" for one in ids))


def write_small_tests(root: Path, width: int) -> None:
    """Street2Shop test files: 6 queries of 3 products of leggings, 9 gallery rows."""
    write_street2shop(root, "Query", features(6, width, 5), np.full(6, 6), np.arange(6) // 2)
    write_street2shop(root, "Gallery", features(9, width, 6), np.full(9, 6), np.arange(9) // 2)
