"""UDMA's released features: what is brought to the chain."""

import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from support.presets import preset_params
from support.released import (
    CONSUMER,
    DEEPFASHION,
    SHOP,
    STREET2SHOP,
    TARGET,
    copy_world,
    unit,
    write_small_tests,
)
from support.released import (
    RELEASED_WIDTH as WIDTH,
)

from pipeline.base.errors import UserError
from pipeline.base.names import Part
from pipeline.datasets._shared.categories import DEEPFASHION as SOURCE_CATEGORIES
from pipeline.datasets._shared.categories import STREET2SHOP as TARGET_CATEGORIES
from pipeline.datasets.udma_features.reader import describe
from pipeline.features.given import gives_features
from pipeline.features.store import open_features
from pipeline.models.folder import load_head, save_head, write_model
from pipeline.models.head import Head
from pipeline.table.manifest import part_rows

QUERY, GALLERY = (STREET2SHOP.format("{}", side=side) for side in ("Query", "Gallery"))


def _world(tmp_path: Path) -> Path:
    root = tmp_path / "world"
    copy_world(root)
    write_small_tests(root, 32)
    return root


def _stored(path: Path, name: str = "X_") -> np.ndarray:
    with h5py.File(path) as file:
        return file[name][()]


def test_world_is_brought_row_by_row(tmp_path, released_section, fetched):
    root = _world(tmp_path)
    out, table = fetched(root, "udma_features", **released_section)
    assert gives_features(out)
    for part, names in (
        (Part.SOURCE_TRAIN, (SHOP, CONSUMER)),
        (Part.TARGET_TRAIN, (TARGET,)),
        (Part.TARGET_TEST, (QUERY, GALLERY)),
    ):
        found, rows = open_features(out / f"features/{part}.h5"), part_rows(table, part)
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


def test_names_are_those_of_the_alignment(tmp_path):
    presets = [preset_params(name, tmp_path / name)[0] for name in ("udma", "udma_features")]
    alignment = presets[0]["alignment"]
    assert presets[1]["alignment"] == alignment
    assert set(alignment) <= set(TARGET_CATEGORIES)
    assert {name for listed in alignment.values() for name in listed} <= set(SOURCE_CATEGORIES)
    # The published groups, by number.
    numbers = {6: [20], 7: [1, 15], 8: [3, 21], 9: [10, 12], 10: [13, 14, 16, 17, 18, 19], 2: [8, 9, 11]}
    for target, listed in numbers.items():
        assert alignment[TARGET_CATEGORIES[target]] == [SOURCE_CATEGORIES[one] for one in listed]


@pytest.mark.parametrize(
    ("test", "counts"),
    [("street2shop", (0, 15)), ("deepfashion", (9, 0)), ("both", (9, 15))],
)
def test_only_the_test_files_asked_for_are_read(released, fetch_released, test, counts):
    for name, kept in ((DEEPFASHION, test != "street2shop"), (STREET2SHOP, test != "deepfashion")):
        if not kept:
            shutil.rmtree(released / name.split("/")[0])
    out, table = fetch_released(test=test)
    assert tuple(len(part_rows(table, part)) for part in (Part.SOURCE_TEST, Part.TARGET_TEST)) == counts
    source = table.iloc[part_rows(table, Part.SOURCE_TEST)]
    assert source["item"].tolist() == (["id_00000001", "id_00000002"] * 2 + ["id_00000002"] * 5)[: len(source)]
    assert (out / "features/source_test.h5").exists() == (counts[0] > 0)


def test_archives_are_unpacked_aside(released, fetch_released, tmp_path):
    expected = _digests(fetch_released()[0])
    shutil.rmtree(tmp_path / "work")
    with zipfile.ZipFile(tmp_path / "clusters.zip", "w") as archive:
        for path in (released / "ClusteringFeats").rglob("*.h5"):
            archive.write(path, path.relative_to(released / "ClusteringFeats"))
    shutil.rmtree(released / "ClusteringFeats")
    (tmp_path / "clusters.zip").rename(released / "clusters.zip")
    out, _ = fetch_released(archives=[{"file": "clusters.zip", "into": "ClusteringFeats"}])
    assert _digests(out) == expected
    assert [path.name for path in out.parent.iterdir()] == ["udma_features"]


