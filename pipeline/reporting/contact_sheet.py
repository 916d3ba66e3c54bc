"""Contact sheets: what one query finds, a row a model, so that two models can be compared at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from pipeline.base.atomic import replacing
from pipeline.base.errors import UserError
from pipeline.reporting.fonts import font_for

TOP = 10
TILE, GAP, MARGIN, TITLE, LINE = 112, 8, 16, 26, 18  # pixels; TITLE is the strip above a row of tiles
RIGHT_FRAME, WRONG_FRAME = 6, 2  # the width tells right from wrong where the colours do not
RIGHT, WRONG, UNKNOWN = (0, 150, 90), (205, 50, 35), (120, 120, 120)
FRAMES = {True: (RIGHT, RIGHT_FRAME), False: (WRONG, WRONG_FRAME), None: (UNKNOWN, WRONG_FRAME)}
INK, FAINT, PAPER, MOUNT = (30, 30, 30), (120, 120, 120), (255, 255, 255), (236, 236, 236)


@dataclass(frozen=True)
class ResultRow:
    """What `model` retrieved: pictures best first with whether they show the query's item (None: nobody knows).

    `note` stands at the right. `texts`: what stands below each of them. `looked`: how the model saw the query, pictures
    with what they are, before the results.
    """

    model: str
    results: Sequence[tuple[Image.Image, bool | None]]
    note: str
    texts: Sequence[str] = ()
    looked: Sequence[tuple[Image.Image, str]] = ()


def contact_sheet(query: Image.Image, caption: str, rows: Sequence[ResultRow]) -> Image.Image:
    """The query with its caption (a few lines) at the left, the first 10 results of every row at its right."""
    side = 2 * TILE
    left = MARGIN + side + 3 * GAP
    ahead = max((_ahead(row) for row in rows), default=0)
    row_height = TITLE + TILE + 2 * GAP + (LINE if any(row.texts or row.looked for row in rows) else 0)
    width = left + ahead + TOP * (TILE + GAP) - GAP + MARGIN
    caption_lines = caption.splitlines()
    height = 2 * MARGIN + max(len(rows) * row_height - 2 * GAP, TITLE + side + GAP + LINE * len(caption_lines))

    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    _text(draw, (MARGIN, MARGIN), "query", side, size=16)
    sheet.paste(_mount(query, side), (MARGIN, MARGIN + TITLE))
    for number, line in enumerate(caption_lines):
        _text(draw, (MARGIN, MARGIN + TITLE + side + GAP + LINE * number), line, side, size=14, fill=FAINT)
    for number, row in enumerate(rows):
        _draw_row(sheet, (left, MARGIN + number * row_height), ahead, row)
    return sheet


def write_sheet(path: Path, sheet: Image.Image) -> None:
    """Write the sheet as PNG, by rename. Raises UserError where `path` is a folder, which it would replace."""
    if path.is_dir():
        raise UserError(f"{path}: a folder; name a PNG file")
    with replacing(path) as aside:
        sheet.save(aside, format="PNG")


def _ahead(row: ResultRow) -> int:
    """Pixels before the results."""
    return len(row.looked) * (TILE + GAP) + (2 * GAP if row.looked else 0)


def _draw_row(sheet: Image.Image, corner: tuple[int, int], ahead: int, row: ResultRow) -> None:
    draw = ImageDraw.Draw(sheet)
    left, top = corner
    width = ahead + TOP * (TILE + GAP) - GAP
    _text(draw, (left, top), row.model, width * 2 // 3, size=16)
    draw.text((left + width, top + 2), row.note, FAINT, _font(row.note, 14), anchor="ra")
    below = top + TITLE + TILE + 2
    for place, (picture, text) in enumerate(row.looked):
        x = left + place * (TILE + GAP)
        sheet.paste(_mount(picture, TILE), (x, top + TITLE))
        _text(draw, (x, below), text, TILE, size=13, fill=FAINT)
    for rank, (picture, right) in enumerate(row.results[:TOP], start=1):
        x, y = left + ahead + (rank - 1) * (TILE + GAP), top + TITLE
        colour, frame = FRAMES[right]
        sheet.paste(_mount(picture, TILE - 2 * RIGHT_FRAME), (x + RIGHT_FRAME, y + RIGHT_FRAME))
        draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), outline=colour, width=frame)
        draw.rectangle((x, y, x + (20 if rank < 10 else 26), y + 18), fill=colour)
        draw.text((x + (10 if rank < 10 else 13), y + 9), str(rank), PAPER, ImageFont.load_default(13), anchor="mm")
    for place, text in enumerate(row.texts[:TOP]):
        _text(draw, (left + ahead + place * (TILE + GAP), below), text, TILE, size=13)


def _mount(picture: Image.Image, side: int) -> Image.Image:
    """The whole picture, scaled to fit a square of `side` pixels."""
    return ImageOps.pad(picture.convert("RGB"), (side, side), method=Image.Resampling.LANCZOS, color=MOUNT)


def _font(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own for plain letters, which is all it has, with "…"."""
    path = None if text.replace("…", "").isascii() else font_for(text)
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


def _text(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    width: int,
    *,
    size: int,
    fill: tuple[int, int, int] = INK,
) -> None:
    """One line, shortened to `width` pixels."""
    font = _font(f"{text}…", size)
    shown = text
    while shown and draw.textlength(shown, font) > width:
        shown = shown[:-2].rstrip() + "…" if len(shown) > 2 else ""
    draw.text(corner, shown, fill, font)
