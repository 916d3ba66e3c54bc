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
@click.option("--views", type=click.IntRange(min=1), default=4, show_default=True, help="The first ones of each kind.")
@click.option("--side", type=click.IntRange(min=16), default=160, show_default=True, help="Pixels of a view.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default="metrics/views.png",
    show_default=True,
    help="PNG file.",
)
@stage
def main(run: Run, *, part: str, pictures: int, views: int, side: int, out: Path) -> None:
    """Draw a sheet of catalogue pictures with the views of them that `draw` makes, a row a picture, kind by kind.

    views.kinds says which, views.photos from how many photos streets are taken; the side is that of the sheet.
    """
    import numpy as np

    from pipeline.base.errors import UserError
    from pipeline.base.names import DIGEST, MANIFEST_FILE, RAW_FOLDER
    from pipeline.base.progress import progress
    from pipeline.features.viewing import own_photos, street_photos, street_rows
    from pipeline.features.views import in_catalogue
    from pipeline.images.loading import Pictures
    from pipeline.images.transforms import PictureInput, framed
    from pipeline.params.views import ViewsParams
    from pipeline.reporting.contact_sheet import write_sheet
    from pipeline.reporting.views_sheet import views_sheet
    from pipeline.table.manifest import has_pictures, part_rows, read_manifest
    from pipeline.views.view import STREET, Studio

    params, manifest = run.section("views", ViewsParams), read_manifest(MANIFEST_FILE)
    listed = part_rows(manifest, Part(part))
    listed = listed[in_catalogue(manifest.iloc[listed])]
    shown = manifest.iloc[listed]
    if not has_pictures(shown) and len(shown):
        raise UserError(f"--part: {part} has features alone, no pictures")
    if shown.empty:
        raise UserError(f"--part: {part} has no shop pictures; choose another")
    taken = PictureInput(side, (0.0,) * 3, (1.0,) * 3, "bicubic")
    streets = street_rows(manifest, params.photos, run.seed)
    photos = street_photos(taken, manifest, RAW_FOLDER, streets)
    kinds = [kind for kind in params.kinds if kind != STREET or len(photos)]
    if not kinds:
        raise UserError("views.kinds: the source has no consumer pictures to lay garments on; add own_ground")
    chosen = listed[np.linspace(0, len(listed) - 1, min(pictures, len(listed))).round().astype(int)]
    shown = manifest.iloc[chosen]
    drawn, studio = Pictures(shown, RAW_FOLDER, framed(taken), side), Studio(photos)
    told = zip(drawn, shown[DIGEST], own_photos(manifest, chosen, streets), strict=True)
    rows = [
        [picture, *studio.views(picture, dict.fromkeys(kinds, views), seed=run.seed, known=digest, own=own)]
        for picture, digest, own in progress(told, what="draw views", total=len(shown), unit="picture")
    ]
    write_sheet(out, views_sheet(rows))
    run.say(f"{len(rows)} pictures with {views} views each of {', '.join(kinds)} in {out}")


if __name__ == "__main__":
    main()
