"""The cache of pooled rows: the bytes that computing gives, for this network and these pictures only, and bounded."""

import copy
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from support.attribute_networks import PATCH, attribute_network
from support.project import PROJECT

from pipeline.base.code import import_closure
from pipeline.features import cache
from pipeline.features.cache import PooledCache, maker_key, prune
from pipeline.features.extract import extract_chunks
from pipeline.images.loading import Pictures
from pipeline.images.transforms import PictureInput, inference_transform
from pipeline.models.embedder import build_embedder
from pipeline.params.finetune import ModelParams

CPU = torch.device("cpu")
PARAMS = ModelParams(
    backbone="timm/resnet10t",
    pooling="gem",
    gem_p=3.0,
    norm_features=False,
    embedding_dim=8,
    image_size=32,
    crop_from="whole",
)


class Watched(Pictures):
    """Counts the pictures that are read."""

    read = 0

    def __getitem__(self, index):
        self.read += 1
        return super().__getitem__(index)


@pytest.fixture(scope="module")
def embedder():
    torch.manual_seed(0)
    return build_embedder(PARAMS).eval()


@pytest.fixture
def world(tmp_path):
    """Eleven pictures of noise and their table."""
    rng = np.random.default_rng(0)
    names = [f"{number}.png" for number in range(11)]
    for name in names:
        Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(tmp_path / name)
    table = pd.DataFrame({"image": names, "digest": [name.zfill(32) for name in names]})
    return tmp_path, table.assign(**dict.fromkeys(("x", "y", "w", "h"), np.nan))


def _extract(embedder, world, folder, *, batch_size=3, chunk_rows=6, **changes):
    """Pooled rows and embeddings, and how many pictures were read."""
    raw, table = world
    wanted = embedder.input._replace(**changes)
    transform, side = inference_transform(wanted), wanted.decoded_side
    pictures = Watched(table, raw, transform, side)
    maker = maker_key(embedder, transform, side, device=CPU, batch_size=batch_size)
    settings = {"device": CPU, "chunk_rows": chunk_rows, "batch_size": batch_size, "workers": 0}
    chunks = extract_chunks(embedder, pictures, PooledCache(folder, maker, table), **settings)
    return [np.concatenate(arrays).tobytes() for arrays in zip(*chunks, strict=True)], pictures.read


@pytest.mark.parametrize("batches", [(3, 6), (1, 1), (4, 11), (11, 11)])
def test_cached_rows_are_the_bytes_that_computing_gives(embedder, world, tmp_path, batches):
    shared = tmp_path / "shared"
    for batch_size, chunk_rows in ((3, 6), (1, 1), (4, 11), (11, 11)):  # rows of other batches lie there too
        _extract(embedder, world, shared, batch_size=batch_size, chunk_rows=chunk_rows)
    settings = dict(zip(("batch_size", "chunk_rows"), batches, strict=True))
    fresh, read = _extract(embedder, world, tmp_path / "fresh", **settings)
    assert read == 11
    assert _extract(embedder, world, shared, **settings) == (fresh, 0)


def test_another_head_reads_no_picture(embedder, world, tmp_path):
    (pooled, embedding), _ = _extract(embedder, world, tmp_path / "cache")
    before = {name: value.clone() for name, value in embedder.head.state_dict().items()}
    try:
        with torch.no_grad():
            embedder.head.weight.mul_(torch.rand_like(embedder.head.weight))
        (again, other), read = _extract(embedder, world, tmp_path / "cache")
        assert (again, read) == (pooled, 0)
        assert other != embedding
        assert _extract(embedder, world, tmp_path / "none")[0] == [again, other]
    finally:
        embedder.head.load_state_dict(before)


@pytest.mark.parametrize("part", ["backbone", "pooling", "running statistics"])
def test_rows_of_another_network_are_never_hit(world, tmp_path, part):
    torch.manual_seed(0)
    embedder = build_embedder(PARAMS).eval()
    _extract(embedder, world, tmp_path / "cache")
    with torch.no_grad():
        if part == "running statistics":
            next(embedder.backbone.buffers()).add_(1e-3)
        else:
            next(getattr(embedder, part).parameters()).mul_(1.001)
    rows, read = _extract(embedder, world, tmp_path / "cache")
    assert read == 11
    assert rows == _extract(embedder, world, tmp_path / "none")[0]


def test_rows_of_other_code_of_the_network_are_never_hit(embedder):
    def key(module):
        moved = copy.copy(embedder)
        moved.__class__ = type("Moved", (type(embedder),), {"__module__": module})
        return maker_key(moved, torch.nn.Identity(), 32, device=CPU, batch_size=1)

    plain = maker_key(embedder, torch.nn.Identity(), 32, device=CPU, batch_size=1)
    assert key(type(embedder).__module__) == plain
    assert key("pipeline.models.attributes.network") != plain
    assert key("support.conditioned") == key("nowhere.at.all"), "what is not of the project has no part"


