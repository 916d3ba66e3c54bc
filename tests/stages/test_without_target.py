"""A set without a target, whose test pictures search one another, through the stages and under DVC."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.chain import Chain
from support.repository import EVERYTHING, Repo, ran

from pipeline.base.names import FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, SPLIT, ModelName
from pipeline.features.store import open_features

PICTURES = [f"{number:03d}.Bird/{name}.png" for number in range(1, 7) for name in "abc"]
ABSENT = PICTURES[4]


@pytest.fixture
def birds(tmp_path) -> Chain:
    """CUB-200-2011 in miniature, one of its pictures missing."""
    root = tmp_path / "birds/cub200/CUB_200_2011"
    for index, name in enumerate(PICTURES):
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 20), (14 * index, 90, 255 - 14 * index)).save(path)
    (root / "images" / ABSENT).unlink()
    (root / "images.txt").write_text("".join(f"{index} {name}\n" for index, name in enumerate(PICTURES)))
    labels = "".join(f"{index} {int(name[:3])}\n" for index, name in enumerate(PICTURES))
    (root / "image_class_labels.txt").write_text(labels)
    changes = {"data.sets": ["cub200"], "data.source": str(tmp_path / "birds"), "evaluate.sheets": 1}
    return Chain(tmp_path / "chain", changes | {"prepare.max_unreadable": 0.1})


def test_absent_pictures_are_counted_and_listed(birds):
    birds.succeed("download", "prepare")
    report = json.loads((birds.folder / "metrics/prepare.json").read_text())
    assert report["unreadable"]["pictures"] == 1
    assert [one["image"] for one in report["unreadable"]["first"]] == [f"CUB_200_2011/images/{ABSENT}"]
    assert report["parts"] == {
        "source": {
            "train": {"consumer": 0, "shop": 8, "items": 3},
            "test": {"consumer": 0, "shop": 9, "items": 3},
        }
    }
    birds.change({"prepare.max_unreadable": 0.05})
    birds.fails("prepare", "1 of 18 pictures cannot be used", f"images/{ABSENT}: no such file")


def test_chain_without_target(birds):
    birds.change({"finetune.recipe": "dada", "recipes.dada.batch_size": 2, "finetune.val_share": 0.34})
    birds.succeed("download", "prepare")
    assert "val_recall@1" in birds.succeed("finetune"), "held-out birds search one another"
    birds.succeed("extract")
    assert birds.succeed("draw").count("no views of ") == 4, "nothing could be chosen by them"
    for stage in ("cluster", "weight"):
        assert "nothing to" in birds.succeed(stage)
    said = birds.succeed("adapt")
    assert "0 items of the source have pictures of both domains" in said
    assert "so there is no model control or linked or viewed" in said
    assert "no target pictures to train on, so there is no model udma_control or udma" in said
    said = birds.succeed("evaluate")
    assert "protocol dml on source_test" in said
    assert "9 queries, 0 dropped" in said
    found = json.loads((birds.folder / "metrics/evaluate.json").read_text())
    assert not set(ModelName) - {"baseline"} & set(found)
    figures = found["baseline"]["all"]
    assert {"recall@1", "map@r", "r_precision", "nmi", "f1", "recall@1_published"} <= set(figures)
    assert figures["recall@1"] == pytest.approx(by_hand(birds), abs=1e-6)
    assert len(list((birds.folder / "metrics/plots/gallery").iterdir())) == 1


def by_hand(birds: Chain) -> float:
    """Share of test pictures whose nearest other one is of their item."""
    table = pd.read_parquet(birds.folder / MANIFEST_FILE)
    features = open_features(birds.folder / FEATURES_FOLDER / "source_test.h5")
    assert features.row.tolist() == np.flatnonzero(table[SPLIT] == "test").tolist()
    similar = features.embedding @ features.embedding.T
    np.fill_diagonal(similar, -2)
    items = table["item"].to_numpy()[features.row]
    return float((items[similar.argmax(axis=1)] == items).mean())


@pytest.mark.parametrize("protocol", ["street2shop", "deepfashion", "inshop"])
def test_other_protocols_search_it_by_itself_too(birds, finished: Chain, protocol):
    birds.succeed("download", "prepare")
    shutil.copytree(finished.folder / MODEL_FOLDER, birds.folder / MODEL_FOLDER)
    birds.change({"evaluate.protocol": protocol})
    birds.succeed("extract", "draw", "cluster", "weight", "adapt", "evaluate")
    found = json.loads((birds.folder / "metrics/evaluate.json").read_text())
    assert found["queries"] == 9
    assert 0 < found["baseline"]["all"]["map"] <= 1


def test_target_to_evaluate_but_none_to_adapt_to(chain):
    table = pd.read_parquet(chain.folder / MANIFEST_FILE)
    unlabelled = (table["meta_domain"] == "target") & (table[SPLIT] == "train")
    table[~unlabelled].to_parquet(chain.folder / MANIFEST_FILE)
    before = json.loads((chain.folder / "metrics/evaluate.json").read_text())
    chain.succeed("extract", "draw", "cluster", "weight", "adapt", "evaluate")
    after = json.loads((chain.folder / "metrics/evaluate.json").read_text())
    assert after["baseline"] == before["baseline"]
    assert set(ModelName) & set(after) == {"baseline", "control", "viewed"}, "these need no target pictures"
    assert [after[name] for name in ("control", "viewed")] == [before[name] for name in ("control", "viewed")]


def test_a_recipe_and_a_dataset_are_all_that_is_typed(finished, birds):
    small = {"batch_size": 2, "networks.domain_hidden": 8, "networks.class_hidden": [8, 8]}
    params = {f"recipes.dada.{key}": value for key, value in small.items()}
    repo = Repo(finished.copy(birds.folder.with_name("repo"), params | {"prepare.max_unreadable": 0.1}))
    source = birds.params["data"]["source"]
    typed = ["finetune.recipe=dada", "data.sets=[cub200]", f"data.source={source}"]
    options = [option for one in typed for option in ("--set-param", one)]
    said = repo.dvc("exp", "run", "--name", "birds", *options)
    assert ran(said) == EVERYTHING - {"download@atelier"} | {"download@cub200"}
    assert said.count("nothing to") == 2
    assert "too few to measure on in" in said
    found = json.loads((repo.folder / "metrics/evaluate.json").read_text())
    assert found["queries"] == 9
    assert "map@r" in found["baseline"]["all"]


def test_pictures_that_have_nothing_but_a_category(tmp_path):
    root = tmp_path / "clothes/deepfashion_attributes"
    lines = [(f"Some_{n}/{k}.png", n, ("train", "test")[k % 2]) for n in (1, 2) for k in range(8)]
    lists = {
        "Anno/list_category_cloth.txt": ["category_name category_type", "Tee 1", "Jeans 2"],
        "Anno/list_category_img.txt": ["image_name category_label", *(f"img/{name} {n}" for name, n, _ in lines)],
        "Eval/list_eval_partition.txt": [
            "image_name evaluation_status",
            *(f"img/{one} {part}" for one, _, part in lines),
        ],
    }
    for name, rows in lists.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("\n".join([str(len(rows) - 1), *rows]) + "\n")
    for name, n, _ in lines:
        (root / "img" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 20), (100 * n, 90, 255 - 100 * n)).save(root / "img" / name)
    data = {"data.sets": ["deepfashion_attributes"], "data.source": str(root.parent), "evaluate.sheets": 1}
    recipe = {
        "finetune.recipe": "category_triplet",
        "recipes.category_triplet.batch_size": 4,
        "finetune.val_share": 0.0,
    }
    chain = Chain(tmp_path / "chain", data | recipe | {"finetune.keep": "last"})
    chain.succeed("download", "prepare", "finetune", "extract", "draw", "cluster", "weight", "adapt")
    assert "8 queries, 0 dropped" in chain.succeed("evaluate")
    figures = json.loads((chain.folder / "metrics/evaluate.json").read_text())
    assert figures["baseline"]["all"]["recall@1"] == 1, "a picture finds those of its category"
