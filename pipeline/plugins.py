"""Plugins: a package whose modules are the choices, so that adding one means adding one file."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from pipeline.errors import UserError


def plugin_names(package: str) -> list[str]:
    """Names of the modules in `package`, sorted; nothing is imported but the package itself."""
    return sorted(module.name for module in iter_modules(import_module(package).__path__))


def load_plugin(package: str, name: str, param: str) -> ModuleType:
    """Import the module `name` of `package`.

    Raises UserError naming `param` and listing the known names when there is no such module.
    """
    known = plugin_names(package)
    if name not in known:
        raise UserError(f"{param}: unknown name {name!r}; known: {', '.join(known)}")
    return import_module(f"{package}.{name}")
