"""Write the code dependencies of every stage into dvc.yaml: exactly the project modules that the stage runs."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import click

from stages._cli import one_line_errors

DVC_FILE = Path("dvc.yaml")

# Stages that import a plugin by name: its package, and how dvc.yaml spells the file or folder of the chosen one.
PLUGINS = {
    "download": ("pipeline.datasets", "${item.set}"),
    "finetune": ("pipeline.recipes", "${finetune.recipe}"),
    "weight": ("pipeline.strategies", "${weight.strategy}.py"),
}

# Plugins that a stage imports all of.
EVERY = {"evaluate": "pipeline.evaluation.metrics"}

# What everything stands on is named whole by whoever uses any of it: nothing there changes without concerning all.
GROUND = ("pipeline/base", "pipeline/arrays")


def code_deps(stage: str) -> list[str]:
    """Sorted paths of what `stage` runs: its import closure, the chosen plugin, and what any plugin imports.

    A folder stands for its modules where the stage uses it whole, or any of it if that is the ground floor.
    """
    from pipeline.base.code import import_closure, module_file, modules_below
    from pipeline.base.plugins import plugin_names

    modules, chosen = {f"stages.{stage}"}, set()
    if stage in EVERY:
        modules |= modules_below(EVERY[stage])
    if stage in PLUGINS:
        package, spelled = PLUGINS[stage]
        plugins = {module for name in plugin_names(package) for module in modules_below(f"{package}.{name}")}
        shared = import_closure(modules | plugins) - plugins
        chosen = {f"{package.replace('.', '/')}/{spelled}"}
    else:
        shared = import_closure(modules)
    return sorted(whole_folders(module_file(module) for module in shared) | chosen)


def whole_folders(files: Iterable[Path]) -> set[str]:
    """The same files as paths of the project, with each topmost folder in place of all the modules below it."""
    from pipeline.base.code import PROJECT

    left, found = {PurePosixPath(file.as_posix()) for file in files}, set()
    folders = {parent for file in left for parent in file.parents if len(parent.parts) > 1}
    for folder in sorted(folders, key=lambda path: len(path.parts)):
        inside = {path for path in left if path.is_relative_to(folder)}
        below = {
            PurePosixPath(path.relative_to(PROJECT).as_posix())
            for path in (PROJECT / folder).rglob("*.py")
            if path.name != "__init__.py"
        }
        if (len(below) > 1 and inside == below) or (inside and str(folder) in GROUND):
            found.add(str(folder))
            left -= inside
    return found | set(map(str, left))


def is_code(path: str) -> bool:
    """Whether a dependency in dvc.yaml is written by this command."""
    return path.startswith(("pipeline/", "stages/"))


def with_code_deps(content: dict[str, Any]) -> dict[str, Any]:
    """The parsed dvc.yaml with every stage's code dependencies replaced; data dependencies come first, as written.

    A stage without dependencies keeps none: `check`, whose output no code changes.
    """
    for name, stage in content["stages"].items():
        if "deps" not in stage:
            continue
        data = [path for path in stage["deps"] if not is_code(path)]
        stage["deps"][:] = [*data, *code_deps(name)]
    return content


@click.command(help=__doc__)
def main() -> None:
    """Rewrite dvc.yaml in place, comments kept."""
    from ruamel.yaml import YAML

    with one_line_errors("deps"):
        yaml = YAML()
        yaml.width = 120
        yaml.indent(mapping=2, sequence=4, offset=2)
        content = with_code_deps(yaml.load(DVC_FILE.read_text()))
        for stage in content["stages"].values():
            if "deps" in stage:
                stage["deps"].fa.set_flow_style()  # in lines filled with paths, or the file is mostly theirs
        with open(DVC_FILE, "w", encoding="utf-8") as file:
            yaml.dump(content, file, transform=_tidy)


def _tidy(text: str) -> str:
    """Without blanks at the ends of lines; after a full line ruamel indents the next one less."""
    return re.sub(r"^ {6}(?=[a-z_]+/)", " " * 10, text.replace(" \n", "\n"), flags=re.MULTILINE)


if __name__ == "__main__":
    main()