def test_the_code_of_every_branch_is_in_the_key(monkeypatch):
    asked = []
    monkeypatch.setattr(cache, "code_digest", lambda modules: asked.extend(modules) or "")
    maker_key(attribute_network(patch=PATCH), torch.nn.Identity(), 32, device=CPU, batch_size=1)
    assert {f"pipeline.models.attributes.{name}" for name in ("crop", "attention", "patch")} <= import_closure(asked)


@pytest.mark.parametrize("change", [{"size": 48}, {"crop_from": 40}])
def test_rows_of_another_transform_are_never_hit(embedder, world, tmp_path, change):
    _extract(embedder, world, tmp_path / "cache")
    assert _extract(embedder, world, tmp_path / "cache", **change)[1] == 11


def test_transforms_print_all_that_they_are_made_of():
    size = repr(inference_transform(PictureInput(32, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))))
    crop = repr(inference_transform(PictureInput(32, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), crop_from=36)))
    for value in ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "32", "BILINEAR", "antialias=True"):
        assert value in size
    assert "36" in crop


def test_an_edited_picture_or_box_is_computed_with_its_chunk(embedder, world, tmp_path):
    raw, table = world
    for column, value in (("digest", "new"), ("w", 20.0)):
        _extract(embedder, world, tmp_path / "cache")
        edited = table.copy()
        edited.loc[7, column] = value
        if column == "w":
            edited.loc[7, ["x", "y", "h"]] = [1.0, 2.0, 20.0]
        rows, read = _extract(embedder, (raw, edited), tmp_path / "cache")
        assert read == 5, "pictures 6 to 10, which are chunk 2"
        assert rows == _extract(embedder, (raw, edited), tmp_path / "none")[0]


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(path.read_bytes()[:150]), lambda path: path.unlink()])
def test_rows_that_are_damaged_or_gone_are_computed(embedder, world, tmp_path, damage):
    rows, _ = _extract(embedder, world, tmp_path / "cache")
    damage(min((tmp_path / "cache").rglob("*.npy")))
    again, read = _extract(embedder, world, tmp_path / "cache")
    assert again == rows
    assert read in (5, 6)


def test_rows_removed_while_they_are_wanted_are_computed(embedder, world, tmp_path, monkeypatch):
    rows, _ = _extract(embedder, world, tmp_path / "cache")
    prune(tmp_path / "cache", 0)
    monkeypatch.setattr(PooledCache, "has", lambda *_: True)
    assert _extract(embedder, world, tmp_path / "cache") == (rows, 11)


def test_what_was_not_used_for_longest_goes_first(embedder, world, tmp_path):
    cache = tmp_path / "cache"
    _extract(embedder, world, cache)
    old = set(cache.rglob("*.npy"))
    torch.manual_seed(1)
    _extract(build_embedder(PARAMS).eval(), world, cache)
    new = set(cache.rglob("*.npy")) - old
    for file in new:
        os.utime(file, (1, 1))
    _extract(embedder, world, cache)  # used again, hence the newer ones
    unfinished = [next(iter(old)).with_name(name) for name in (".a.npy.1.part", ".b.npy.2.part")]
    for path in unfinished:
        path.write_bytes(b"half")
    os.utime(unfinished[0], (1, 1))
    prune(cache, sum(file.stat().st_size for file in old))
    assert set(cache.rglob("*.npy")) == old
    assert [path.exists() for path in unfinished] == [False, True], "another process may be at work on the second"
    assert len(list(cache.iterdir())) == 1, "no empty folders"
    prune(cache, 0)
    assert not list(cache.rglob("*.npy"))
    prune(tmp_path / "nowhere", 0)


WRITER = """
import sys, numpy as np, pandas as pd
from pathlib import Path
from pipeline.features.cache import PooledCache
table = pd.DataFrame({"digest": [str(i) for i in range(40)]}).assign(x=0.0, y=0.0, w=1.0, h=1.0)
cache = PooledCache(Path(sys.argv[1]), "maker", table)
for turn in range(30):
    for start in range(0, 40, 4):
        chunk = np.arange(start, start + 4)
        rows = np.repeat(chunk[:, None], 5000, axis=1).astype(np.float32)
        cache.write(chunk, rows)
        found = cache.read(chunk)
        assert found is not None and (found == rows).all(), "half a file"
"""


def test_two_processes_may_write_the_same_rows(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        assert process.communicate()[1] == ""
        assert process.returncode == 0
    assert len(list(tmp_path.rglob("*"))) == 11, "ten chunks in a folder, and nothing unfinished"
