"""A set whose test pictures search themselves, through the stages."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chain_support import Chain
from PIL import Image

from pipeline.constants import FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, SPLIT
from pipeline.io.features import read_features

PICTURES = [f"{number:03d}.Bird/{name}.png" for number in (1, 2, 3, 4) for name in "abc"]
ABSENT = PICTURES[4]


@pytest.fixture
def birds(tmp_path) -> Chain:
    """CUB-200-2011 in miniature, one of its pictures missing."""
    root = tmp_path / "birds"
    for index, name in enumerate(PICTURES):
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 20), (20 * index, 90, 255 - 20 * index)).save(path)
    (root / "images" / ABSENT).unlink()
    (root / "images.txt").write_text("".join(f"{index} {name}\n" for index, name in enumerate(PICTURES)))
    labels = "".join(f"{index} {int(name[:3])}\n" for index, name in enumerate(PICTURES))
    (root / "image_class_labels.txt").write_text(labels)
    changes = {"data.dataset": "cub200", "data.source": str(root), "evaluate.meta_domain": "source"}
    return Chain(tmp_path / "chain", changes | {"prepare.max_unreadable": 0.1})


def test_absent_pictures_are_counted_and_listed(birds):
    birds.succeed("download", "prepare")
    report = json.loads((birds.folder / "metrics/prepare.json").read_text())
    assert report["unreadable"]["pictures"] == 1
    assert [one["image"] for one in report["unreadable"]["first"]] == [f"images/{ABSENT}"]
    assert report["parts"] == {
        "source": {
            "train": {"consumer": 0, "shop": 5, "items": 2},
            "test": {"consumer": 0, "shop": 6, "items": 2},
        }
    }
    birds.change({"prepare.max_unreadable": 0.05})
    birds.fails("prepare", "1 of 12 pictures unreadable", f"images/{ABSENT}: no such file")


def test_test_part_is_extracted_and_no_protocol_evaluates_it_yet(birds, finished: Chain):
    birds.succeed("download", "prepare")
    shutil.copytree(finished.folder / MODEL_FOLDER, birds.folder / MODEL_FOLDER)
    birds.succeed("extract --part source_train", "extract --part source_test")
    tested = pd.read_parquet(birds.folder / MANIFEST_FILE)[SPLIT] == "test"
    features = read_features(Path(birds.folder / FEATURES_FOLDER / "source_test.h5"))
    assert features.row.tolist() == np.flatnonzero(tested).tolist()
    for protocol in ("street2shop", "deepfashion"):
        birds.change({"evaluate.protocol": protocol})
        birds.fails("evaluate", f"evaluate.protocol: {protocol} needs query and gallery rows", "rows of split test")
