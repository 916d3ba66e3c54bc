"""What a run depends on, as dvc.yaml says: nothing else makes it new."""

from pathlib import Path
from typing import Any

import pytest
from support.project import PROJECT, default_params

from pipeline.base.errors import UserError
from pipeline.experiments.changes import changed
from stages._experiments.dependencies import PACKAGES, dependencies, files_at, read_stages

STAGES = read_stages(PROJECT / "dvc.yaml")
TRACKED = {
    path.relative_to(PROJECT).as_posix(): "content"
    for pattern in ("*.*", "Makefile", "pipeline/**/*.py", "stages/*.py", "tests/*.py")
    for path in PROJECT.glob(pattern)
}


def state(changes: dict[str, Any] | None = None, **edits: str) -> list:
    params = changed(default_params(), changes or {})
    return dependencies(STAGES, params).state(TRACKED | edits)


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
        ("pipeline/recipes/triplet/pairs.py", True),
        ("pipeline/datasets/atelier/reader.py", True),
        ("pipeline/datasets/atelier/world.py", True),  # below the folder data.source
        ("pipeline/weighting/strategies/ws5.py", True),
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
        ("datasets.table.manifest", "other.csv", False),
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
    assert state(chosen, **{"pipeline/recipes/triplet/pairs.py": "edited"}) == state(chosen)
    assert state(chosen | {"recipes.dada.adversarial_weight": 0.5}) != state(chosen)
    assert state(chosen | {"recipes.triplet.batch_items": 3}) == state(chosen)


def test_templates_are_filled_and_a_matrix_gives_a_stage_for_each_entry(tmp_path):
    entry = "matrix: {part: [x, y]}, cmd: 'run ${item.part} ${a.b}', params: ['c.${a.b}'], deps: ['d/${a.b}']"
    found = dependencies(stages_of(tmp_path, f"stages: {{a: {{{entry}}}}}"), {"a": {"b": "n"}, "c": {"n": [1], "m": 2}})
    assert found.stages == [("run x n", {"c.n": [1]}), ("run y n", {"c.n": [1]})]
    assert found.paths == {"d/n", PACKAGES}


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
        ("a: 1", "dvc.yaml: stages: expected a mapping"),
        ("stages: {a: {foreach: [1], do: {cmd: x}}}", "dvc.yaml: stages.a.cmd: missing key"),
        ("stages: {a: {cmd: x, wdir: y}}", "dvc.yaml: stages.a.wdir: unknown key"),
        ("stages: {a: {cmd: x, params: [none]}}", "dvc.yaml: params.yaml has no none; add it there"),
        ("stages: {a: {cmd: x, deps: ['${no.ne}']}}", "dvc.yaml: params.yaml has no no.ne"),
    ],
)
def test_what_is_wrong_in_dvc_yaml_is_one_line(tmp_path, text, said):
    with pytest.raises(UserError) as caught:
        dependencies(stages_of(tmp_path, text), {})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def stages_of(folder: Path, text: str) -> list:
    (folder / "dvc.yaml").write_text(text)
    return read_stages(folder / "dvc.yaml")
