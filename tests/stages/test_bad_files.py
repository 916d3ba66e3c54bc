"""Damaged outputs of earlier stages, groups and queries that are not there, disks that cannot be written."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from support.chain import STAGES, Chain, Outcome
from support.permissions import within_without_power
from support.project import largest_file

from pipeline.base.atomic import remove
from pipeline.base.names import CATEGORY, DOMAIN, FEATURES_FOLDER, ITEM, MANIFEST_FILE, META_DOMAIN, SPLIT

READS = [
    ("data/manifest.parquet", "finetune"),
    ("data/models/backbone/model.safetensors", "extract"),
    (f"{FEATURES_FOLDER}/target_train.h5", "cluster"),
    (f"{FEATURES_FOLDER}/source_train.h5", "weight"),
    ("data/clusters.h5", "weight"),
    (f"{FEATURES_FOLDER}/source_train.h5", "adapt"),
    ("data/views/source_train.h5", "adapt"),
    ("data/links.parquet", "adapt"),
    ("data/models/backbone/model.safetensors", "adapt"),
    (f"{FEATURES_FOLDER}/target_test.h5", "evaluate"),
    ("data/models/adapter/udma/model.safetensors", "evaluate"),
    ("data/views/target_test.h5", "evaluate"),
    ("data/views/target_test.h5", "index"),
]


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _foreign(path: Path) -> None:
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.create_group("000")["temperature"] = np.arange(3)
    elif path.suffix == ".parquet":
        pd.DataFrame({"temperature": [1.0]}).to_parquet(path)
    else:
        save_file({"temperature": torch.ones(3)}, path)


@pytest.mark.parametrize("damage", [_truncate, _foreign, Path.unlink], ids=["truncated", "foreign", "missing"])
@pytest.mark.parametrize(("file", "stage"), READS)
def test_damaged_file(chain, file, stage, damage):
    damage(chain.folder / file)
    chain.fails(stage, file.removesuffix("/model.safetensors"), "run `dvc repro")


@pytest.mark.parametrize(
    ("part", "dataset", "stage"),
    [
        ("target_train", "embedding", "cluster"),
        ("source_train", "embedding", "weight"),
        ("target_train", "pooled", "adapt"),
        ("target_test", "pooled", "evaluate"),
    ],
)
def test_nan_in_features(chain, part, dataset, stage):
    with h5py.File(chain.folder / FEATURES_FOLDER / f"{part}.h5", "r+") as file:
        file[dataset][3, 0] = np.nan
        row = file["row"][3]
    chain.fails(stage, f"{FEATURES_FOLDER}/{part}.h5: {dataset!r} of manifest row {row} is not finite")


def test_model_that_gives_nan(chain):
    path = chain.folder / "data/models/backbone/model.safetensors"
    weights = load_file(path)
    weights["head.bias"][0] = np.nan
    save_file(weights, path)
    chain.fails("extract --part target_test", "'embedding' of manifest row", "is not finite")


# Groups and queries


def _rewrite(chain: Chain, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    path = chain.folder / MANIFEST_FILE
    change(pd.read_parquet(path)).to_parquet(path, index=False)


@pytest.mark.parametrize(
    ("alignment", "says"),
    [
        ({"tops": ["sarong"]}, ["alignment.tops: no source shop picture has category 'sarong'", "blouse"]),
        ({"gowns": ["shirt"]}, ["alignment.gowns: no target picture has category 'gowns'", "dresses"]),
    ],
)
def test_alignment_with_nothing_to_train_on(chain, alignment, says):
    chain.change({"data.alignment": alignment}).fails("prepare", *says)  # before anything is trained
    chain.fails("cluster", *says)


@pytest.mark.parametrize(
    ("alignment", "says"),
    [
        ({"tops": ["shrit"]}, ["data.alignment.tops: no picture of the source has category 'shrit'", "mean 'shirt'?"]),
        ({"topps": ["shirt"]}, ["data.alignment.topps: no picture of the target has category", "mean 'tops'?"]),
    ],
)
def test_mistyped_alignment_is_found_before_anything_is_trained(chain, alignment, says):
    before = chain.digests()
    chain.change({"data.alignment": alignment}).fails("prepare", *says)
    assert chain.digests() == before


def test_groups_of_one_row_work(chain):
    def keep_one(table: pd.DataFrame) -> pd.DataFrame:
        alone = table.duplicated([META_DOMAIN, CATEGORY]) & table[CATEGORY].isin(["hats", "shorts", "bermudas"])
        dropped = alone & (table[SPLIT] == "train") & (table[DOMAIN] == "shop")
        return table[~dropped | (table[META_DOMAIN] == "target") & (table[SPLIT] != "train")]

    _rewrite(chain, keep_one)
    chain.succeed("extract", "draw", "cluster", "weight", "adapt", "evaluate")
    groups = json.loads((chain.folder / "metrics/cluster.json").read_text())["groups"]
    assert (groups["hats"]["source"], groups["hats"]["target"]) == (0, 1)
    assert (groups["shorts"]["source"], groups["shorts"]["target"]) == (2, 1)


def test_no_alignment_at_all_works(chain):
    chain.change({"data.alignment": {}}).succeed("cluster", "weight", "adapt", "evaluate")
    control, udma = (
        chain.folder / f"data/models/adapter/{name}/model.safetensors" for name in ("udma_control", "udma")
    )
    assert control.read_bytes() == udma.read_bytes(), "without groups there are no links"


def test_no_query_left(chain):
    _rewrite(chain, lambda table: table.assign(item=table[ITEM].where(table[SPLIT] != "query", "nobody's")))
    chain.fails("evaluate", "none of the", "queries shows an item that the gallery of its category has")


def test_no_pictures_to_evaluate(chain):
    _rewrite(chain, lambda table: table[(table[META_DOMAIN] == "source") | (table[SPLIT] == "train")])
    chain.succeed("extract --part target_test")
    chain.fails("evaluate", "data/manifest.parquet: no rows for source_test", "evaluate.meta_domain")
    chain.change({"evaluate.meta_domain": "target"})
    chain.fails("evaluate", "data/manifest.parquet: no rows for target_test")


# Permissions and disks


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("data/manifest.parquet", "finetune"),
        (f"{FEATURES_FOLDER}/target_train.h5", "cluster"),
        ("data/models/backbone/model.safetensors", "evaluate"),
        ("data/models/adapter/udma", "evaluate"),
        ("params.yaml", "cluster"),
    ],
)
def test_unreadable_file(chain, file, stage):
    before, mode = chain.outputs(), (chain.folder / file).stat().st_mode
    (chain.folder / file).chmod(0)
    try:
        done = Outcome.of(chain.start(stage, within=within_without_power()))
    finally:
        (chain.folder / file).chmod(mode)
    done.check_message(stage, file, "no permission to ", "give it with `chmod +r")
    assert "dvc repro" not in done.stderr
    assert "cannot write" not in done.stderr
    assert chain.outputs() == before


def test_features_held_open_by_another_program(chain):
    file = f"{FEATURES_FOLDER}/target_train.h5"
    with h5py.File(chain.folder / file, "a"):
        done = Outcome.of(chain.start("cluster"))
    done.check_message("cluster", f"{file}: another program has it open and locked; close it there")


@pytest.mark.parametrize("stage", STAGES)
def test_no_room_to_write(chain, stage):
    before = chain.outputs()
    with largest_file(700):
        done = chain.run(stage)
    done.check_message(stage, "cannot write", "the file is larger than is allowed here; make room and run again")
    assert chain.outputs() == before
    chain.succeed(stage)
    assert chain.digests() == before


@pytest.mark.parametrize(("stage", "folder"), [("download", "data"), ("prepare", "data"), ("prepare", "metrics")])
def test_read_only_folder(chain, stage, folder):
    remove(chain.folder / "data/.partial")
    (chain.folder / folder).chmod(0o555)
    before = chain.outputs()
    try:
        done = Outcome.of(chain.start(stage, within=within_without_power()))
    finally:
        (chain.folder / folder).chmod(0o755)
    done.check_message(stage, "cannot write", f"{folder}/", "make the folder writable")
    assert chain.outputs() == before


@pytest.mark.parametrize(
    ("part", "stage"), [("target_train", "adapt"), ("source_train", "adapt"), ("target_test", "evaluate")]
)
def test_features_of_another_width_than_the_head(chain, part, stage):
    with h5py.File(chain.folder / f"{FEATURES_FOLDER}/{part}.h5", "a") as file:
        pooled = file["pooled"][()]
        del file["pooled"]
        file["pooled"] = pooled[:, :-1]
    width = pooled.shape[1]
    chain.fails(stage, f"a head for pooled features of width {width}, where the features have {width - 1}")
