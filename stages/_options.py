"""Options that several commands have."""

from pathlib import Path

import click

from pipeline.base.names import INDEX_FOLDER, Part

index_option = click.option(
    "--index",
    type=click.Path(path_type=Path, readable=False),
    default=INDEX_FOLDER,
    show_default=True,
    help="Folder of the index.",
)

device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where the networks run.",
)

parts_option = click.option(
    "--part",
    "parts",
    type=click.Choice([str(part) for part in Part]),
    multiple=True,
    default=[str(part) for part in Part],
    help="Part of the manifest; may be given several times.  [default: all]",
)
