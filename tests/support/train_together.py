"""Steps of recipes and of the adaptation, to compare one process with several, all in float64.

Networks that are hardly trained magnify a difference from step to step: in float32 that of another order of summation
reaches the loss, in float64 it does not.

torchrun starts it as `-m support.train_together WORLD CASES RESULT`; process r writes RESULT.r.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from lightning_fabric import Fabric

from pipeline.adaptation.loss import Rows
from pipeline.adaptation.pairs import PairSampler
from pipeline.adaptation.recipe import AdaptationRecipe
from pipeline.base.names import ATTRIBUTES_FILE, MANIFEST_FILE, RAW_FOLDER
from pipeline.base.params import read_section
from pipeline.base.seeds import mixed_seed
from pipeline.images.loading import Conditioned, Inputs
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams
from pipeline.params.finetune import FinetuneParams
from pipeline.table.attributes import read_attributes
from pipeline.table.manifest import read_manifest
from pipeline.training.batches import PictureRows
from pipeline.training.context import TrainingContext, load_recipe
from pipeline.training.fabric import start_fabric
from pipeline.training.face import Recipe
from pipeline.training.networks import set_up
from pipeline.training.split import split_source
from support.products import N_SOURCE, with_clusters
from support.project import default_params

STEPS = 20


def train_all(world: Path, cases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Losses of STEPS steps, and a digest of all weights then, by case; `cases`: name -> params; and of `adapt`."""
    fabric = start_fabric("cpu", "32-true")
    with chdir(world), _double():
        made = {name: _steps(_build(params, fabric), fabric) for name, params in cases.items()}
        return made | {"adapt": _steps(_adaptation(fabric), fabric)}


@contextmanager
def _double() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with (
            patch.object(torch.Tensor, "float", torch.Tensor.double),
            patch.object(PictureRows, "take", lambda *args, take=PictureRows.take: _doubled(take(*args))),
        ):
            yield
    finally:
        torch.set_default_dtype(before)


def _doubled(inputs: Inputs) -> Inputs:
    return inputs._replace(images=inputs.images.double()) if isinstance(inputs, Conditioned) else inputs.double()


def _build(params: dict[str, Any], fabric: Fabric) -> Recipe:
    common = read_section(params, "finetune", FinetuneParams)
    method, section = load_recipe(params, common.recipe)
    rows, _ = split_source(read_manifest(MANIFEST_FILE), 0.0, 0)
    torch.manual_seed(0)
    known = read_attributes(ATTRIBUTES_FILE)
    return method.build(TrainingContext(rows, RAW_FOLDER, common, 0, 0, fabric, attributes=known), section)


def _adaptation(fabric: Fabric) -> Recipe:
    """Three of four categories a step; one of them alone in two processes, and sometimes nothing to learn."""
    torch.manual_seed(0)
    pooled = torch.rand(N_SOURCE + 11, 12)
    params = {"steps": STEPS, "categories": 3, "items": 10, "margin": 0.3, "optimizer": "adam", "lr": 0.01}
    sampler = PairSampler(with_clusters(), N_SOURCE, categories=3, items=10, seed=2)
    params = AdaptParams(**default_params()["adapt"] | params | {"lr_steps": 15, "gamma": 0.5})
    rows = Rows(pooled, torch.zeros(len(pooled), dtype=torch.int64))
    return AdaptationRecipe(Head(12, 6, norm_features=False, output="none"), rows, sampler, params, fabric=fabric)


def _steps(recipe: Recipe, fabric: Fabric) -> dict[str, Any]:
    set_up(recipe, fabric)
    losses: list[dict[str, float]] = []
    for epoch in range(STEPS):
        for index, batch in enumerate(recipe.batches(epoch, 0)):
            if len(losses) < STEPS:
                torch.manual_seed(mixed_seed(0, epoch, index))
                losses.append(recipe.step(batch, epoch + index / recipe.n_batches(epoch)))
        if len(losses) == STEPS:
            break
    digest = hashlib.sha256()
    for network in recipe.networks.values():
        for value in network.state_dict().values():
            digest.update(value.numpy().tobytes())
    return {"losses": losses, "weights": digest.hexdigest()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    world, cases, result = map(Path, sys.argv[1:])
    made = train_all(world.resolve(), json.loads(cases.read_text()))
    result.with_suffix(f".{torch.distributed.get_rank()}").write_text(json.dumps(made))
