"""The shape of the project: what may import what, and that dvc.yaml tells the truth about code."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from ruamel.yaml import YAML

from pipeline.base.code import PROJECT, import_closure, module_file, modules_below
from pipeline.base.names import AdaptedName, ModelName, Part, PartName
from pipeline.base.plugins import plugin_names
from pipeline.datasets._shared.face import DATASETS
from pipeline.params.views import Kind
from pipeline.views.view import KINDS
from stages.deps import EVERY, PLUGINS, code_deps, is_code

MODULES = sorted(path for folder in ("pipeline", "stages") for path in (PROJECT / folder).rglob("*.py"))
STAGES = ("download", "prepare", "finetune", "extract", "draw", "cluster", "weight", "adapt", "index", "evaluate")


def test_names_in_params_are_those_of_the_code():
    assert list(get_args(AdaptedName)) == [str(name) for name in ModelName if name != ModelName.BASELINE]
    assert (get_args(PartName), get_args(Kind)) == (tuple(Part), KINDS)


def test_reports_that_dvc_leaves_to_git_are_in_git():
    """`git commit -a` takes the results of a run along only if all of them are tracked."""
    content = YAML(typ="safe").load((PROJECT / "dvc.yaml").read_text())
    outs = [out for stage in content["stages"].values() for out in [*stage["outs"], *stage.get("metrics", [])]]
    wanted = {name for out in outs if isinstance(out, dict) for name, how in out.items() if how == {"cache": False}}
    listed = subprocess.run(["git", "ls-files", "metrics"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    assert len(wanted) > 8
    assert wanted <= set(listed.stdout.split())


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_library_knows_neither_click_nor_dvc_nor_stages():
    for path in MODULES:
        if path.is_relative_to(PROJECT / "pipeline"):
            roots = {name.split(".")[0] for name in _imports(path)}
            assert not roots & {"click", "dvc", "stages"}, path


def test_no_stage_imports_another():
    for path in (PROJECT / "stages").glob("*.py"):
        others = {name for name in _imports(path) if name.startswith("stages.")}
        assert all(name.startswith("stages._") for name in others), path


def test_no_set_imports_the_folder_of_another():
    for name in plugin_names(DATASETS):
        for module in modules_below(f"{DATASETS}.{name}"):
            folders = {one.split(".")[2] for one in import_closure([module]) if one.startswith(f"{DATASETS}.")}
            assert {one for one in folders if not one.startswith("_")} == {name}, module


def test_package_files_hold_only_a_docstring():
    # Import closures leave them out, which is sound only as long as they do nothing.
    for path in MODULES:
        if path.name == "__init__.py":
            body = ast.parse(path.read_text()).body
            assert len(body) == 1, path
            assert isinstance(body[0], ast.Expr), path
            assert isinstance(body[0].value, ast.Constant), path


def _written_deps(stage: str) -> list[str]:
    content = YAML(typ="safe").load((PROJECT / "dvc.yaml").read_text())
    return content["stages"][stage]["deps"]


@pytest.mark.parametrize("stage", STAGES)
def test_code_deps_in_dvc_yaml_are_the_import_closure(stage):
    written = [path for path in _written_deps(stage) if is_code(path)]
    assert written == code_deps(stage), "run `make deps`"
    assert len(set(_written_deps(stage))) == len(_written_deps(stage))


@pytest.mark.parametrize(
    ("stage", "plugin"), [(stage, name) for stage, (package, _) in PLUGINS.items() for name in plugin_names(package)]
)
def test_every_plugin_is_covered_by_the_deps_of_its_stage(stage, plugin):
    package, spelled = PLUGINS[stage]
    name = spelled.partition("}")[0] + "}"
    deps = [path.replace(name, plugin) for path in _written_deps(stage) if is_code(path)]

    def covered(modules):
        return [any(module_file(module).is_relative_to(dep) for dep in deps) for module in modules]

    own = modules_below(f"{package}.{plugin}")
    assert all(covered(import_closure([f"stages.{stage}", *own])))
    others = [modules_below(f"{package}.{name}") for name in plugin_names(package) if name != plugin]
    assert not any(covered(set().union(*others))), "an edit to one plugin must not rerun another"


def test_retrieval_knows_nothing_of_metrics():
    for path in (PROJECT / "pipeline/retrieval").glob("*.py"):
        assert not [name for name in _imports(path) if name.startswith(("pipeline.evaluation", "pipeline.reporting"))]


@pytest.mark.parametrize(("stage", "package"), EVERY.items())
def test_plugins_that_are_used_together_are_deps_together(stage, package):
    deps = [path for path in _written_deps(stage) if is_code(path)]
    for module in modules_below(package):
        assert any(module_file(module).is_relative_to(dep) for dep in deps), module


def test_evaluation_code_does_not_retrain():
    trained = {path for stage in ("finetune", "extract", "adapt") for path in code_deps(stage)}
    assert not [path for path in trained if path.startswith(("pipeline/evaluation/", "pipeline/retrieval/"))]


def test_importing_stages_loads_nothing_heavy():
    names = ", ".join(f"stages.{stage}" for stage in STAGES)
    heavy = ("torch", "pandas", "timm", "sklearn", "numpy", "h5py")
    code = f"import {names}, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
