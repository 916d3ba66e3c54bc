"""Params on DVC's command line arrive as they are in the file: checked with DVC's own reading of them."""

from datetime import date

import pytest
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides, to_hydra_overrides
from ruamel.yaml import YAML

from pipeline.base.errors import UserError
from pipeline.base.params import load_params
from pipeline.experiments.changes import Params, changed
from stages._experiments.overrides import overrides

PRESENT = {"text": "old", "null": None, "list": [1, 2], "section": {"mapping": {"z": 1}, "number": 2}, "free": {}}
NAMES = ("text", "null", "list", "section.mapping", "section.number", "free.new")


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 1, -3, 0.001, 1e-7, 1e20, float("inf")),
        *(
            "",
            "plain",
            "timm/resnet10t",
            "null",
            "True",
            "nan",
            "1",
            "1e-3",
            " a ",
            "a,b",
            "a=b",
            "a:b",
            "é",
            "#a",
            "%",
        ),
        *(
            "it's",
            "'",
            "''",
            "\\",
            "\\\\",
            "a\\",
            "C:\\dir\\",
            "a\\'b",
            "'\\",
            'a"b',
            "a\nb",
            "a\n",
            "$HOME",
            "~x",
            "+x",
        ),
        *("[1]", "{a: b}", "choice(1,2)", "range(1,3)", "a.yaml:b=1"),
        *([], [1, "a b", [None]], {}, {"a": [1], "b c": {"d": "e,f"}, "DRESSES/Dress": ["x"], "on": {}}),
        {1: 1, -2: "x", 0.5: True},
        {"a(b)": 1, "a{b}": 2, "a,b": 3, "a:b": 4, "a=b": 5, "a[b]": 6, "a-b": 7, "a.b": 8, "a%@?|+*": 9, "a ": 10},
    ],
)
def test_values_arrive(tmp_path, value):
    path = tmp_path / "params.yaml"
    with open(path, "w", encoding="utf-8") as file:
        YAML().dump(PRESENT, file)
    params, changes = load_params(path), dict.fromkeys(NAMES, value)
    made = overrides(changes, Params({"params.yaml": params}))
    assert not any(one.is_sweep_override() for one in to_hydra_overrides(made))
    apply_overrides(path, made)
    got = load_params(path)
    assert got == changed(params, changes)
    assert type(got["text"]) is type(value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": "a ${b}"}, "text: DVC cannot set 'a ${b}'"),
        ({"text": "???"}, "text: DVC cannot set"),
        ({"free": {"it's": 1}}, 'free: DVC cannot set {"it\'s": 1}; write it into params.yaml'),
        ({"free": {"1": 1}}, "free: DVC cannot set {'1': 1}"),
        ({"free": {"true": 1}}, "free: DVC cannot set {'true': 1}"),
        ({"free": {"a": [{"é": 1}]}}, "free: DVC cannot set"),
        ({"text": date(2020, 1, 1)}, "text: DVC cannot set a value like datetime.date(2020, 1, 1)"),
        ({"free.a b": 1}, "free.a b: not a name that DVC can set; set the mapping that it is in as a whole"),
    ],
)
def test_what_has_no_spelling_is_refused(changes, said):
    with pytest.raises(UserError) as caught:
        overrides(changes, Params({"params.yaml": PRESENT}))
    assert said in str(caught.value)


def test_params_of_other_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set.yaml").write_text("crop: none\nlist: [1]\n")
    made = overrides({"set.yaml:crop": "boxes", "set.yaml:list": [2], "set.yaml:free": "a b"}, Params())
    assert made == ["set.yaml:crop=boxes", "set.yaml:~list", "set.yaml:+list=[2]", "set.yaml:+free=a\\ b"]
    for file, texts in to_path_overrides(made).items():
        apply_overrides(tmp_path / file, texts)
    assert load_params(tmp_path / "set.yaml") == {"crop": "boxes", "list": [2], "free": "a b"}
