"""A small network of attributes and the recipe that trains it, on pictures of one colour each."""

import pandas as pd
import torch

from pipeline.base.params import parse_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.rpf.params import Params
from pipeline.recipes.rpf.recipe import build
from pipeline.training.context import TrainingContext
from pipeline.training.fabric import start_fabric
from pipeline.training.networks import set_up
from support.coloured import coloured_pictures
from support.project import default_params

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200), "yellow": (200, 200, 40)}
WARM = ("red", "yellow")
LOCAL = {"backbone": "timm/resnet10t", "layer": 2, "image_size": 16, "common_dim": 8}


def pictures(folder, each=4):
    """Pictures of four colours, `each` of one, and the table of their attributes: which colour, and whether warm."""
    names = [name for name in COLOURS for _ in range(each)]
    table = coloured_pictures(folder, [(COLOURS[name], name, "dress") for name in names])
    known = [("colour", name) for name in names] + [("warmth", "warm" if name in WARM else "cool") for name in names]
    rows = list(table.index) * 2
    attributes = pd.DataFrame({"row": rows, "attribute": [a for a, _ in known], "value": [v for _, v in known]})
    return table, attributes.assign(split="train")


def sections(model=(), optim=(), augment=(), network=(), epochs=4, **changes):
    """The sections `finetune` and `recipes.rpf`, small."""
    defaults = default_params()
    finetune, section = defaults["finetune"], defaults["recipes"]["rpf"]
    finetune["epochs"] = epochs
    finetune["model"] |= {"embedding_dim": None, "image_size": 32} | dict(model)
    finetune["augment"] |= {"rotation": 0.0, "jitter": 0.0, "scale": None, "resize": 40, "crop": "centre"} | dict(
        augment
    )
    finetune["optim"] |= {"warmup_epochs": 0.0, "lr": 0.001} | dict(optim)
    small = {"canvas": 40, "table_dim": 8, "common_dim": 8, "patch": section["network"]["patch"] | {"image_size": 32}}
    section |= {"region_epochs": 2, "triplets": 10, "batch_triplets": 4} | changes
    section["network"] |= small | dict(network)
    return parse_section(finetune, "finetune", FinetuneParams), parse_section(section, "recipes.rpf", Params)


def context(table, attributes, folder, common, precision="32-true", **more):
    """What the recipe is built from, on the CPU."""
    fabric = start_fabric("cpu", precision)
    return TrainingContext(table, folder, common, seed=1, workers=0, fabric=fabric, attributes=attributes, **more)


def make_recipe(table, attributes, folder, precision="32-true", ready=True, **changes):
    """The recipe, `ready` to train or as the loop takes it."""
    common, section = sections(**changes)
    torch.manual_seed(0)
    told = context(table, attributes, folder, common, precision)
    recipe = build(told, section)
    if ready:
        set_up(recipe, told.fabric)
    return recipe
