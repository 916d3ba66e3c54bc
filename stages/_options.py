"""Options that several commands have."""

from pathlib import Path

import click

from pipeline.base.names import INDEX_FOLDER

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
