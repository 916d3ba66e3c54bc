"""The setting and the comparison that docs print: valid, and as published."""

import re
import shutil

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML
from support.project import PROJECT, committed_params

from pipeline.base.params import parse_section
from pipeline.experiments.changes import Params as ParamFiles
from pipeline.experiments.check import check_params
from pipeline.experiments.plan import read_comparison, setting_changes
from pipeline.models.embedder import plan_embedder
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.margin_softmax.params import LOSSES, Params
from pipeline.recipes.margin_softmax.recipe import check
from pipeline.recipes.margin_softmax.schedule import batch_factor

TEXT = (PROJECT / "docs/margin_softmax.md").read_text()


@pytest.fixture
def published(tmp_path):
    (line,) = re.findall(r"dvc exp run (-S seed=.*)", TEXT)
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    apply_overrides(tmp_path / "params.yaml", line.removeprefix("-S ").split(" -S "))
    return YAML(typ="safe", pure=True).load((tmp_path / "params.yaml").read_text())


def test_published_setting(published):
    common = parse_section(published["finetune"], "finetune", FinetuneParams)
    own = parse_section(published["recipes"]["margin_softmax"], "recipes.margin_softmax", Params)
    assert own == parse_section(committed_params()["recipes"]["margin_softmax"], "recipes.margin_softmax", Params)
    assert published["seed"] == 42
    assert (own.loss, own.centres, own.scale, own.margin) == ("arcface", 3, 30.0, 0.5)
    assert (own.batch_size, own.dropout, own.sam_rho, own.sampled) == (128, 0.2, None, None)
    assert (common.optim.name, common.optim.weight_decay, common.epochs, common.keep) == ("adam", 1e-4, 10, "last")
    # M4D-35k: 2,566 batches an epoch; from 0.02 to 0.001, with one epoch of linear rise.
    lr = [0.02 * batch_factor(common.optim, own, at / 2566, 10, 2566) for at in (0, 12829, 25660 - 1e-6)]
    assert lr == pytest.approx([0.02 / 2566, 0.0105, 0.001], rel=1e-3)
    check(common, own)
    model = plan_embedder(common.model)
    assert model.head.shape == (64, 1152)
    assert model.input.size == 384
    assert model.input.mean == (0.5,) * 3


def test_the_comparison_fits_the_params():
    files = ParamFiles({"params.yaml": committed_params()})
    comparison = read_comparison(PROJECT / "docs/comparisons/margin_softmax.yaml")
    changes = setting_changes(comparison, files)
    assert list(changes) == ["zero_shot", "arcface", "subcenter3", "sampled300", "clam", "adaface", "triplet"]
    for values in changes.values():
        check_params(files.changed(values)["params.yaml"])


def test_the_page_has_every_loss():
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) - {"loss"} == set(LOSSES)
