"""The settings that docs/category_triplet.md prints: complete, valid, and those of the published schedule."""

import re

from ruamel.yaml import YAML
from support.project import PROJECT, default_params

from pipeline.base.params import parse_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.category_triplet.recipe import Params
from pipeline.training.schedule import lagging_factor

TEXT = (PROJECT / "docs/category_triplet.md").read_text()
PRESET = (PROJECT / "docs/presets/deep_fashion_retrieval.txt").read_text()


def keys(section):
    return {name: keys(value) if isinstance(value, dict) else None for name, value in section.items()}


def test_published_settings():
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    published, ours = YAML(typ="safe", pure=True).load(block), default_params()
    assert keys(published["finetune"]) == keys(ours["finetune"])
    section = published["recipes"]["category_triplet"]
    assert keys(section) == keys(ours["recipes"]["category_triplet"])
    finetune = parse_section(published["finetune"], "finetune", FinetuneParams)
    recipe = parse_section(section, "recipes.category_triplet", Params)
    assert f"data.sets=[{recipe.classified},deepfashion_inshop]" in PRESET, "one of the two sets"
    rates = {lagging_factor(finetune.optim, epoch, finetune.epochs, lag=recipe.frozen_epochs) for epoch in range(11)}
    assert rates == {1.0}, "no schedule"
    assert (finetune.optim.lr, finetune.optim.momentum, finetune.optim.nesterov) == (0.001, 0.5, False)


def test_defaults_are_the_published_values_but_for_two():
    ours = default_params()["recipes"]["category_triplet"]
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    published = YAML(typ="safe", pure=True).load(block)["recipes"]["category_triplet"]
    assert {name for name in published if ours[name] != published[name]} == {"classified", "frozen_epochs"}
