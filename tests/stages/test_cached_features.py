"""Pooled features by content: what was computed once is not computed again, and nothing changes by it."""

import shutil

import h5py
import numpy as np
import torch

from pipeline.base.names import FEATURES_FOLDER, MODEL_FOLDER, RAW_FOLDER
from pipeline.features.store import open_features
from pipeline.models.folder import load_head, read_model, write_model

CACHED = {"runtime.cache": "data/.cache"}
FILE = FEATURES_FOLDER / "source_train.h5"


def _turn_head(chain) -> None:
    """Another head for the same backbone."""
    folder = chain.folder / MODEL_FOLDER
    kind, settings, weights = read_model(folder)
    write_model(folder, kind, settings, weights | {"head.weight": weights["head.weight"].flip(0).clone()})


def test_cached_features_are_the_bytes_of_computed_ones(finished, chain):
    chain.change(CACHED)
    for _ in range(2):
        chain.succeed("extract")
        for part in ("source_train", "source_test", "target_train", "target_test"):
            name = FEATURES_FOLDER / f"{part}.h5"
            assert (chain.folder / name).read_bytes() == (finished.folder / name).read_bytes()
        shutil.rmtree(chain.folder / RAW_FOLDER, ignore_errors=True)  # the second time no picture is read


def test_another_head_reads_no_picture_and_another_backbone_does(finished, chain):
    chain.change(CACHED).succeed("extract --part source_train")
    shutil.rmtree(chain.folder / RAW_FOLDER)
    _turn_head(chain)
    chain.succeed("extract --part source_train")
    made, before = (open_features(one.folder / FILE) for one in (chain, finished))
    np.testing.assert_array_equal(made.pooled, before.pooled)
    head = load_head(chain.folder / MODEL_FOLDER)
    np.testing.assert_allclose(made.embedding, head.embed(made.pooled, np.zeros(len(made), np.int64), 64), atol=1e-6)
    assert not np.allclose(made.embedding, before.embedding)

    kind, settings, weights = read_model(chain.folder / MODEL_FOLDER)
    name = next(name for name in weights if name.startswith("backbone.") and name.endswith("conv1.weight"))
    write_model(chain.folder / MODEL_FOLDER, kind, settings, weights | {name: weights[name] * 1.01})
    chain.fails("extract --part source_train", "no such file", "prepare")


def test_the_cache_is_bounded(chain):
    chain.change(CACHED).succeed("extract --part source_train")
    assert list((chain.folder / "data/.cache").rglob("*.npy"))
    chain.change({"runtime.cache_gb": 0.0}).succeed("extract --part target_test")
    assert not list((chain.folder / "data/.cache").rglob("*.npy"))


def test_stages_refuse_features_of_another_model(chain):
    _turn_head(chain)
    for stage, part in (("cluster", "source_train"), ("adapt", "source_train"), ("evaluate", "target_test")):
        chain.fails(stage, f"{FEATURES_FOLDER}/{part}.h5: features of model ", "run `dvc repro extract`")
    shutil.rmtree(chain.folder / MODEL_FOLDER)
    chain.fails("weight", f"{MODEL_FOLDER}: no such model; run `dvc repro finetune`")


def test_stages_refuse_features_of_other_rows(chain):
    with h5py.File(chain.folder / FILE, "r+") as file:
        file.attrs["shown"] = "0" * 16
    for stage in ("cluster", "weight", "adapt"):
        chain.fails(stage, f"{FILE}: features of ", "others than the ", "of source_train in the manifest")


def test_extract_finds_what_a_frozen_backbone_was_trained_on(finished, chain):
    chain.change(CACHED | {"finetune.model.frozen": True})
    assert "no random views a picture" in chain.succeed("finetune")
    weights, before = (read_model(one.folder / MODEL_FOLDER).weights for one in (chain, finished))
    assert weights.keys() == before.keys()
    shutil.rmtree(chain.folder / RAW_FOLDER)
    chain.succeed("extract --part source_train")
    features = open_features(chain.folder / FILE)
    with torch.no_grad():
        made = load_head(chain.folder / MODEL_FOLDER).embed(features.pooled, np.zeros(len(features), np.int64), 64)
    np.testing.assert_allclose(made, features.embedding, atol=1e-6)
    chain.fails("extract --part target_test", "no such file")
