"""Write the code dependencies of every stage into dvc.yaml: exactly the project modules that the stage runs."""

from pathlib import Path
from typing import Any

import click

from stages._cli import one_line_errors

DVC_FILE = Path("dvc.yaml")

# Stages that import a plugin by name: its package, and how dvc.yaml spells the file or folder of the chosen one.
PLUGINS = {
    "download": ("pipeline.datasets", "${data.dataset}.py"),
    "prepare": ("pipeline.datasets", "${data.dataset}.py"),
    "finetune": ("pipeline.recipes", "${finetune.recipe}"),
    "weight": ("pipeline.weighting.strategies", "${weight.strategy}.py"),
}
# Code that is the dataset itself: data.source names it, so other datasets do not depend on it.
DATA_CODE = "pipeline/atelier/"


def code_deps(stage: str) -> list[str]:
    """Sorted paths of the modules `stage` runs: its import closure, the chosen plugin, and what any plugin imports."""
    from pipeline.imports import import_closure, module_file
    from pipeline.plugins import plugin_modules, plugin_names

    modules, chosen = {f"stages.{stage}"}, set()
    if stage in PLUGINS:
        package, spelled = PLUGINS[stage]
        plugins = {module for name in plugin_names(package) for module in plugin_modules(package, name)}
        shared = import_closure(modules | plugins) - plugins
        chosen = {f"{package.replace('.', '/')}/{spelled}"}
    else:
        shared = import_closure(modules)
    paths = {module_file(module).as_posix() for module in shared}
    return sorted({path for path in paths if not path.startswith(DATA_CODE)} | chosen)


def is_code(path: str) -> bool:
    """Whether a dependency in dvc.yaml is written by this command."""
    return path.startswith(("pipeline/", "stages/"))


def with_code_deps(content: dict[str, Any]) -> dict[str, Any]:
    """The parsed dvc.yaml with every stage's code dependencies replaced; data dependencies come first, as written."""
    for name, stage in content["stages"].items():
        data = [path for path in stage["deps"] if not is_code(path)]
        stage["deps"] = [*data, *code_deps(name)]
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
        with open(DVC_FILE, "w", encoding="utf-8") as file:
            yaml.dump(content, file)


if __name__ == "__main__":
    main()
