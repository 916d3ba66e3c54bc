"""What a run depends on, as dvc.yaml says: nothing else makes it new."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.project import PROJECT, default_params

from pipeline.base.errors import UserError
from pipeline.experiments.changes import Params
from stages._experiments.dependencies import PACKAGES, Dependencies, dependencies, files_at
from stages._experiments.queue import open_repo

TRACKED = {
    path.relative_to(PROJECT).as_posix(): "content"
    for pattern in ("*.*", "Makefile", "pipeline/**/*.py", "stages/*.py", "tests/*.py")
    for path in PROJECT.glob(pattern)
}


def state(changes: dict[str, Any] | None = None, **edits: str) -> Dependencies:
    params = Params({"params.yaml": default_params()}).changed(changes or {})
    with open_repo() as repo:
        return dependencies(repo, params, TRACKED | edits)


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("README.md", False),
        ("Makefile", False),
        ("params.yaml", False),
        ("dvc.lock", False),
        ("tests/conftest.py", False),
        ("stages/compare.py", False),
        ("pipeline/experiments/table.py", False),
        ("pipeline/recipes/dada/criterion.py", False),
        ("pipeline/datasets/table/reader.py", False),
        ("pipeline/recipes/triplet/recipe.py", True),
        ("pipeline/datasets/atelier/reader.py", True),
        ("pipeline/datasets/atelier/world.py", True),  # below the folder data.source
        ("pipeline/strategies/ws5.py", True),
        ("stages/finetune.py", True),
        (PACKAGES, True),
    ],
)
def test_an_edit_makes_runs_new_that_read_the_file(path, read):
    assert path in TRACKED
    assert (state(**{path: "edited"}) != state()) == read


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("recipes.dada.adversarial_weight", 0.5, False),
        ("pipeline/datasets/table/params.yaml:table", "other.csv", False),
        ("pipeline/datasets/atelier/params.yaml:image_size", 32, True),
        ("runtime.workers", 0, False),
        ("recipes.triplet.batch_items", 3, True),
        ("seed", 99, True),
        ("evaluate.bootstrap", 3, True),
        ("data.source", "/elsewhere", True),
    ],
)
def test_a_param_makes_runs_new_that_read_it(name, value, read):
    assert (state({name: value}) != state()) == read


def test_another_recipe_reads_its_own_file_and_params():
    chosen = {"finetune.recipe": "dada"}
    assert state(chosen, **{"pipeline/recipes/dada/criterion.py": "edited"}) != state(chosen)
    assert state(chosen, **{"pipeline/recipes/triplet/recipe.py": "edited"}) == state(chosen)
    assert state(chosen | {"recipes.dada.adversarial_weight": 0.5}) != state(chosen)
    assert state(chosen | {"recipes.triplet.batch_items": 3}) == state(chosen)


def test_templates_are_filled_and_a_matrix_gives_a_stage_for_each_entry(folder):
    entry = "matrix: {part: [x, y]}, cmd: 'run ${item.part} ${a.b}', params: ['c.${a.b}'], deps: ['d/${a.b}', e]"
    found = depending(
        folder, f"stages: {{a: {{{entry}}}}}", {"a": {"b": "n"}, "c": {"n": [1], "m": 2}}, "d/n/1", "e.dvc"
    )
    assert found.commands == [("run x n", {"c.n": [1]}), ("run y n", {"c.n": [1]})]
    assert found.paths == ["d/n", "e", PACKAGES]
    assert found.files == {"d/n/1": "content", "e.dvc": "content"}


def test_a_matrix_over_a_list_of_params_and_params_of_other_files(folder):
    text = """
stages:
  download:
    matrix: {set: '${data.sets}'}
    cmd: python get.py ${item.set}
    wdir: work
    params: [../params.yaml: [data.sets], '../sets/${item.set}.yaml': [crop, lists.kind]]
    deps: ['../sets/${item.set}']
    outs: ['raw/${item.set}']
  prepare:
    cmd: [one, two]
    params: [sets/a.yaml: ]
    deps: [work/raw, get.py]
