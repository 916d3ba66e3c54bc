"""Plugins: a package whose modules or packages are the choices, so that adding one means adding a file or a folder."""

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pipeline.base.errors import UserError


def plugin_names(package: str) -> list[str]:
    """Names of the modules and folders in `package`, sorted; those that begin with _ or . are no choices.

    Nothing is imported but the package itself.
    """
    entries = [entry for path in import_module(package).__path__ for entry in Path(path).iterdir()]
    names = [
        entry.name if entry.is_dir() else entry.stem for entry in entries if entry.is_dir() or entry.suffix == ".py"
    ]
    return sorted(name for name in names if not name.startswith(("_", ".")))


def load_plugin(package: str, name: str, param: str) -> ModuleType:
    """Import the module or package `name` of `package`.

    Raises UserError naming `param` and listing the known names, the closest once more, when there is no such module.
    """
    known = plugin_names(package)
    if name not in known:
        hint = "".join(f"; did you mean {close!r}?" for close in get_close_matches(name, known, n=1))
        raise UserError(f"{param}: unknown name {name!r}; known: {', '.join(known)}{hint}")
    return import_module(f"{package}.{name}")
