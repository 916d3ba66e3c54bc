"""Boxes of the things in a picture, as COCO and DeepFashion2 write them: a row a box, in the order of the files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, Field

from pipeline.base.errors import UserError
from pipeline.base.names import Domain
from pipeline.base.progress import progress
from pipeline.datasets._shared.boxes import CORNERS
from pipeline.datasets._shared.lists import read_json

DOMAINS = {"user": Domain.CONSUMER, "shop": Domain.SHOP}
NO_BOX = (float("nan"),) * 4

Row = dict[str, Any]


class _CocoImage(BaseModel):
    id: int
    file_name: str


class _CocoAnnotation(BaseModel):
    image_id: int
    category_id: int
    bbox: list[float] = Field(min_length=4, max_length=4)


class _Coco(BaseModel):
    images: list[_CocoImage]
    annotations: list[_CocoAnnotation]


class _Garment(BaseModel):
    style: int
    category_name: str
    bounding_box: list[float] = Field(min_length=4, max_length=4)


def read_coco(root: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Columns file_name, category_id (texts), x, y, w, h (float64) of a file of COCO: picture by picture.

    Raises UserError for a damaged file, for other `columns` and for an annotation of a picture that is not listed.
    """
    content = read_json(root, name, _Coco)
    files = {image.id: image.file_name for image in content.images}
    rows: dict[int, list[Row]] = {number: [] for number in files}
    for place, one in enumerate(content.annotations):
        if one.image_id not in files:
            raise UserError(f"{root / name}: annotations {place}: image_id {one.image_id} is none of the images")
        box = dict(zip("xywh", one.bbox, strict=True))
        rows[one.image_id].append({"file_name": files[one.image_id], "category_id": str(one.category_id), **box})
    return _table(root / name, [row for of_one in rows.values() for row in of_one], columns)


def read_deepfashion2(root: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Columns stem, product, category_name, domain (texts), x_1, y_1, x_2, y_2 (float64; NaN: the whole picture).

    `name`: a folder of a JSON file a picture, read by name. A garment of style 0 is in no pair, and left out. A picture
    of one garment has no box, as the published preparation of MDFE has it. `product`: "<pair_id>_<style>".
    Raises UserError for a missing folder, a damaged file and other `columns`.
    """
    folder = root / name
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise UserError(f"{folder}: no annotations (*.json) there; run `dvc repro download`")
    pictures = progress(files, what="read annotations", unit="file")
    return _table(folder, [row for path in pictures for row in _garments(path)], columns)


def _garments(path: Path) -> Iterator[Row]:
    content = read_json(path.parent, path.name, dict[str, int | str | _Garment])
    source, pair = content.get("source"), content.get("pair_id")
    if source not in DOMAINS or pair is None:
        known = ", ".join(DOMAINS)
        raise UserError(f"{path}: expected pair_id, and source as one of {known}; found {pair!r} and {source!r}")
    garments = [one for one in content.values() if isinstance(one, _Garment)]
    for one in garments:
        if one.style:
            box = one.bounding_box if len(garments) > 1 else NO_BOX
            facts = {"stem": path.stem, "product": f"{pair}_{one.style}", "category_name": one.category_name}
            yield {**facts, "domain": str(DOMAINS[source]), **dict(zip(CORNERS, box, strict=True))}


def _table(path: Path, rows: list[Row], columns: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    lacking = [column for column in columns if column not in table]
    if lacking:
        raise UserError(f"{path}: no column {lacking[0]!r} in it; it has {', '.join(table) or 'no rows'}")
    return table[list(columns)].set_axis([f"row {number + 1}" for number in range(len(table))])
