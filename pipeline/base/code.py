"""Which project modules a module runs, read from its import statements.

One computation serves three uses: the code dependencies of a stage in dvc.yaml, the test that compares them, and the
fingerprint that decides whether work in progress may be resumed.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipeline", "stages")


def import_closure(modules: Iterable[str]) -> set[str]:
    """Dotted names of the project modules reached from `modules` by imports, at any depth, themselves included.

    Imports inside functions count. Plugins, imported by name at run time, do not: name them in `modules`.
    """
    reached: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(_imported(module))
    return reached


def module_file(module: str) -> Path:
    """Path of `module` relative to the project, with forward slashes."""
    return _locate(module).relative_to(PROJECT)


def modules_below(name: str) -> set[str]:
    """Dotted names of all modules at any depth of the package `name`; of a module its own name."""
    path = _locate(name)
    if path.name != "__init__.py":
        return {name}
    files = (file.relative_to(path.parent) for file in path.parent.rglob("*.py") if file.name != "__init__.py")
    return {".".join([name, *file.with_suffix("").parts]) for file in files}


def is_of_project(module: str) -> bool:
    """Whether `module` holds code of the project, and no library's or test's."""
    # Packages hold nothing but a docstring (tests/test_layout.py), so only modules can change a result.
    parts = module.split(".")
    return parts[0] in PACKAGES and PROJECT.joinpath(*parts).with_suffix(".py").is_file()


def code_digest(modules: Iterable[str]) -> str:
    """sha256 (hex) over the names and sources of the import closure of `modules`."""
    digest = hashlib.sha256()
    for module in sorted(import_closure(modules)):
        digest.update(module.encode() + b"\0" + _locate(module).read_bytes() + b"\0")
    return digest.hexdigest()


def _locate(module: str) -> Path:
    path = PROJECT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _imported(module: str) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse(_locate(module).read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # `from package import module` names the module only in the alias.
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
            found.add(node.module)
    return frozenset(name for name in found if is_of_project(name))
