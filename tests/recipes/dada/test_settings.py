"""The settings that docs/dada.md prints: complete, valid, and those of the published schedules; and the defaults."""

import re

import pytest
from golden_files import golden
from ruamel.yaml import YAML
from tests_support import PROJECT, default_params

from pipeline.params.base import parse_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.dada.recipe import Params
from pipeline.training.schedule import lagging_factor

NAMES = ("cub", "cars", "sop", "inshop")  # in the order of the page
TEXT = (PROJECT / "docs/dada.md").read_text()


def blocks():
    return [YAML(typ="safe", pure=True).load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


def keys(section):
    return {name: keys(value) if isinstance(value, dict) else None for name, value in section.items()}


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


def test_the_page_names_every_default_that_is_not_published():
    ours, published = default_params()["recipes"]["dada"], blocks()[0]["recipes"]["dada"]
    named = dict(re.findall(r"^\| `([\w.]+)` \| [^|]+ \| ([^|]+) \|", TEXT, re.MULTILINE))

    def flat(section, prefix=""):
        for name, value in section.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{name}.")
            else:
                yield prefix + name, value

    values = dict(flat(ours))
    assert set(named) == {name for name, value in flat(published) if values[name] != value}
    assert {name: str(YAML(typ="safe").load(value)) for name, value in named.items()} == {
        name: str(values[name]) for name in named
    }
