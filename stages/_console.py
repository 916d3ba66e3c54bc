"""The console script `crosswear`: the commands beside the chain, each also `python -m stages.<module>`."""

from importlib import import_module

import click

MODULES = {
    "search": "search",
    "serve": "serve",
    "index": "catalogue",
    "compare": "compare",
    "convert": "convert",
    "bench": "bench",
    "check": "check",
    "views": "views",
    "export": "export",
}


class Commands(click.Group):
    """Commands whose modules are imported when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002  click's face
        """Their names, in the order of use."""
        return list(MODULES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:  # noqa: ARG002  click's face
        """The command of that name."""
        return import_module(f"stages.{MODULES[name]}").main if name in MODULES else None


@click.group(cls=Commands)
def main() -> None:
    """Cross-domain visual search for fashion. Run it in the project's folder; `dvc repro` runs the chain."""


if __name__ == "__main__":
    main()
