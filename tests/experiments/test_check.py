"""All of params.yaml at once, and that of every setting of a comparison."""

import pytest
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.experiments.changes import Params
from pipeline.experiments.check import check_changes, check_params

ATELIER = "pipeline/datasets/atelier/params.yaml"


def test_the_committed_params_pass():
    check_params(default_params())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"finetune.epochs": "many"}, "finetune.epochs: "),
        ({"finetune.recipe": "dadaa"}, "finetune.recipe"),
        ({"finetune": 3}, "finetune: expected a section"),
        ({"recipes.triplet.loss.name": "TripletLoss"}, "recipes.triplet.loss.name: pytorch-metric-learning has no"),
        ({"recipes.triplet.miner.args": {"top": 5}}, "recipes.triplet.miner.args: BatchHardMiner does not take"),
        ({"evaluate.protocol": "dlm"}, "evaluate.protocol: unknown name 'dlm'"),
        ({"weight.strategy": "ws9"}, "weight.strategy"),
        ({"seed": -1}, "seed: "),
        ({"finetunes": {}}, "finetunes: unknown section"),
        (
            {"pipeline/datasets/atelier/params.yaml:image_size": "big"},
            "pipeline/datasets/atelier/params.yaml:image_size: ",
        ),
    ],
)
def test_a_setting_is_refused_by_its_name(change, says):
    params = Params({"params.yaml": default_params()})
    settings = {"good": params, "bad": params.changed(change)}
    with pytest.raises(UserError) as caught:
        check_changes(settings)
    assert str(caught.value).startswith(f"settings.bad: {says}")
    assert "\n" not in str(caught.value)
