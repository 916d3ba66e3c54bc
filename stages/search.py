"""Command search: photos in, products out. Not a stage of the chain."""

import sys
from pathlib import Path
from typing import Any

import click

from stages._cli import EXIT_USER_ERROR, one_line_errors
from stages._options import device_option, index_option


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@index_option
@click.option("-k", default=10, show_default=True, help="Results a photo.")
@click.option("--like", "likes", multiple=True, help="Attribute to be alike in, of an index by them; may be repeated.")
@click.option("--box", help="Part of the photo that is searched: x,y,w,h in pixels of the upright picture.")
@click.option("--category", help="No other category is found.")
@click.option("--colour", default=0.0, show_default=True, help="Weight of the colours; published: 0.1.")
@click.option("--model", "models", multiple=True, help="A model of the index; may be repeated.  [default: the last]")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a table, for programs.")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the results as a picture too, to this PNG file.",
)
@device_option
def main(photos: tuple[Path, ...], index: Path, device: str, as_json: bool, sheet: Path | None, **wanted: Any) -> None:
    """Find the products that look like those in PHOTOS, in the index that the stage of that name makes.

    Prints a table with score, item, category and link, and with --like what is known of that attribute. The score is
    the cosine similarity of the embeddings, less the weighted distance of the colours.
    """
    with one_line_errors("search"):
        from pipeline.base.errors import UserError
        from pipeline.reporting.answers import answer_lines, answer_sheet, answer_table
        from pipeline.reporting.contact_sheet import write_sheet
        from pipeline.retrieval.boxes import parse_box
        from pipeline.retrieval.searcher import Searcher, UnreadablePhoto

        if sheet is not None and len(photos) > 1:
            raise UserError(f"--sheet: one picture for one photo, and {len(photos)} were given")
        box = None if wanted["box"] is None else parse_box(wanted["box"])
        searcher = Searcher.load(index, device=device, warm=True)
        terms = {
            "likes": wanted["likes"],
            "box": box,
            "category": wanted["category"],
            "colour_weight": wanted["colour"],
            "models": wanted["models"] or searcher.models[-1:],
        }
        unreadable = 0
        for photo in photos:
            try:
                answers = searcher.compare(photo, wanted["k"], **terms)
            except UnreadablePhoto as error:
                unreadable += 1
                click.echo(f"search: error: {error}", err=True)
                continue
            click.echo(answer_lines(photo, answers) if as_json else answer_table(photo, answers))
            if sheet is not None:
                write_sheet(sheet, answer_sheet(photo, box, answers, searcher))
                click.echo(f"search: {sheet}", err=True)
        if unreadable:
            sys.exit(EXIT_USER_ERROR)


if __name__ == "__main__":
    main()
