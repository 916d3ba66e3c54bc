"""Answers of a search for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from pipeline.images.decode import Box, UnreadableImage, load_image
from pipeline.reporting.attention import attention_picture, crop_picture
from pipeline.reporting.contact_sheet import MOUNT, TILE, ResultRow, contact_sheet
from pipeline.reporting.fonts import is_drawable
from pipeline.retrieval.answers import Answer
from pipeline.retrieval.searcher import Searcher

COLUMNS = ("score", "item", "category", "link")
UNKNOWN = "-"  # a value that nobody knows


def answer_table(photo: Path, answers: Sequence[Answer]) -> str:
    """What was found for a photo, a table a model and attribute, in fixed columns; values of the attribute beside."""
    return "\n\n".join(_table(photo, answer) for answer in answers) + "\n"


def answer_lines(photo: Path, answers: Sequence[Answer]) -> str:
    """A line of JSON a model and attribute."""
    lines = [json.dumps({"photo": str(photo), **asdict(answer)}, ensure_ascii=False) for answer in answers]
    return "\n".join(lines)


def answer_sheet(photo: Path, box: Box | None, answers: Sequence[Answer], searcher: Searcher) -> Image.Image:
    """The photo, and beside it what each model found; a grey tile where a picture is gone.

    Of an answer by attribute also where the network looked, what it cropped, and the values of what was found.
    """
    rows = [_row(photo, box, answer, searcher) for answer in answers]
    query = load_image(photo, box, target_side=2 * TILE)
    return contact_sheet(query, _drawn(photo.name), rows)


def _row(photo: Path, box: Box | None, answer: Answer, searcher: Searcher) -> ResultRow:
    pictures = [(_picture(searcher, hit.row), None) for hit in answer.hits]
    if answer.attribute is None:
        return ResultRow(answer.model, pictures, _time(answer))
    values = [_drawn(hit.value or UNKNOWN) for hit in answer.hits]
    seen = searcher.attention(photo, answer.attribute, box=box)
    looked = [] if seen is None else [(attention_picture(seen), "attention"), (crop_picture(seen), "crop")]
    return ResultRow(f"like {_drawn(answer.attribute)} ({answer.model})", pictures, _time(answer), values, looked)


def _table(photo: Path, answer: Answer) -> str:
    columns, like = COLUMNS, ""
    rows = [(f"{hit.score:.4f}", hit.item, hit.category, hit.link) for hit in answer.hits]
    if answer.attribute is not None:
        columns, like = (*COLUMNS[:3], answer.attribute, *COLUMNS[3:]), f" like {answer.attribute}"
        values = [hit.value or UNKNOWN for hit in answer.hits]
        rows = [(*row[:3], value, *row[3:]) for row, value in zip(rows, values, strict=True)]
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    lines = [f"{photo}{like} ({answer.model}, {answer.searched} pictures searched, {_time(answer)})"]
    lines += [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (columns, *rows)
    ]
    return "\n".join(lines)


def _time(answer: Answer) -> str:
    return ", ".join(f"{step} {spent:.1f} ms" for step, spent in answer.milliseconds.items())


def _drawn(name: str) -> str:
    return name if is_drawable(name) else ""


def _picture(searcher: Searcher, row: int) -> Image.Image:
    try:
        return searcher.picture(row, 2 * TILE)
    except UnreadableImage:
        return Image.new("RGB", (TILE, TILE), MOUNT)
