"""Answers of a search for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from pipeline.images.decode import Box, UnreadableImage, load_image
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
    """The photo, and beside it what each model found; a grey tile where a picture is gone."""
    rows = []
    for answer in answers:
        pictures = [(_picture(searcher, hit.row), None) for hit in answer.hits]
        rows.append(ResultRow(answer.model, pictures, _time(answer)))
    query = load_image(photo, box, target_side=2 * TILE)
    return contact_sheet(query, photo.name if is_drawable(photo.name) else "", rows)


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


def _picture(searcher: Searcher, row: int) -> Image.Image:
    try:
        return searcher.picture(row, 2 * TILE)
    except UnreadableImage:
        return Image.new("RGB", (TILE, TILE), MOUNT)
