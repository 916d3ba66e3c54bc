"""The settings that docs/dada.md prints: complete, valid, and those of the published schedules; and the defaults."""

import re

import pytest
from ruamel.yaml import YAML
from support.golden import golden
from support.project import PROJECT, default_params

from pipeline.base.params import parse_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.dada.recipe import Params
from pipeline.training.schedule import lagging_factor

NAMES = ("cub", "cars", "sop", "inshop")  # in the order of the page
# Of the published configurations, in the order of NAMES.
PUBLISHED = {
    "finetune.epochs": (60, 60, 200, 200),
    "finetune.model.frozen_bn": (True, True, False, False),
    "finetune.augment.policy": ("none", "autoaugment", "none", "none"),
    "finetune.optim.weight_decay": (1e-4, 1e-4, 5e-5, 1e-4),
    "finetune.optim.schedule": ("step", "step", "multistep", "step"),
    "finetune.optim.step_epochs": (4, 10, 20, 40),
    "finetune.optim.milestones": ([], [], [20, 45, 70], []),
    "finetune.optim.gamma": (0.45, 0.5, 0.1, 0.25),
    "recipes.dada.batch_size": (90, 90, 180, 180),
    "recipes.dada.head_epochs": (1, 5, 1, 5),
    "recipes.dada.class_share": (0.005, 0.01, 0.05, 0.01),
    "recipes.dada.proxies.weight": (0.0075, 0.0075, 0.03, 0.0075),
    "recipes.dada.proxies.alpha_positive": (40, 32, 100, 40),
    "recipes.dada.proxies.alpha_negative": (100, 32, 200, 200),
    "recipes.dada.mix.same_class": (True, False, True, True),
    "recipes.dada.mix.alpha": (3, 2, 2, 3),
    "recipes.dada.mix.beta": (0.5, 1, 5, 3),
    "recipes.dada.networks.weight_decay": (4e-4, 1e-4, 1e-4, 5e-5),
    "recipes.dada.networks.domain_hidden": (512, 512, 128, 512),
    "recipes.dada.networks.domain_output_norm": (True, True, True, True),
    "recipes.dada.networks.class_hidden": ([512, 128], [512, 128], [1024, 8192], [512, 4096]),
    "recipes.dada.networks.class_output_norm": (True, False, False, True),
}
PUBLISHED_FOR_ALL = {
    "seed": 0,
    "finetune.model.backbone": "timm/resnet50.tv_in1k",
    "finetune.model.weights": "default",
    "finetune.model.pooling": "avg_max",
    "finetune.model.norm_features": False,
    "finetune.model.embedding_dim": 512,
    "finetune.model.image_size": 224,
    "finetune.model.crop_from": 256,
    "finetune.model.output": "layernorm",
    "finetune.augment.rotation": 0,
    "finetune.augment.scale": [0.08, 1],
    "finetune.augment.flip": 0.5,
    "finetune.augment.jitter": 0,
    "finetune.optim.name": "adam",
    "finetune.optim.lr": 1.2e-4,
    "finetune.optim.warmup_epochs": 0,
    "recipes.dada.samples_per_class": 2,
    "recipes.dada.sampler": "random",
    "recipes.dada.discriminator_steps": 3,
    "recipes.dada.generator_steps": 1,
    "recipes.dada.discriminator_epochs": 1,
    "recipes.dada.normalize": True,
    "recipes.dada.adversarial_weight": 1,
    "recipes.dada.discrepancy_weight": 0.5,
    "recipes.dada.discrepancy": "nuclear",
    "recipes.dada.proxies.lr": 0.04,
    "recipes.dada.proxies.delta_positive": 0.1,
    "recipes.dada.proxies.delta_negative": -0.1,
    "recipes.dada.proxies.sum_over": "samples",
    "recipes.dada.mix.mode": "random",
    "recipes.dada.mix.shift": 1,
    "recipes.dada.mix.unit": False,
    "recipes.dada.mix.draw": "batch",
    "recipes.dada.mix.lr": 5e-4,
    "recipes.dada.networks.lr": 5e-4,
    "recipes.dada.networks.activation": "relu",
    "recipes.dada.networks.dropout": 0.5,
    "recipes.dada.networks.domain_norm": "each",
}
TEXT = (PROJECT / "docs/dada.md").read_text()


def blocks():
    return [YAML(typ="safe", pure=True).load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


def keys(section):
    return {name: keys(value) if isinstance(value, dict) else None for name, value in section.items()}


def flat(section, prefix=""):
    for name, value in section.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


@pytest.mark.parametrize("index", range(len(NAMES)), ids=NAMES)
def test_published_settings(index):
    block, ours = blocks()[index], default_params()
    assert keys(block["finetune"]) == keys(ours["finetune"])
    assert keys(block["recipes"]["dada"]) == keys(ours["recipes"]["dada"])
    finetune = parse_section(block["finetune"], "finetune", FinetuneParams)
    dada = parse_section(block["recipes"]["dada"], "recipes.dada", Params)
    lag = max(dada.discriminator_epochs, dada.head_epochs)
    rates = golden("lr_schedule", "dada")[f"{NAMES[index]}_lr_model_disc_proxy"]
    assert len(rates) == finetune.epochs
    for epoch, expected in enumerate(rates):
        factor = lagging_factor(finetune.optim, epoch, finetune.epochs, lag=lag)
        found = [factor * lr for lr in (finetune.optim.lr, dada.networks.lr, dada.proxies.lr)]
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("index", range(len(NAMES)), ids=NAMES)
def test_values_of_the_published_settings(index):
    values = dict(flat(blocks()[index]))
    expected = {name: of[index] for name, of in PUBLISHED.items()} | PUBLISHED_FOR_ALL
    assert {name: values[name] for name in expected} == expected
    assert {name for name in values if name.startswith("recipes.")} <= set(expected)


def test_the_page_names_every_default_that_is_not_published():
    ours, published = default_params()["recipes"]["dada"], blocks()[0]["recipes"]["dada"]
    named = dict(re.findall(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \|", TEXT, re.MULTILINE))

    values = dict(flat(ours))
    assert set(named) == {name for name, value in flat(published) if values[name] != value}
    assert {name: str(YAML(typ="safe").load(value)) for name, value in named.items()} == {
        name: str(values[name]) for name in named
    }
