"""Command views: a look at the street views of catalogue pictures. Not a stage of the chain."""

from pathlib import Path

import click

from pipeline.base.names import Part
from stages._cli import Run, stage


@click.option(
    "--part",
    type=click.Choice([str(part) for part in Part]),
    default=str(Part.TARGET_TEST),
    show_default=True,
    help="Part whose shop pictures are shown.",
)
@click.option("--pictures", type=click.IntRange(min=1), default=12, show_default=True, help="Evenly taken from it.")
@click.option(
    "--street", type=click.IntRange(min=0), default=5, show_default=True, help="Views on other photos' borders."
)
@click.option("--own-ground", type=click.IntRange(min=0), default=3, show_default=True, help="Views on the own ground.")
@click.option("--side", type=click.IntRange(min=16), default=160, show_default=True, help="Pixels of a view.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default="metrics/views.png",
    show_default=True,
    help="PNG file.",
)
@stage
def main(run: Run, *, part: str, pictures: int, street: int, own_ground: int, side: int, out: Path) -> None:
    """Draw a sheet of catalogue pictures with views of them, a row a picture.

    A view is what a photo of the garment might look like: cut off its ground, turned, on the border of a consumer
    picture of the source or on its own ground, in another light, by another camera.
    """
    import numpy as np

    from pipeline.base.errors import UserError
    from pipeline.base.names import DIGEST, DOMAIN, MANIFEST_FILE, RAW_FOLDER, Domain
    from pipeline.base.progress import progress
    from pipeline.images.loading import Pictures
    from pipeline.images.transforms import PictureInput, framed
    from pipeline.reporting.contact_sheet import write_sheet
    from pipeline.reporting.views_sheet import views_sheet
    from pipeline.table.manifest import has_pictures, part_rows, read_manifest
    from pipeline.views.view import OWN_GROUND, STREET, Studio

    manifest = read_manifest(MANIFEST_FILE)
    shown, source = (manifest.iloc[part_rows(manifest, Part(name))] for name in (part, Part.SOURCE_TRAIN))
    shown, photos = shown[shown[DOMAIN] == Domain.SHOP], source[source[DOMAIN] == Domain.CONSUMER]
    if not has_pictures(shown) and len(shown):
        raise UserError(f"--part: {part} has features alone, no pictures")
    if shown.empty:
        raise UserError(f"--part: {part} has no shop pictures; choose another")
    if street and photos.empty:
        raise UserError("--street: the source has no consumer pictures to lay garments on; set it to 0")
    shown = shown.iloc[np.linspace(0, len(shown) - 1, min(pictures, len(shown))).round().astype(int)]
    taken = PictureInput(side, (0.0,) * 3, (1.0,) * 3, "bicubic")
    of_catalogue, of_street = (Pictures(table, RAW_FOLDER, framed(taken), side) for table in (shown, photos))
    studio, counts = Studio(of_street), {STREET: street, OWN_GROUND: own_ground}
    rows = [
        [picture, *studio.views(picture, counts, seed=run.seed, known=digest)]
        for picture, digest in progress(
            zip(of_catalogue, shown[DIGEST], strict=True), what="draw views", total=len(shown), unit="picture"
        )
    ]
    write_sheet(out, views_sheet(rows))
    run.say(f"{len(rows)} pictures with {street + own_ground} views each in {out}")


if __name__ == "__main__":
    main()
