"""Margin softmax over many classes, and an epoch of its recipe on stored features."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.base.params import read_section
from pipeline.benchmarks.case import Case, Trial
from pipeline.benchmarks.training import source_rows
from pipeline.models.head import Head
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.margin_softmax.centres import draw_classes
from pipeline.recipes.margin_softmax.margins import ArcFace
from pipeline.training.batches import FeatureRows
from pipeline.training.context import TrainingContext, load_recipe
from pipeline.training.fabric import start_fabric
from pipeline.training.face import KEPT
from pipeline.training.networks import set_up
from pipeline.training.optim import build_optimizer

RECIPE, EMBEDDING = "margin_softmax", 64


def classes_case(
    classes: int, width: int, batch: int, *, sampled: int | None = None, most_ratio: float, most_mb: float | None = None
) -> Case:
    """A step of ArcFace with Adam over so many classes, or over `sampled` of them."""
    name = f"ArcFace step, {classes:,} classes x {width}, batch {batch}" + (f", {sampled:,} sampled" if sampled else "")
    prepare = partial(_prepare_classes, classes=classes, width=width, batch=batch, sampled=sampled)
    limit = "the three products of the batch with all class centres: logits, and both gradients of them"
    return Case("margin", name, limit, prepare, most_ratio, most_mb)


def epoch_case(rows: int, items: int, width: int, params: dict[str, Any], *, most_ratio: float) -> Case:
    """An epoch of the recipe on stored features of so many pictures; as in `params` (params.yaml), 64-d embeddings."""
    name = f"epoch of {RECIPE}, {rows:,} stored features x {width}, {items:,} classes"
    prepare = partial(_prepare_epoch, rows=rows, items=items, width=width, params=params)
    return Case("margin", name, "the products of head and class centres, and their gradients", prepare, most_ratio)


def _prepare_classes(
    device: torch.device, folder: Path, *, classes: int, width: int, batch: int, sampled: int | None
) -> Trial:
    del folder
    torch.manual_seed(0)
    loss = ArcFace(classes, width, margin=0.5).to(device)
    embeddings = torch.randn(batch, width, device=device, requires_grad=True)
    labels = torch.randint(classes, (batch,))
    optimizer = torch.optim.Adam(loss.parameters(), 0.01, fused=True)

    def step() -> None:
        drawn = None if sampled is None else draw_classes(labels, classes, sampled).to(device)
        optimizer.zero_grad()
        loss(embeddings, labels.to(device), drawn).backward()
        optimizer.step()

    step()  # the optimiser's moments are there afterwards
    return Trial(step, partial(_products, embeddings.detach(), loss.weight.detach()))


def _prepare_epoch(
    device: torch.device, folder: Path, *, rows: int, items: int, width: int, params: dict[str, Any]
) -> Trial:
    method, method_params = load_recipe(params, RECIPE)
    common = read_section(params, "finetune", FinetuneParams)
    # Any frozen backbone: what it would make of pictures is there already.
    size = {"backbone": "timm/resnet10t", "weights": None, "frozen": True, "embedding_dim": EMBEDDING}
    common = common.model_copy(update={"model": common.model.model_copy(update=size)})
    fabric = start_fabric(device.type, common.precision)
    torch.manual_seed(0)
    context = TrainingContext(source_rows(folder, items, rows // items), folder, common, 0, workers=0, fabric=fabric)
    recipe = method.build(context, method_params)
    recipe.embedder.head = Head(width, EMBEDDING, norm_features=False)
    recipe.optimizers["model"] = build_optimizer(
        [*recipe.embedder.head.parameters(), *recipe.networks["loss"].parameters()], common.optim
    )
    recipe.rows = FeatureRows(torch.randn(rows, width))
    set_up(recipe, fabric)
    head, centres = recipe.networks[KEPT].head.weight, recipe.networks["loss"].weight

    def epoch() -> None:
        for index, batch in enumerate(recipe.batches(0, 0)):
            recipe.step(batch, index / recipe.n_batches(0))

    def products() -> None:
        inputs = torch.randn(method_params.batch_size, width, device=device)
        for _ in range(recipe.n_batches(0)):
            _products(inputs, head.detach())
            _products(inputs @ head.detach().T, centres.detach())

    return Trial(epoch, products)


def _products(inputs: Tensor, weight: Tensor) -> None:
    outputs = F.linear(inputs, weight)
    outputs @ weight
    outputs.T @ inputs
