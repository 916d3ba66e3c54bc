"""The preset that trains the packaged trunk: what docs/adaptation.md compares."""

from support.presets import preset_params
from support.project import PROJECT, committed_params

from pipeline.base.params import load_params, read_section
from pipeline.experiments.changes import MAIN, Params
from pipeline.experiments.plan import read_comparison, setting_changes
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.triplet import recipe


def test_the_preset_is_the_setting_that_is_compared(tmp_path):
    preset_params("trained_trunk", tmp_path)
    preset, committed = load_params(tmp_path / MAIN), Params({MAIN: committed_params()})
    compared = setting_changes(read_comparison(PROJECT / "docs/comparisons/adaptation.yaml"), committed)
    wanted = committed.changed(compared["trained_trunk"])[MAIN]
    assert preset["finetune"] == wanted["finetune"]
    assert preset["recipes"]["triplet"] == wanted["recipes"]["triplet"]
    recipe.check(
        read_section(preset, "finetune", FinetuneParams), read_section(preset, "recipes.triplet", recipe.Params)
    )
