"""The chain as a whole: what comes out, that it comes out the same again, and what it must not look at."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML
from support.chain import STAGES, Chain
from support.project import PROJECT

from pipeline.base.names import CMC_RANKS, ITEM, MANIFEST_FILE, META_DOMAIN, SPLIT, ModelName, Part, cmc_key

CONTRACT = [
    "data/raw/atelier/manifest.csv",
    "data/raw/atelier.parquet",
    "data/raw/atelier.attributes.parquet",
    "data/manifest.parquet",
    "data/attributes.parquet",
    "data/models/backbone/model.safetensors",
    "data/models/backbone/model.json",
    "data/features/source_train.h5",
    "data/features/source_test.h5",
    "data/features/target_train.h5",
    "data/features/target_test.h5",
    "data/clusters.h5",
    "data/links.parquet",
    *(f"data/views/{part}.h5" for part in Part),
    *(f"data/models/adapter/{name}/model.safetensors" for name in ModelName if name != "baseline"),
    "metrics/prepare.json",
    "metrics/finetune.json",
    "metrics/cluster.json",
    "metrics/weight.json",
    "metrics/adapt.json",
    "metrics/curves/adapt/tried.png",
    "metrics/evaluate.json",
    "metrics/headline.json",
]
MODELS = tuple(ModelName)


def _json(chain: Chain, name: str) -> dict:
    return json.loads((chain.folder / "metrics" / f"{name}.json").read_text())


def _models(chain: Chain) -> dict[str, str]:
    return chain.digests("data/models")


def test_every_output_is_there_and_no_work_in_progress(finished):
    made = finished.digests()
    assert set(CONTRACT) <= set(made)
    assert not [path for path in made if ".part" in path]
    assert all((finished.folder / path).stat().st_size for path in made)


def test_dvc_yaml_declares_what_the_stages_write(finished):
    content = YAML(typ="safe").load((PROJECT / "dvc.yaml").read_text())
    declared = []
    for name, stage in content["stages"].items():
        if name == "check":  # no part of the chain that these tests run
            continue
        for out in [*stage["outs"], *stage.get("metrics", [])]:
            path = out if isinstance(out, str) else next(iter(out))
            parts = stage.get("matrix", {}).get("part", [""])
            declared += [path.replace("${item.set}", "atelier").replace("${item.part}", part) for part in parts]
    plots = [entry if isinstance(entry, str) else next(iter(entry)) for entry in content["plots"]]
    missing = [path for path in [*declared, *plots] if not (finished.folder / path).exists()]
    assert missing == []
    below = tuple(f"{path}/" for path in declared)
    stray = [path for path in finished.digests() if path not in declared and not path.startswith(below)]
    assert stray == []


def test_all_models_side_by_side(finished):
    report = _json(finished, "evaluate")
    assert report["queries"] > 0
    for model in MODELS:
        for which in ("all", "aligned"):
            figures = report[model][which]
            assert {"map", "map_trapezoidal", *(cmc_key(k) for k in CMC_RANKS)} <= set(figures)
            assert all(0 <= value <= 1 for value in figures.values())
    assert list(_json(finished, "categories")) == list(MODELS)
    table = (finished.folder / "metrics/evaluate.md").read_text()
    assert all(f"| {model} " in table for model in MODELS)


def test_links_are_reported(finished):
    links = pd.read_parquet(finished.folder / "data/links.parquet")
    report = _json(finished, "weight")
    assert len(links) > 0
    assert report["all"]["linked"] == len(links)
    assert sum(group["linked"] for group in report["groups"].values()) == len(links)
    assert _json(finished, "adapt")["udma"]["supported"] == report["all"]["items"]


def test_pictures_are_named_after_queries(finished):
    table = pd.read_parquet(finished.folder / MANIFEST_FILE)
    sheets = sorted((finished.folder / "metrics/plots/gallery").iterdir())
    assert sheets
    for sheet in sheets:
        what, _, row = sheet.stem.partition("_")
        assert what in ("query", "right", "wrong")
        assert sheet.name == f"{what}_{(row := int(row)):06d}.png"
        assert table[SPLIT][row] == "query"
        with Image.open(sheet) as picture:
            picture.verify()


def test_everything_again_elsewhere_gives_the_same_bytes(finished, tmp_path):
    again = Chain(tmp_path / "another place")
    again.succeed(*STAGES)
    assert again.digests() == finished.digests()


def test_another_seed_gives_other_results(chain):
    before = _models(chain)
    chain.change({"seed": 2}).succeed("finetune")
    assert _models(chain)["data/models/backbone/model.safetensors"] != before["data/models/backbone/model.safetensors"]


def test_runtime_changes_no_byte(chain):
    before = chain.digests()
    runtime = {"workers": 2, "chunk_rows": 64, "log_steps": 1, "block_rows": 7, "checkpoint_seconds": 1000.0}
    chain.change({f"runtime.{name}": value for name, value in runtime.items()})
    chain.succeed("prepare", "finetune", "extract", "draw", "cluster", "weight", "adapt", "evaluate")
    assert chain.digests() == before


def test_level_l1_makes_the_control(chain):
    heads = {name: Path("data/models/adapter") / name / "model.safetensors" for name in ("udma_control", "udma")}
    control, udma = ((chain.folder / head).read_bytes() for head in heads.values())
    assert control != udma, "links must matter"
    chain.change({"weight.level": "L1"}).succeed("weight", "adapt")
    assert (chain.folder / heads["udma_control"]).read_bytes() == control
    assert (chain.folder / heads["udma"]).read_bytes() == control


@pytest.mark.parametrize("splits", [["train"], ["query", "gallery"]], ids=["target train", "target test"])
def test_target_items_do_not_reach_a_model(chain, splits):
    path = chain.folder / MANIFEST_FILE
    table = pd.read_parquet(path)
    hidden = (table[META_DOMAIN] == "target") & table[SPLIT].isin(splits)
    items = table.loc[hidden, ITEM].to_numpy()
    table.loc[hidden, ITEM] = np.random.default_rng(0).permutation(items)
    assert (table.loc[hidden, ITEM] != items).any()
    table.to_parquet(path, index=False)

    before = chain.digests()
    chain.succeed("finetune", "extract", "draw", "cluster", "weight", "adapt")
    changed = {path for path, digest in chain.digests().items() if before[path] != digest}
    assert changed <= {"metrics/weight.json"}, "the diagnosis may look at target/train"
