"""The settings that docs print: valid, and as published."""

import re
import shlex
import shutil

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML
from support.project import PROJECT, committed_params

from pipeline.base.params import parse_section
from pipeline.models.attributes.build import plan_attribute_network
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.rpf.params import Params
from pipeline.recipes.rpf.recipe import check, phases_of
from pipeline.training.context import check_recipe
from pipeline.training.schedule import lr_factor

TEXT = (PROJECT / "docs/rpf.md").read_text()
RUNS = re.findall(r"xargs dvc exp run (.*) < docs/presets/(\w+)\.txt", TEXT)
ATTRIBUTES = {"fashionai": 8, "darn": 9, "deepfashion_attribute_retrieval": 5}


def sections(folder, preset, words=""):
    shutil.copy(PROJECT / "params.yaml", folder)
    wanted = shlex.split(words) + shlex.split((PROJECT / f"docs/presets/{preset}.txt").read_text())
    assert set(wanted[::2]) == {"-S"}
    apply_overrides(folder / "params.yaml", wanted[1::2])
    params = YAML(typ="safe", pure=True).load((folder / "params.yaml").read_text())
    common = parse_section(params["finetune"], "finetune", FinetuneParams)
    return params, common, parse_section(params["recipes"]["rpf"], "recipes.rpf", Params)


def rates(common, own, epoch):
    """Learning rates of the branches in an epoch, from 0."""
    phase = next(one for one in phases_of(common, own) if epoch < one.end)
    factor = lr_factor(common.optim, epoch - phase.start, phase.end - phase.start)
    return [common.optim.lr * one * factor for one in phase.lr_factors]


@pytest.mark.parametrize(("words", "preset"), RUNS, ids=lambda one: one.replace("/", "_"))
def test_published_runs(tmp_path, words, preset):
    params, common, own = sections(tmp_path, preset, words)
    (name,) = params["data"]["sets"]
    assert (params["seed"], common.epochs, common.precision) == (1234, 50, "32-true")
    assert (own.triplets, own.batch_triplets, own.strict_negatives, own.joined) == (100_000, 16, False, False)
    assert (own.margin, own.temperature, own.alpha) == (0.2, 0.07, 12)
    assert own.weights.model_dump() == {"region": 1, "patch": 0.1, "between": 0.04}
    network = plan_attribute_network(common.model, own.network, tuple(map(str, range(ATTRIBUTES[name]))))
    sizes = [sum(one.numel() for one in group) for group in network.parameter_groups().values()]
    first = 11_439_680 + 512 * (ATTRIBUTES[name] - 8)
    if preset == "rpf_first":
        check(common, own)
        assert common.augment.flip == 0.5
        assert rates(common, own, 0) == pytest.approx([5e-5])
        assert rates(common, own, 49) == pytest.approx([9.27e-6], rel=1e-3)
        assert sizes == [first]
    else:
        check(common, own.model_copy(update={"init_from": None}))
        assert common.augment.flip == 0
        assert rates(common, own, 0) == pytest.approx([1e-5, 5.5e-5])
        assert rates(common, own, 49) == pytest.approx([7.98e-7, 4.39e-6], rel=1e-3)
        assert sizes == [first, 90_398_208]
        assert own.network.beta == {"deepfashion_attribute_retrieval": 0.4}.get(name, 0.3)


def test_all_sets_have_both_runs():
    assert len(RUNS) == 2 * len(ATTRIBUTES)


def test_published_runs_of_asenpp(tmp_path):
    _, common, own = sections(tmp_path, "asen_first")
    check(common, own)
    assert (common.keep, common.augment.flip, rates(common, own, 3)) == ("last", 0, pytest.approx([0.9e-4]))
    _, common, own = sections(tmp_path, "asen_both")
    check(common, own)
    assert (common.epochs, own.network.beta, own.weights.between) == (20, 0.6, 0.1)
    assert rates(common, own, 0) == pytest.approx([1e-5, 1e-4])
    assert rates(common, own, 1) == pytest.approx([0.9e-5, 0.9e-4])
    network = plan_attribute_network(common.model, own.network, tuple("abcdefgh"))
    sizes = [sum(one.numel() for one in group) for group in network.parameter_groups().values()]
    assert (sizes[0], sum(sizes)) == (11_959_360, 20_984_064)


def test_the_default_setting_is_one_of_the_built_in_world():
    params = committed_params()
    params["finetune"] |= {"recipe": "rpf"}
    params["finetune"]["model"] |= {"frozen": False}
    check_recipe(params, parse_section(params["finetune"], "finetune", FinetuneParams))
