"""The training step of a recipe against bare forward and backward passes of the networks that take part."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pipeline.base.names import (
    BOX,
    CATEGORY,
    DATASET,
    DOMAIN,
    IMAGE,
    ITEM,
    META_DOMAIN,
    SPLIT,
    Domain,
    MetaDomain,
    Split,
)
from pipeline.base.params import read_section
from pipeline.base.plugins import plugin_names
from pipeline.benchmarks.case import Case, Trial
from pipeline.benchmarks.pictures import write_picture
from pipeline.params.finetune import FinetuneParams
from pipeline.training.context import RECIPES, TrainingContext, load_recipe
from pipeline.training.fabric import start_fabric
from pipeline.training.face import KEPT, Recipe
from pipeline.training.networks import set_up

LIMIT = "bare forward and backward passes of its networks on the tensors of the step"
EPOCHS = 1000  # the step is of the last one, in which everything learns
TRAINED = [name for name in plugin_names(RECIPES) if name not in ("given", "none", "rpf")]  # rpf: `attributes`
ITEMS, CATEGORIES, FILES = 500, 20, 50  # as many items as the built-in world; they share the files


@dataclass(frozen=True)
class Pass:
    """A call of `network` on `inputs` in a training step; `learns`: with gradients; `embeds`: of the embedder."""

    network: nn.Module
    inputs: tuple[Any, ...]
    learns: bool
    embeds: bool


def training_cases(params: dict[str, Any], backbone: str, image_size: int) -> list[Case]:
    """A step of every recipe on a batch in memory; backbone and size given, else as in `params` (params.yaml)."""
    return [training_case(recipe, params, backbone, image_size) for recipe in TRAINED]


def training_case(recipe: str, params: dict[str, Any], backbone: str, image_size: int) -> Case:
    """A step of one recipe."""
    name = f"training step {recipe}, {backbone} {image_size} px"
    prepare = partial(_prepare, recipe=recipe, params=params, backbone=backbone, image_size=image_size)
    return Case("train", name, LIMIT, prepare, 1 / 0.9)


def passes_of(recipe: Recipe, step: Callable[[], Any]) -> list[Pass]:
    """The calls in `step()` of the embedder and of every other network of `recipe`.

    A network is a module with parameters and a `forward`; the parts of one are not counted again.
    """
    passes: list[Pass] = []
    embedder = recipe.networks[KEPT]

    def note(network: nn.Module, _: nn.Module, inputs: tuple[Any, ...], __: Tensor) -> None:
        apart = tuple(given.detach() if isinstance(given, Tensor) else given for given in inputs)
        passes.append(Pass(network, apart, torch.is_grad_enabled(), network is embedder))

    # Recipes may call pooling and head apart, but every pass of the embedder begins with its backbone.
    watched = [(embedder.backbone, embedder)]
    for name, module in recipe.networks.items():
        if name != KEPT:
            watched += [(network, network) for network in _networks(module)]
    hooks = [called.register_forward_hook(partial(note, network)) for called, network in watched]
    step()
    for hook in hooks:
        hook.remove()
    return passes


def _networks(module: nn.Module) -> Iterator[nn.Module]:
    if type(module).forward is not nn.Module.forward and any(True for _ in module.parameters()):
        yield module
    else:
        for child in module.children():
            yield from _networks(child)


def _prepare(
    device: torch.device, folder: Path, *, recipe: str, params: dict[str, Any], backbone: str, image_size: int
) -> Trial:
    params = deepcopy(params)
    params["recipes"]["category_triplet"]["classified"] = None  # names a dataset of the user's
    method, method_params = load_recipe(params, recipe)
    common = read_section(params, "finetune", FinetuneParams)
    size = {"backbone": backbone, "weights": None, "image_size": image_size, "frozen": False, "embedding_dim": 256}
    common = common.model_copy(update={"epochs": EPOCHS, "model": common.model.model_copy(update=size)})
    fabric = start_fabric(device.type, common.precision)
    torch.manual_seed(0)
    context = TrainingContext(source_rows(folder, ITEMS, 4), folder, common, seed=0, workers=0, fabric=fabric)
    made = method.build(context, method_params)
    set_up(made, fabric)
    step = partial(made.step, next(made.batches(0, 0)), EPOCHS - 1)
    return Trial(step, partial(_repeat, passes_of(made, step), fabric))


def source_rows(folder: Path, items: int, pictures: int) -> pd.DataFrame:
    """Source rows: so many pictures of each item, every fourth one of a shop. They share a few files in `folder`."""
    files = np.array([write_picture(folder, number) for number in range(FILES)])
    item = np.repeat(np.arange(items), pictures)
    return pd.DataFrame(
        {
            IMAGE: files[np.arange(len(item)) % FILES],
            ITEM: item.astype(str),
            CATEGORY: (item % CATEGORIES).astype(str),
            DOMAIN: np.where(np.arange(len(item)) % 4, Domain.CONSUMER, Domain.SHOP),
            META_DOMAIN: MetaDomain.SOURCE,
            DATASET: "bench",
            SPLIT: Split.TRAIN,
        }
    ).assign(**dict.fromkeys(BOX, np.nan))


def _repeat(passes: list[Pass], fabric: Fabric) -> None:
    for one in passes:
        # As in the step, where losses and the networks in them are float32 whatever the precision.
        precision = fabric.autocast() if one.embeds else nullcontext()
        with torch.set_grad_enabled(one.learns), precision:
            output = one.network(*one.inputs)
        if one.learns:
            learned = [parameter for parameter in one.network.parameters() if parameter.requires_grad]
            torch.autograd.grad(output, learned, torch.randn_like(output), allow_unused=True)
