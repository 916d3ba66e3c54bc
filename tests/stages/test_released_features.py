"""The chain on UDMA's released features: published groups, links and figures come out, without a picture."""

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from support.chain import STAGES, Chain
from support.golden import golden
from support.presets import preset_params
from support.released import copy_world, write_deepfashion, write_small_tests, write_street2shop, write_training

from pipeline.base.names import CMC_RANKS, MAP_TRAPEZOIDAL, cmc_key
from pipeline.clustering.file import read_clusters
from pipeline.datasets._shared.categories import STREET2SHOP
from pipeline.features.given import features_file
from pipeline.features.store import open_features
from pipeline.models.folder import load_head

ROW = (MAP_TRAPEZOIDAL, *map(cmc_key, CMC_RANKS))
ATOL = 2e-6  # 1e-6 of the vectors, and reports have 6 decimals
SHOP_ROWS = 450  # of the world's source, which come first
RAW = Path("data/raw/udma_features")
PARAMS = "pipeline/datasets/udma_features/params.yaml"


def _chain(folder: Path, released: Path, **changes: object) -> Chain:
    # The set's folder has the set's name.
    incoming = folder.with_name(f"{folder.name}_incoming")
    incoming.mkdir(parents=True)
    (incoming / "udma_features").symlink_to(released, target_is_directory=True)
    data, _ = preset_params("udma_features", folder.with_name(f"{folder.name}_preset"))
    fixed = {f"data.{key}": value for key, value in data.items()}
    fixed |= {"data.source": str(incoming), "finetune.recipe": "given"}
    return Chain(folder, fixed | {"cluster.partition": 0, "adapt.steps": 5} | changes)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Chain:
    """The miniature world, run to its end; only to be looked at."""
    folder = tmp_path_factory.mktemp("world")
    copy_world(folder / "released")
    write_small_tests(folder / "released", 32)
    chain = _chain(folder / "chain", folder / "released")
    chain.succeed(*STAGES)
    return chain


@pytest.fixture
def copied(world, tmp_path) -> Chain:
    return world.copy(tmp_path / "chain")


def _json(chain: Chain, name: str) -> dict:
    return json.loads((chain.folder / "metrics" / f"{name}.json").read_text())


def test_groups_and_partitions_are_those_of_udma(world):
    case = golden("weighting_p0")
    groups = {group.name: group for group in read_clusters(world.folder / "data/clusters.h5")}
    assert len(groups) == 11
    for name, group in groups.items():
        number = STREET2SHOP.index(name) + 100
        prefix = "fw" if group.aligned else "w"
        rows = np.append(group.source, group.target + SHOP_ROWS)  # the shop file is first in both index spaces
        np.testing.assert_array_equal(rows, case[f"{prefix}_idx_{number}"])
        np.testing.assert_array_equal(group.labels, case[f"{prefix}_c_{number}"])


def test_links_are_those_of_udma(world):
    index, _, pid, similarity = golden("weighting_p0")["ws5_list"].T
    links = pd.read_parquet(world.folder / "data/links.parquet")
    first = open_features(world.folder / "data/features/target_train.h5").row[0]
    np.testing.assert_array_equal(links["row"] - first + SHOP_ROWS, index)
    np.testing.assert_array_equal(links["item"].astype(int), pid)
    np.testing.assert_allclose(links["similarity"], similarity, rtol=0, atol=1e-6)


def test_nothing_is_trained_and_the_given_head_is_taken_over(world):
    report = _json(world, "finetune")
    assert report["trained"] is False
    assert report["head"]["from"] == "least_squares"
    head, brought = (load_head(world.folder / path) for path in ("data/models/backbone", RAW / "model"))
    assert (head.weight == brought.weight).all()
    with open(world.folder / "metrics/curves/finetune/curves.csv", newline="") as file:
        assert list(csv.reader(file)) == [["epoch", "loss", "val_recall@1"]]
    assert (world.folder / "metrics/curves/finetune/curves.png").is_file()
    prepared = _json(world, "prepare")
    assert (prepared["pictures"], prepared["rows_with_features"]) == (0, 450 + 489 + 320 + 15)
    assert prepared["parts"]["target"]["query"]["items"] == 3


