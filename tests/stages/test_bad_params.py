"""Mistakes in params.yaml, through the commands: one line that names the param, exit code 2, nothing half-written."""

import subprocess
import sys

import pytest
import torch
from support.chain import STAGES
from support.project import PROJECT

ATELIER = "pipeline/datasets/atelier/params.yaml"
DADA = {"finetune.recipe": "dada", "recipes.dada.batch_size": 16}
CATEGORIES = {"finetune.recipe": "category_triplet"}
MARGINS = {"finetune.recipe": "margin_softmax"}
HISTOGRAM = {"recipes.triplet.loss.name": "HistogramLoss"}


@pytest.mark.parametrize("stage", ["check", "of its own"])
@pytest.mark.parametrize(
    ("own", "changes", "says"),
    [
        ("adapt", {"adapt.step": 5}, ["adapt.step: unknown key; did you mean 'steps'?"]),
        ("finetune", {"finetune.model.dim": 5}, ["finetune.model.dim: unknown key"]),
        ("adapt", {"adapt.steps": "many"}, ["adapt.steps", "integer", "'many'"]),
        ("finetune", {"finetune.keep": "first"}, ["finetune.keep", "'best' or 'last'"]),
        ("finetune", {"finetune.val_share": 1.5}, ["finetune.val_share", "less than 1", "1.5"]),
        ("weight", {"weight.level": "L9"}, ["weight.level", "'L1', 'L12' or 'L123'"]),
        ("cluster", {"runtime.device": "tpu"}, ["runtime.device", "'cuda'"]),
        ("evaluate", {"seed": -1}, ["seed: expected a whole number", "-1"]),
        ("cluster", {"cluster": None}, ["cluster: expected a section with keys metric"]),
        ("download", {"data.sets": ["atelie"]}, ["data.sets: unknown name 'atelie'; known: atelier, cars196"]),
        ("download", {"data.sets": ["atelier", "atelier"]}, ["data.sets: should differ from one another"]),
        ("download", {"data.sets": "atelier"}, ["data.sets: ", "'atelier'"]),
        ("download", {"data.sets": []}, ["data.sets: ", "at least 1 item"]),
        ("download", {f"{ATELIER}:image_sise": 40}, [f"{ATELIER}:image_sise: unknown key; did you mean 'image_size'?"]),
        ("download", {f"{ATELIER}:image_size": 4}, [f"{ATELIER}:image_size: greater than or equal to 32, found 4"]),
        ("finetune", {"finetune.recipe": "magic"}, ["finetune.recipe: unknown name 'magic'; known:", "triplet"]),
        ("finetune", {"finetune.recipe": "tripplet"}, ["finetune.recipe: unknown name", "did you mean 'triplet'?"]),
        ("download", {"data.sets": ["tables"]}, ["data.sets: unknown name 'tables'", "did you mean 'table'?"]),
        ("finetune", {"finetune.model.backbone": "timm/resnet11t"}, ["backbone: unknown backbone", "timm/resnet10t"]),
        ("finetune", {"finetune.model.weights": "mine/resnet.pth"}, ["mine/resnet.pth"]),
        ("finetune", {"finetune.model.weights": "in2k"}, ["model.weights: timm/resnet10t has no published", "'in2k'"]),
        ("finetune", {"finetune.model.pooling": "token"}, ["finetune.model.pooling: token needs a class token"]),
        ("finetune", {"finetune.model.image_size": None, "finetune.model.crop_from": 100}, ["crop_from: 100 is less"]),
        ("finetune", DADA | {"finetune.model.pooling": "map"}, ["finetune.model.pooling: map needs attention pooling"]),
        ("finetune", CATEGORIES | {"finetune.model.pooling": "map"}, ["finetune.model.pooling: map needs attention"]),
        ("finetune", {"recipes.triplet.loss.name": "TripletLoss"}, ["triplet.loss.name: ", "TripletMarginLoss"]),
        ("finetune", {"recipes.triplet.loss.args": {"marge": 1}}, ["triplet.loss.args: TripletMarginLoss does not"]),
        ("finetune", HISTOGRAM | {"recipes.triplet.loss.args": {"n_bins": 2, "delta": 3.0}}, ["loss.args: Histogram"]),
        ("finetune", {"recipes.triplet.miner.name": "BatchHardy"}, ["triplet.miner.name: ", "BatchHardMiner"]),
        ("finetune", {"recipes.triplet.miner.args": {"margin": 1}}, ["triplet.miner.args: BatchHardMiner does not"]),
        ("finetune", MARGINS | {"recipes.margin_softmax.loss": "arcfase"}, ["softmax.loss: ", "did you mean arcface?"]),
        ("finetune", MARGINS | {"finetune.model.backbone": "timm/resnet11t"}, ["unknown backbone", "timm/resnet10t"]),
        ("weight", {"weight.strategy": "ws99"}, ["weight.strategy: unknown name 'ws99'; known:", "ws5"]),
        ("cluster", {"data.alignment": ["tops"]}, ["data.alignment: "]),
        (
            "prepare",
            {"data.alignment": {"tops": ["polo"], "hats": ["polo"]}},
            ["data.alignment.hats: source category"],
        ),
    ],
)
def test_params(chain, stage, own, changes, says):
    chain.change(changes)
    chain.fails("check" if stage == "check" else own, *says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"recipes.triplet.batch_items": 500}, ["recipes.triplet.batch_items: 500 is more than the 38 source items"]),
        ({"finetune.val_share": 0.0}, ["finetune.keep: best needs held-out pictures", "or raise finetune.val_share"]),
        ({"finetune.optim.lr": 1e30}, ["lower finetune.optim.lr"]),
    ],
)
def test_params_that_show_in_training(chain, changes, says):
    chain.change(changes).fails("finetune", *says)


def test_params_file(chain):
    chain.change({"adaptation": {}}).fails("check", "adaptation: unknown section; known: seed", "did you mean")
    (chain.folder / "params.yaml").write_text("seed: 1\nadapt: {steps: [}\n")
    chain.fails("adapt", "params.yaml line 2: not valid YAML")
    (chain.folder / "params.yaml").unlink()
    chain.fails("adapt", "params.yaml: no such file")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("stage", ["finetune", "extract", "draw", "cluster", "weight", "adapt"])
def test_absent_gpu(chain, stage):
    chain.change({"runtime.device": "cuda"}).fails(stage, "runtime.device: no CUDA device here")


def test_a_python_without_the_packages_says_how_to_get_them():
    command = [sys.executable, "-S", "-m", "stages.adapt"]  # -S: no site-packages
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("adapt: error: ")
    assert ". .venv/bin/activate" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_of_every_stage_is_instant():
    heavy = ("torch", "pandas", "numpy", "h5py", "pydantic", "ruamel")
    code = (
        "import importlib, sys\n"
        f"for stage in {STAGES}:\n"
        "    importlib.import_module(f'stages.{stage}').main(['--help'], standalone_mode=False)\n"
        f"sys.exit(str([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
    assert done.stdout.count("Usage:") == len(STAGES)
    assert done.stdout.count("--params") == len(STAGES)
