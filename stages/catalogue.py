"""Command catalogue: change an index that is there. Not a stage of the chain."""

from pathlib import Path

import click

from stages._cli import one_line_errors
from stages._options import device_option, index_option

SHOWN = 5  # unreadable pictures that are named


@click.group()
def main() -> None:
    """Add pictures to an index, or remove items. A page that is open shows them at once.

    The stage `index` builds data/index anew when its inputs changed, without what was added: change a copy of it.
    """


@main.command()
@click.argument("pictures", metavar="FOLDER|TABLE", type=click.Path(path_type=Path, readable=False))
@index_option
@device_option
def add(pictures: Path, index: Path, device: str) -> None:
    """Add the pictures of a folder, or of a table with the columns image, item, category and perhaps link.

    A folder is read by its manifest.csv, if it has one; else the name of a file is its item, and the folder that it
    lies in its category. What is there already is replaced.
    """
    with one_line_errors("catalogue"):
        from pipeline.base.devices import torch_device
        from pipeline.retrieval.catalogue.change import add_pictures
        from pipeline.retrieval.catalogue.entries import read_entries

        entries = read_entries(pictures)
        done = add_pictures(index, entries, torch_device(device))
        click.echo(
            f"catalogue: {done.added} pictures added to {index}, {done.replaced} of them in place of former ones"
        )
        for file, reason in done.left_out[:SHOWN]:
            click.echo(f"catalogue: left out {file} ({reason})")
        if len(done.left_out) > SHOWN:
            click.echo(f"catalogue: left out {len(done.left_out)} in all")


@main.command()
@click.argument("items", metavar="ITEM...", nargs=-1, required=True)
@index_option
def remove(items: tuple[str, ...], index: Path) -> None:
    """Remove all pictures of the items."""
    with one_line_errors("catalogue"):
        from pipeline.retrieval.catalogue.change import remove_items

        click.echo(f"catalogue: {remove_items(index, items)} pictures removed from {index}")


if __name__ == "__main__":
    main()