def test_features_come_through_unchanged(world):
    for part in ("source_train", "target_train", "target_test"):
        made, brought = (
            open_features(world.folder / path) for path in (f"data/features/{part}.h5", features_file(RAW, part))
        )
        np.testing.assert_array_equal(made.pooled, brought.pooled)
        np.testing.assert_array_equal(made.embedding, brought.embedding)
        np.testing.assert_array_equal(made.row, brought.row)
    empty = open_features(world.folder / "data/features/source_test.h5")
    assert (empty.pooled.shape, empty.embedding.shape) == ((0, 32), (0, 32))


def test_each_stage_says_what_is_brought(copied):
    said = {stage: copied.succeed(stage) for stage in STAGES}
    assert "all rows of unit length" in said["download"]
    assert "mean cosine 0.9" in said["download"]
    assert "no pictures to check" in said["prepare"]
    assert said["finetune"].splitlines() == ["finetune: nothing is trained: given gives the model as it is"]
    assert "the dataset has no rows for source_test" in said["extract"]
    assert "no sheets of results: udma_features has no pictures" in said["evaluate"]
    assert list((copied.folder / "metrics/plots/gallery").iterdir()) == []


def test_again_gives_the_same_bytes(world, copied):
    copied.succeed(*STAGES)
    assert copied.digests() == world.digests()


def test_pooled_features_can_be_normalised_on_the_way(copied):
    path = copied.folder / features_file(RAW, "target_train")
    with h5py.File(path, "r+") as file:
        file["pooled"][...] *= 3
        file.attrs["normalized_pooled"] = False
        del file["length"]
    copied.change({"extract.normalize_pooled": True}).succeed("extract --part target_train")
    made = open_features(copied.folder / "data/features/target_train.h5")
    assert made.normalized_pooled
    with h5py.File(made.path) as file:
        np.testing.assert_allclose(np.linalg.norm(file["pooled"][()], axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(made.pooled, open_features(path).pooled, rtol=1e-6)
    assert np.linalg.norm(made.pooled, axis=1).min() > 2.9, "heads take them at their own length"


def _set(path: Path, name: str, index: object, value: float) -> None:
    with h5py.File(path, "r+") as file:
        file[name][index] = value


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: _set(path, "embedding", (3, 1), np.nan), "'embedding' of manifest row 942 is not finite"),
        (lambda path: _set(path, "row", 5, 7), "features of 320 rows, others than the 320 of the manifest"),
        (lambda path: path.write_bytes(path.read_bytes()[:9000]), "truncated or not HDF5"),
        (Path.unlink, "no such file"),
    ],
)
def test_brought_features_are_checked(copied, spoil, says):
    spoil(copied.folder / features_file(RAW, "target_train"))
    copied.fails(
        "extract --part target_train", f"{features_file(RAW, 'target_train')}: ", says, "dvc repro -f download"
    )


def test_features_that_do_not_fit_the_head(copied, tmp_path):
    other = tmp_path / "released"
    write_training(other, 16)
    write_small_tests(other, 16)
    small = _chain(tmp_path / "small", other)
    small.change({"data.alignment": {}}).succeed("download", "prepare", "finetune")
    copied.succeed("extract")
    (copied.folder / "data/models/backbone").rename(tmp_path / "aside")
    (small.folder / "data/models/backbone").rename(copied.folder / "data/models/backbone")
    says = "embeddings of width 32 from pooled features of width 32, where the head makes 16 from 16"
    copied.fails("extract --part target_train", says)


@pytest.mark.parametrize(
    ("stage", "path", "mend"),
    [
        ("finetune", RAW / "given.json", "run `dvc repro -f download`"),
        ("prepare", RAW.with_suffix(".parquet"), "run `dvc repro -f download@udma_features`"),
        ("prepare", RAW.with_suffix(".attributes.parquet"), "run `dvc repro -f download@udma_features`"),
    ],
)
def test_damaged_raw_folder(copied, stage, path, mend):
    (copied.folder / path).write_bytes(b"{")
    copied.fails(stage, f"{path}: ", mend)