"""
    (folder / "sets").mkdir()
    for name in "abc":
        (folder / f"sets/{name}.yaml").write_text("{crop: none, lists: {kind: official, other: 1}}")
    tracked = ["get.py", "sets/a/reader.py", "sets/b/reader.py", "sets/c/reader.py"]

    def found(changes: dict[str, Any]) -> Dependencies:
        return depending(folder, text, {"data": {"sets": ["a", "b"]}}, *tracked, changes=changes)

    made = found({})
    sets, whole = ["a", "b"], {"crop": "none", "lists": {"kind": "official", "other": 1}}
    assert made.commands == [
        ("python get.py a", {"data.sets": sets, "sets/a.yaml:crop": "none", "sets/a.yaml:lists.kind": "official"}),
        ("python get.py b", {"data.sets": sets, "sets/b.yaml:crop": "none", "sets/b.yaml:lists.kind": "official"}),
        (["one", "two"], {"sets/a.yaml:": whole}),
    ]
    assert made.paths == ["get.py", PACKAGES, "sets/a", "sets/b", "work/raw"]
    assert made.files == dict.fromkeys(tracked[:3], "content")
    assert found({"sets/b.yaml:crop": "boxes"}) != made
    assert found({"sets/b.yaml:lists.other": 2}) == made
    assert found({"sets/a.yaml:lists.other": 2}) != made
    assert found({"sets/c.yaml:crop": "boxes"}) == made
    assert found({"data.sets": ["a", "c"]}).paths == ["get.py", PACKAGES, "sets/a", "sets/c", "work/raw"]
    assert found({"data.sets": ["a"]}).files == dict.fromkeys(tracked[:2], "content")


def test_what_queued_runs_would_not_see_is_refused(folder):
    text = "stages: {a: {cmd: x, deps: ['${s}']}, b: {cmd: y, deps: [out/z], outs: [out]}}"
    text = text.replace("deps: [out/z], outs", "outs").replace("'${s}'", "'${s}', out/z")
    for source in (".", "kept/1", str(folder / "photos")):
        depending(folder, text, {"s": source}, "kept.dvc", "get.py")
    with pytest.raises(UserError, match=f"^photos is tracked by neither Git nor DVC.* absolute path, {folder}/photos$"):
        depending(folder, text, {"s": "photos"}, "kept.dvc", "get.py")


def test_files_that_a_path_means(tmp_path):
    files = ["a", "a.dvc", "ab", "b/c", "b/c/d", "b.dvc", "b/c.dvc", "e/b", "e.dvc"]
    assert files_at(["a"], files) == ["a", "a.dvc"]
    assert files_at(["./b/c/"], files) == ["b/c", "b/c/d", "b.dvc", "b/c.dvc"]
    assert files_at([str(Path.cwd() / "b/c/d")], files) == ["b/c/d", "b.dvc", "b/c.dvc"]
    assert files_at([str(tmp_path), "../elsewhere/a"], files) == []
    assert files_at(["."], files) == files_at([""], files) == files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: [1]", "DVC: './dvc.yaml' validation failed"),
        ("stages: {a: {cmdd: x}}", "DVC: './dvc.yaml' validation failed"),
        ("stages: {a: {cmd: x, params: [none]}}", "dvc.yaml: params.yaml has no none; add it there"),
        ("stages: {a: {cmd: x, params: [b.yaml: [none]]}}", "b.yaml: no such file"),
        ("stages: {a: {cmd: x, deps: ['${no.ne}']}}", "DVC: failed to parse 'stages.a.deps' in 'dvc.yaml': Could not"),
    ],
)
def test_what_is_wrong_in_dvc_yaml_is_one_line(folder, text, said):
    with pytest.raises(UserError) as caught:
        depending(folder, text, {"a": 1})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty project, which is the current folder."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def depending(
    folder: Path, text: str, params: dict[str, Any], *tracked: str, changes: dict[str, Any] | None = None
) -> Dependencies:
    (folder / "dvc.yaml").write_text(text)
    (folder / "params.yaml").write_text("other: 1")  # is not what counts
    with open_repo() as repo:
        files = Params({"params.yaml": params}).changed(changes or {})
        return dependencies(repo, files, dict.fromkeys(tracked, "content"))
