"""The file of a comparison: what is refused, and which runs follow from it."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from support.project import PROJECT, committed_params, default_params

from pipeline.base.errors import UserError
from pipeline.experiments.changes import Params, changed, read_changes
from pipeline.experiments.check import check_params
from pipeline.experiments.plan import PlannedRun, plan_runs, read_comparison, setting_changes

PARAMS = default_params()


def plan(
    folder: Path, text: str, params: dict | None = None, reads: Callable = dict, name: str = "mine.yaml"
) -> list[PlannedRun]:
    path = folder / name
    path.write_text(text)
    files = Params({"params.yaml": PARAMS if params is None else params})
    return plan_runs(read_comparison(path), path.stem, files, reads)


def test_runs_are_settings_times_seeds(tmp_path):
    text = "seeds: [3, 1]\ncommon: {adapt.lr: 0.1, adapt.steps: 5}\nsettings: {a: {}, b: {adapt.lr: 0.2}}"
    runs = plan(tmp_path, text)
    assert [(run.setting, run.seed) for run in runs] == [("a", 3), ("b", 3), ("a", 1), ("b", 1)]
    assert runs[1].changes == {"seed": 3, "adapt.lr": 0.2, "adapt.steps": 5}
    assert [run.name.rpartition("-")[0] for run in runs] == ["mine-a-3", "mine-b-3", "mine-a-1", "mine-b-1"]
    assert len({run.name.rpartition("-")[2] for run in runs}) == 4


def test_the_name_changes_with_what_is_read_and_with_nothing_else(tmp_path):
    text = "seeds: [1]\nsettings: {a: {adapt.lr: 0.1}}"

    def name(**other) -> str:
        return plan(tmp_path, **({"text": text} | other))[0].name

    assert name() == name()
    assert name() != name(reads=lambda params: [params, "edited"])
    assert name() != name(text=text.replace("0.1", "0.2"))
    assert name() != name(params=changed(PARAMS, {"finetune.epochs": 3}))
    # The setting says so itself; a seed that all runs replace; and the order of keys.
    assert name() == name(params=changed(PARAMS, {"adapt.lr": 0.1, "seed": 7}))
    assert name() == name(params=dict(reversed(PARAMS.items())))
    assert name() == name(text=text.replace("adapt.lr: 0.1", "adapt: {lr: 1e-1}"))
    assert name(reads=lambda params: params["params.yaml"]["seed"]) == name(
        text=text.replace("0.1", "0.2"), reads=lambda _: 1
    )


def test_keys_of_several_kinds_make_a_name_too(tmp_path):
    name = "pipeline/datasets/table/params.yaml:rename"
    text = f"seeds: [1]\nsettings: {{a: {{{name}: {{0: item, their: category, null: 2020-01-01}}}}}}"
    (run,) = plan(tmp_path, text)
    (other,) = plan(tmp_path, text.replace("0:", "'0':"))
    assert run.name != other.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seeds: [1]\nsettings: {a: {}}\nmetrics: map", "mine.metrics: unknown key; did you mean 'metric'?"),
        ("seeds: [1]", "mine.settings: missing key"),
        ("seeds: []\nsettings: {a: {}}", "mine.seeds: "),
        ("seeds: [1, 2, 1]\nsettings: {a: {}}", "mine.seeds: should differ"),
        ("seeds: [-1]\nsettings: {a: {}}", "mine.seeds.0: greater than or equal to 0"),
        ("seeds: [1]\nsettings: {}", "mine.settings: "),
        ("seeds: [1]\nsettings: {a b: {}}", "mine.settings.a b"),
        ("seeds: [1]\nscope: some\nsettings: {a: {}}", "mine.scope: 'all' or 'aligned', found 'some'"),
        (
            "seeds: [1]\nsettings: {a: {adapt.lrr: 1}}",
            "settings.a: params.yaml has no adapt.lrr; did you mean adapt.lr?",
        ),
        (
            "seeds: [1]\ncommon: {adpt: {lr: 1}}\nsettings: {a: {}}",
            "common: params.yaml has no adpt; did you mean adapt?",
        ),
        ("seeds: [1]\nsettings: {a: {adapt.lr.x: 1}}", "settings.a: params.yaml has no adapt.lr.x"),
        ("seeds: [1]\nsettings: {a: {seed: 1}}", "list it under seeds"),
        ("seeds: [1]\nsettings: {a: {adapt.lr: 1, adapt: {lr: 1}}}", "settings.a: adapt.lr is set twice"),
        (
            "seeds: [1]\ncommon: {data.alignment: {}}\nsettings: {a: {data.alignment.tops: [x]}}",
            "settings.a: data.alignment is set as a whole",
        ),
        ("seeds: [1]\nsettings: {a: {}, a: {}}", "mine.yaml line"),
        ("seeds: [1]\nsettings: {a: {adapt.lr: 2020-99-99}}", "mine.yaml: not valid YAML: month must be"),
        ("seeds: [1]\x01", "mine.yaml: not valid YAML: unacceptable character"),
    ],
)
def test_mistakes_are_one_line(tmp_path, text, said):
    with pytest.raises(UserError) as caught:
        plan(tmp_path, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_cannot_name_runs(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_comparison(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="runs are called after the file"):
        plan(tmp_path, "seeds: [1]\nsettings: {a: {}}", name="my comparison.yaml")


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("seeds: [1]\nsettings: {é: {}}".encode("latin-1"))
    with pytest.raises(UserError, match=r"mine\.yaml: not text in UTF-8; save it as UTF-8$"):
        read_comparison(path)


def test_null_is_an_empty_mapping_where_keys_are_the_users_own():
    params = changed(PARAMS, {"data.alignment": None, "adapt": None})
    changes = read_changes({"data.alignment.tops": ["a"]}, Params({"params.yaml": params}), "x")
    assert changed(params, changes)["data"]["alignment"] == {"tops": ["a"]}
    assert params["data"]["alignment"] is None
    with pytest.raises(UserError, match=r"^x: params\.yaml has no adapt\.lr; see there$"):
        read_changes({"adapt.lr": 1}, Params({"params.yaml": params}), "x")


def test_single_params_of_sections_but_mappings_of_the_users_keys_whole():
    written = {
        "finetune": {"model": {"output": "l2"}, "epochs": 3},
        "data": {"alignment": {"tops": ["shirt"]}},
        "recipes.triplet.loss.args.their column": "item",
        "recipes.triplet.miner": None,
        "adapt.views.counts": {"street": 4},
    }
    known = changed(PARAMS, {"adapt.views.counts": {"street": 8, "own_ground": 8}})
    changes = read_changes(written, Params({"params.yaml": known}), "x")
    assert changes == {
        "finetune.model.output": "l2",
        "finetune.epochs": 3,
        "data.alignment": {"tops": ["shirt"]},
        "recipes.triplet.loss.args.their column": "item",
        "recipes.triplet.miner": None,
        "adapt.views.counts": {"street": 4},
    }
    before = deepcopy(PARAMS)
    made = changed(PARAMS, changes)
    assert before == PARAMS
    assert made["data"]["alignment"] == {"tops": ["shirt"]}
    assert made["recipes"]["triplet"]["loss"]["args"]["their column"] == "item"
    assert made["finetune"]["model"] == PARAMS["finetune"]["model"] | {"output": "l2"}


@pytest.mark.parametrize("file", sorted(PROJECT.glob("docs/comparisons/*.yaml")), ids=lambda file: file.stem)
def test_the_shipped_comparisons_fit_the_params(file, monkeypatch):
    monkeypatch.chdir(PROJECT)  # mdfe changes params of sets, too
    files = Params({"params.yaml": committed_params()})
    for values in setting_changes(read_comparison(file), files).values():
        check_params(files.changed(values)["params.yaml"])


def test_the_recipes_that_are_compared():
    comparison = read_comparison(PROJECT / "docs/comparisons/recipes.yaml")
    changes = setting_changes(comparison, Params({"params.yaml": PARAMS}))
    assert list(changes) == ["triplet", "category_triplet", "dada", "dada_published"]
    recipes = {name: values.get("finetune.recipe", "triplet") for name, values in changes.items()}
    assert recipes == {name: name.removesuffix("_published") for name in changes}


def test_params_of_other_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sets").mkdir()
    Path("sets/a.yaml").write_text("crop: none\nlists: {kind: official}\n")
    params = Params({"params.yaml": PARAMS})
    changes = read_changes({"sets/a.yaml:crop": "boxes", "sets/a.yaml:lists": {"kind": "own"}, "seed": 3}, params, "x")
    assert changes == {"sets/a.yaml:crop": "boxes", "sets/a.yaml:lists.kind": "own", "seed": 3}
    made = params.changed(changes)
    assert made["sets/a.yaml"] == {"crop": "boxes", "lists": {"kind": "own"}}
    assert made["params.yaml"]["seed"] == 3
    assert params["sets/a.yaml"]["crop"] == "none"
    for name, said in (
        ("sets/a.yaml:crob", r"x: sets/a\.yaml has no crob; did you mean crop\?"),
        ("sets/b.yaml:crop", r"sets/b\.yaml: no such file"),
    ):
        with pytest.raises(UserError, match=said):
            read_changes({name: 1}, params, "x")
    # A colon in a key of the user's own names no file.
    name = "data.alignment.their: category"
    assert list(read_changes({name: ["item"], "params.yaml:seed": 1}, params, "x")) == [name, "seed"]