def _digests(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# The head


def test_least_squares_head_reproduces_the_embeddings(fetch_released):
    out, _ = fetch_released()
    head = load_head(out / "model")
    weight, bias, norm_features = head.weight.detach(), head.bias.detach(), head.norm_features
    assert weight.shape == (WIDTH, WIDTH)
    assert norm_features is False
    facts = json.loads((out / "given.json").read_text())
    assert facts["head"]["from"] == "least_squares"
    assert facts["head"]["mean_cosine"] > 0.999, "X-1 is X turned round here"
    assert facts["pooled_of_unit_length"] is True
    train = open_features(out / "features/target_train.h5")
    made = unit(train.pooled @ weight.numpy().T + bias.numpy())
    assert (made * train.embedding).sum(axis=1).min() > 0.999
    assert "all rows of unit length" in describe(out)


def test_rows_that_are_not_normalised_are_told(released, fetch_released):
    for name in (SHOP, CONSUMER, TARGET, QUERY, GALLERY):
        with h5py.File(released / name.format("X-1"), "r+") as file:
            file["X_"][...] *= np.linspace(1, 2, len(file["X_"]), dtype=np.float32)[:, None]
    out, _ = fetch_released(norm_features=True)
    assert "not all rows of unit length" in describe(out)
    assert "norm_features true" in describe(out)
    assert not open_features(out / "features/target_train.h5").normalized_pooled
    assert load_head(out / "model").norm_features is True
    assert json.loads((out / "given.json").read_text())["head"]["mean_cosine"] > 0.999


def test_head_of_a_checkpoint(released, fetch_released):
    weight, bias = torch.eye(WIDTH).flip(1), torch.zeros(WIDTH)
    save_head(released / "model", Head.of(weight, bias, norm_features=True))
    out, _ = fetch_released(head="checkpoint")
    assert torch.equal(load_head(out / "model").weight, weight)
    assert load_head(out / "model").norm_features is True
    assert json.loads((out / "given.json").read_text())["head"]["mean_cosine"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((WIDTH, 8), r"model: its head makes embeddings of width 16 from 8, where the features have 16 from 16"),
        ((9, WIDTH), r"model: its head makes embeddings of width 9 from 16, where the features have 16 from 16"),
        (None, r"model: not a model of this project .*stages.convert.*datasets/udma_features/params.yaml:checkpoint"),
    ],
)
def test_head_that_does_not_fit(released, fetch_released, shape, says):
    if shape is not None:
        save_head(released / "model", Head.of(torch.ones(shape), torch.zeros(shape[0]), norm_features=False))
    with pytest.raises(UserError, match=says):
        fetch_released(head="checkpoint")


@pytest.mark.parametrize(
    ("weight", "bias", "says"),
    [
        (torch.full((WIDTH, WIDTH), torch.nan), torch.zeros(WIDTH), "its head is not finite"),
        (torch.eye(WIDTH), torch.zeros(WIDTH - 1), r"bias \(15,\) do not make a linear layer"),
        (torch.ones(WIDTH), torch.zeros(WIDTH), r"weight \(16,\) and bias"),
        (torch.eye(WIDTH).int(), torch.zeros(WIDTH), "instead of floating-point numbers"),
    ],
)
def test_head_that_is_none(released, fetch_released, weight, bias, says, tmp_path):
    write_model(released / "model", Head.kind, {"norm_features": False}, {"head.weight": weight, "head.bias": bias})
    with pytest.raises(UserError, match=rf"model: not a model of this project .*{says}"):
        fetch_released(head="checkpoint")
    assert list((tmp_path / "work/udma_features").iterdir()) == [], "said before gigabytes are copied"