def test_recipes_of_pictures_say_which_one_to_set(copied):
    for recipe in ("triplet", "category_triplet", "dada"):
        says = f"finetune.recipe: {recipe} takes pictures, and udma_features gives features; set finetune.recipe: given"
        copied.change({"finetune.recipe": recipe}).fails("finetune", says)


def test_given_needs_a_dataset_that_gives_features(tmp_path):
    chain = Chain(tmp_path / "pictures", {"finetune.recipe": "given"})
    chain.succeed("download", "prepare")
    chain.fails("finetune", "finetune.recipe: given takes features, and atelier gives pictures; set finetune.recipe: ")


# Figures


@pytest.fixture(scope="module")
def tested(tmp_path_factory) -> Chain:
    """The rows of the evaluation vectors as released test files of both sets, behind small training files."""
    folder = tmp_path_factory.mktemp("tested")
    root = folder / "released"
    write_training(root, 16)
    street, fashion = golden("eval_s2s_float"), golden("eval_df_unequal_ids")
    for side, key in (("Query", "query"), ("Gallery", "gallery")):
        write_street2shop(root, side, *(street[f"{key}_{column}"] for column in ("feats", "class", "product")))
        write_deepfashion(root, side, fashion[f"{key}_feats"], fashion[f"{key}_id"])
    chain = _chain(folder / "chain", root, **{f"{PARAMS}:test": "both"})
    alignment = chain.params["data"]["alignment"]
    chain.change({"data.alignment": {"leggings": ["TROUSERS/Leggings"]}})
    chain.succeed(*STAGES[:-1])
    return chain.change({"data.alignment": alignment, "evaluate.precision": "float64"})


def _figures(figures: dict) -> list[float]:
    return [figures[key] for key in ROW]


def test_street2shop_figures_are_those_of_the_published_script(tested):
    case = golden("eval_s2s_float")
    tested.change({"evaluate.meta_domain": "target", "evaluate.protocol": "street2shop"}).succeed("evaluate")
    report, categories = _json(tested, "evaluate"), _json(tested, "categories")["baseline"]
    np.testing.assert_allclose(_figures(report["baseline"]["all"]), case["all_mean"], rtol=0, atol=ATOL)
    np.testing.assert_allclose(_figures(report["baseline"]["aligned"]), case["selected_mean"], rtol=0, atol=ATOL)
    per_category = [_figures(categories[name]) for name in STREET2SHOP]
    np.testing.assert_allclose(per_category, case["per_category"], rtol=0, atol=ATOL)
    assert (report["queries"], report["dropped"]) == (115, 2)


def test_deepfashion_figures_are_those_of_matching_ids(tested):
    expected = golden("eval_df_unequal_ids")["string_match_mAP_cmc"]
    tested.change({"evaluate.meta_domain": "source", "evaluate.protocol": "deepfashion"})
    said = tested.succeed("evaluate")
    report = _json(tested, "evaluate")
    np.testing.assert_allclose(_figures(report["baseline"]["all"]), expected, rtol=0, atol=ATOL)
    assert set(report["baseline"]) == {"all"}, "no source category is aligned"
    assert set(_json(tested, "gains")["udma - udma_control"]) == {"all"}
    assert set(_json(tested, "categories")["baseline"]) == {"all"}
    assert "aligned" not in said


def test_missing_test_part(tested, tmp_path):
    chain = tested.copy(tmp_path / "chain", {f"{PARAMS}:test": "deepfashion"})
    chain.change({"evaluate.meta_domain": "target", "evaluate.protocol": "street2shop", "data.alignment": {}})
    chain.succeed("download", "prepare", "extract", "draw")
    chain.fails("evaluate", "data/manifest.parquet: no rows for target_test", "evaluate.meta_domain")


def test_unknown_protocol_lists_the_known_ones(tested, tmp_path):
    chain = tested.copy(tmp_path / "chain", {"evaluate.protocol": "streetshop"})
    for stage in ("evaluate", "check"):
        chain.fails(stage, "evaluate.protocol: unknown name 'streetshop'; known: auto, street2shop, deepfashion")
    chain.change({"evaluate.protocol": "street2shop", "evaluate.meta_domain": "both"})
    for stage in ("evaluate", "check"):
        chain.fails(stage, "evaluate.meta_domain: 'auto', 'target' or 'source', found 'both'")
