"""Mistakes in params.yaml are one line that names section.key."""

import pytest
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.base.params import load_params, parse_section, read_section, read_seed
from pipeline.params.adapt import AdaptParams
from pipeline.params.finetune import FinetuneParams

ADAPT = default_params()["adapt"]


def test_scientific_and_plain_numbers_mean_the_same(tmp_path):
    for spelled in ("1e-3", "0.001", "1.0e-3"):
        path = tmp_path / "params.yaml"
        path.write_text(f"adapt: {{lr: {spelled}}}\n")
        values = ADAPT | load_params(path)["adapt"]
        assert parse_section(values, "adapt", AdaptParams).lr == 0.001


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lrr": 1}, "adapt.lrr: unknown key; did you mean 'lr'?"),
        ({"lr": "fast"}, "adapt.lr: a valid number, found 'fast'"),
        ({"lr": -1.0}, "adapt.lr: greater than 0, found -1.0"),
        ({"steps": 2.5}, "adapt.steps: a valid integer, found 2.5"),
        ({"steps": True}, "adapt.steps: a valid integer, found True"),
        ({"optimizer": "adagrad"}, "adapt.optimizer: 'adam' or 'sgd', found 'adagrad'"),
    ],
)
def test_a_mistake_names_section_and_key(change, said):
    with pytest.raises(UserError) as caught:
        parse_section(ADAPT | change, "adapt", AdaptParams)
    assert str(caught.value) == said


def test_missing_key_and_nested_key():
    values = dict(ADAPT)
    del values["lr"]
    with pytest.raises(UserError, match=r"^adapt\.lr: missing key$"):
        parse_section(values, "adapt", AdaptParams)
    values = default_params()["finetune"]
    values["model"]["pooling"] = "mean"
    with pytest.raises(UserError, match=r"^finetune\.model\.pooling: .*'gem'.*found 'mean'$"):
        parse_section(values, "finetune", FinetuneParams)


def test_several_mistakes_are_one_line():
    with pytest.raises(UserError) as caught:
        parse_section(ADAPT | {"lr": -1.0, "steps": 0}, "adapt", AdaptParams)
    assert "\n" not in str(caught.value)
    assert "adapt.steps" in str(caught.value)
    assert "adapt.lr" in str(caught.value)


def test_missing_section_missing_file_and_broken_yaml(tmp_path):
    with pytest.raises(UserError, match="datasets.nosuch: section missing"):
        read_section({"datasets": {}}, "datasets.nosuch", AdaptParams)
    with pytest.raises(UserError, match="adapt: expected a section"):
        read_section({"adapt": 3}, "adapt", AdaptParams)
    with pytest.raises(UserError, match="no such file"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("adapt: {lr: [1\n")
    with pytest.raises(UserError, match=r"params.yaml line \d+: not valid YAML"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True])
def test_seed_is_a_whole_number(seed):
    with pytest.raises(UserError, match="^seed: "):
        read_seed({"seed": seed})
