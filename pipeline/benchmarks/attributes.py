"""The step of recipe rpf in which both branches learn, and the masks and crops in it beside a plain rewrite of them."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor, nn

from pipeline.base.names import ATTRIBUTE, ROW, SPLIT, VALUE, Split
from pipeline.base.params import read_section
from pipeline.benchmarks.case import Case, Trial
from pipeline.benchmarks.pictures import write_picture
from pipeline.benchmarks.training import source_rows
from pipeline.models.attributes.crop import attention_boxes, crop_resize
from pipeline.params.finetune import FinetuneParams
from pipeline.training.context import TrainingContext, load_recipe
from pipeline.training.fabric import start_fabric
from pipeline.training.networks import set_up

RECIPE = "rpf"
ATTRIBUTES, VALUES = 8, 6
THRESHOLD, MAP = 0.1, 14  # as published: of the crop, and places of a side of the map


class Pass(NamedTuple):
    """A call of a branch in a step."""

    branch: nn.Module
    inputs: tuple[Tensor, ...]


def attribute_step_case(params: dict[str, Any], region: str, layer: str | int, patch: str, image_size: int) -> Case:
    """A step on a batch in memory; trunks and size of both views given, else as in `params` (params.yaml)."""
    name = f"training step {RECIPE}, both branches, {region} to {layer} and {patch}, {image_size} px"
    settings = {"region": region, "layer": layer, "patch": patch, "image_size": image_size}
    limit = "bare forward and backward passes of its branches on the tensors of the step"
    return Case("attributes", name, limit, partial(_prepare_step, params=params, **settings), 1.15)


def masks_case(triplets: int, side: int, size: int) -> Case:
    """Masks of the loss between the branches, and crops of `size` pixels of all pictures of so many triplets."""
    name = f"masks and crops of {3 * triplets} pictures of {side} px, to {size} px"
    limit = "plain rewrite: a tensor for each entry of both masks, crops by Pillow, picture by picture on one thread"
    return Case("attributes", name, limit, partial(_prepare_masks, triplets=triplets, side=side, size=size), 1)


def passes_of(network: nn.Module, step: Callable[[], Any]) -> list[Pass]:
    """The calls in `step()` of both branches of an attribute network."""
    passes: list[Pass] = []

    def note(branch: nn.Module, inputs: tuple[Tensor, ...], _: Any) -> None:
        passes.append(Pass(branch, tuple(given.detach() for given in inputs)))

    hooks = [branch.register_forward_hook(note) for branch in (network.first, network.second)]
    step()
    for hook in hooks:
        hook.remove()
    return passes


def _prepare_step(
    device: torch.device,
    folder: Path,
    *,
    params: dict[str, Any],
    region: str,
    layer: str | int,
    patch: str,
    image_size: int,
) -> Trial:
    params = deepcopy(params)
    params["finetune"]["model"] |= {"backbone": region, "weights": None, "image_size": image_size, "frozen": False}
    params["finetune"]["model"] |= {"embedding_dim": None, "output": "none", "norm_features": False}
    params["recipes"][RECIPE] |= {"init_from": None}
    params["recipes"][RECIPE]["network"] |= {
        "family": "rpf",
        "layer": layer,
        "canvas": 2 * image_size,
        "embedding_dim": None,
        "patch": {"backbone": patch, "image_size": image_size, "weights": None},
        "local": None,
    }
    method, section = load_recipe(params, RECIPE)
    common = read_section(params, "finetune", FinetuneParams)
    fabric = start_fabric(device.type, common.precision)
    torch.manual_seed(0)
    table = source_rows(folder, 100, 4)
    context = TrainingContext(table, folder, common, 0, workers=0, fabric=fabric, attributes=_attributes(len(table)))
    recipe = method.build(context, section)
    set_up(recipe, fabric)
    step = partial(recipe.step, next(recipe.batches(0, 0)), common.epochs - 1)
    return Trial(step, partial(_repeat, passes_of(recipe.embedder, step), fabric))


def _attributes(rows: int) -> pd.DataFrame:
    """A value of each attribute for each of so many pictures."""
    row, attribute = np.divmod(np.arange(rows * ATTRIBUTES), ATTRIBUTES)
    value = np.random.default_rng(0).integers(VALUES, size=len(row))
    return pd.DataFrame({ROW: row, ATTRIBUTE: attribute.astype(str), VALUE: value.astype(str), SPLIT: Split.TRAIN})


def _repeat(passes: list[Pass], fabric: Fabric) -> None:
    for branch, inputs in passes:
        with fabric.autocast():
            made = branch(*inputs)
        outputs = [made] if isinstance(made, Tensor) else list(made[:2])
        weights = list(branch.parameters())
        torch.autograd.grad(outputs, weights, [torch.randn_like(one) for one in outputs], allow_unused=True)


def _prepare_masks(device: torch.device, folder: Path, *, triplets: int, side: int, size: int) -> Trial:
    rng, n = np.random.default_rng(0), 3 * triplets
    attributes = np.tile(rng.integers(ATTRIBUTES, size=triplets), 3)
    labels = attributes * VALUES + np.tile(rng.integers(VALUES, size=triplets), 3)
    files = [folder / write_picture(folder, number) for number in range(n)]
    pictures = [Image.open(file).resize((side, side)) for file in files]
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).movedim(-1, 1).to(device)
    images = pixels.float().div(255).contiguous(memory_format=torch.channels_last)
    maps = torch.softmax(3 * torch.randn(n, MAP * MAP), dim=1).view(n, MAP, MAP).to(device)
    codes = [torch.from_numpy(one).to(device) for one in (labels, attributes)]
    black = torch.zeros(3, device=device)

    def ours() -> list[Tensor]:
        masks = [code[:, None] == code for code in codes]  # as the loss does
        crops = crop_resize(images, attention_boxes(maps, size, THRESHOLD, side), size, black)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return [crops, *masks]

    return Trial(ours, partial(_plain, labels, attributes, maps, pictures, size))


def _plain(
    labels: np.ndarray, attributes: np.ndarray, maps: Tensor, pictures: list[Image.Image], size: int
) -> list[Tensor]:
    """The same, written down as it is defined."""
    device, n, masks = maps.device, len(labels), []
    for codes in (labels, attributes):
        entries = [torch.tensor([codes[i] == codes[j]], device=device) for i in range(n) for j in range(n)]
        masks.append(torch.stack(entries).view(n, n))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    crops = [_plain_crop(one, picture, size) for one, picture in zip(maps.cpu().numpy(), pictures, strict=True)]
    torch.set_num_threads(threads)
    return [torch.stack(crops).to(device), *masks]


def _plain_crop(attention: np.ndarray, picture: Image.Image, size: int) -> Tensor:
    grown = np.asarray(Image.fromarray(attention).resize((size, size), Image.Resampling.BILINEAR))
    level = (255 * (grown - grown.min()) / (grown.max() - grown.min())).astype(np.uint8)
    rows, columns = np.nonzero(level > int(255 * THRESHOLD))
    top, left, height, width = rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1
    square = max(height, width)
    corner = [
        size - square if middle + square // 2 > size else max(0, middle - square // 2)
        for middle in (left + width // 2, top + height // 2)
    ]
    x, y, length = (int(value / size * min(picture.size)) for value in (*corner, square))
    crop = picture.crop((x, y, x + length, y + length)).resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(crop)).movedim(-1, 0).float().div(255)
