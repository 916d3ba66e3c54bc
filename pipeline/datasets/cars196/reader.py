"""CARS196, or Stanford Cars (Krause et al., 2013), for retrieval without shared classes.

Of the 196 classes the first half is for training (98: 8,054 pictures), the other half is searched by itself (split
test: 8,131 pictures). This is the split of the literature on metric learning, not the official one, in which train and
test share the classes: the pictures of both its parts are taken together. `item` is the class ("AM General Hummer SUV
2000", with "-" for "/"), `category` always "car", `domain` always shop.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, IMAGE, ITEM, SPLIT
from pipeline.datasets._shared.boxes import corner_boxes
from pipeline.datasets._shared.class_folders import class_pictures
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lines import numbers, whole_numbers
from pipeline.datasets._shared.lists import read_rows, read_text
from pipeline.datasets._shared.matlab import read_mat
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table, split_by_class

CORNERS = ["bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2"]
# List of the official training and test part -> the folder of its pictures.
META = "devkit/cars_meta.mat"
OFFICIAL = {"devkit/cars_train_annos.mat": "cars_train", "cars_test_annos_withlabels.mat": "cars_test"}
# The copy on Kaggle: CSV files without header; pictures in a folder a class.
NAMES = "names.csv"
CSV = {"anno_train.csv": "car_data/car_data/train", "anno_test.csv": "car_data/car_data/test"}

LISTS = {"official": [META, *OFFICIAL], "csv": [NAMES, *CSV], "folders": []}
PICTURES = {"official": ["cars_train/", "cars_test/"], "csv": ["car_data/"], "folders": ["images/<class>/"]}


class Params(RetrievalSetParams):
    """`lists`: what names the pictures; `folder` holds everything; `crop`: pictures or boxes of them."""

    lists: Literal["official", "csv", "folders"]
    folder: Folder
    crop: Literal["boxes", "none"]

    @model_validator(mode="after")
    def _has_boxes(self) -> "Params":
        if self.lists == "folders" and self.crop == "boxes":
            raise ValueError("should have crop: none, since lists: folders has no boxes")
        return self


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures. Raises UserError saying what goes where if missing."""
    del seed  # nothing is drawn
    needed = LISTS[params.lists]
    guide = (
        f"put {', '.join([*needed, *PICTURES[params.lists]])} into {source / params.folder}: from a copy of Stanford "
        "Cars, whose own page is gone (lists in pipeline/datasets/cars196/params.yaml says which form it has)"
    )
    fetch_archives(params.archives, source, out, downloads)
    copy_lists(source, out, [joined(params.folder, name) for name in needed], guide)
    copy_pictures(source, out, _read([out, source], params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """All pictures, of the lists in their order (training part first), or of the class folders by class and name.

    Raises UserError naming file and line (MAT: the picture) for a damaged list.
    """
    return _read([root], params)


def _read(roots: list[Path], params: Params) -> pd.DataFrame:
    """The lists lie in the first root, pictures in any. `order` is what the classes are halved by."""
    place = roots[0] / params.folder
    match params.lists:
        case "official":
            names = _official_names(place / META)
            parts = [_official(place / name, folder, names) for name, folder in OFFICIAL.items()]
            pictures = pd.concat(parts, ignore_index=True)
        case "csv":
            names = _distinct(place / NAMES, read_text(place, NAMES).splitlines())
            parts = [_csv(place, name, folder, names) for name, folder in CSV.items()]
            pictures = pd.concat(parts, ignore_index=True)
        case _:
            pictures = class_pictures([root / params.folder / "images" for root in roots])
            pictures = pictures.assign(order=pictures["class"], path=[f"images/{path}" for path in pictures["path"]])
    table = pd.DataFrame(
        {
            IMAGE: [joined(params.folder, path) for path in pictures["path"]],
            ITEM: pictures["class"],
            CATEGORY: "car",
            SPLIT: split_by_class(pictures["order"]),
        }
    )
    if params.crop == "boxes":
        table = table.join(corner_boxes(pictures[CORNERS]))
    return retrieval_table(table, params.meta_domain, place)


def _official_names(path: Path) -> list[str]:
    names = read_mat(path, "class_names").ravel()
    if not all(isinstance(name, np.ndarray) and name.dtype.kind == "U" and name.size == 1 for name in names):
        raise UserError(f"{path}: class_names is no list of names; get the file again")
    return _distinct(path, [name.item() for name in names])


def _distinct(path: Path, names: list[str]) -> list[str]:
    """Names of the classes, from class 1 on."""
    names = [name.strip().replace("/", "-") for name in names]
    if not names or not all(names) or len(set(names)) < len(names):
        raise UserError(f"{path}: expected the distinct names of the classes, found {len(names)} with gaps or repeats")
    return names


def _official(path: Path, folder: str, names: list[str]) -> pd.DataFrame:
    """Columns path, class, order and the corners, from a MAT file of annotations."""
    annotations = read_mat(path, "annotations")
    try:
        columns = {name: [cell.item() for cell in annotations[name].ravel()] for name in [*CORNERS, "class", "fname"]}
        rows = pd.DataFrame(columns).astype(dict.fromkeys(CORNERS, float) | {"class": int, "fname": str})
    except (IndexError, AttributeError, ValueError, TypeError):
        raise UserError(f"{path}: expected annotations with {', '.join(CORNERS)}, class and fname") from None
    strange = ~rows["class"].between(1, len(names))
    if strange.any():
        one = rows[strange].iloc[0]
        raise UserError(f"{path}: class {one['class']} of {one['fname']} is unknown; known: 1 to {len(names)}")
    return pd.DataFrame(
        {
            "path": [f"{folder}/{name}" for name in rows["fname"]],
            "class": [names[number - 1] for number in rows["class"]],
            "order": rows["class"],
        }
    ).join(rows[CORNERS])


def _csv(place: Path, name: str, folder: str, names: list[str]) -> pd.DataFrame:
    """The same from a CSV file: file name, left, top, right, bottom, class."""
    path, rows = place / name, read_rows(place, name, ["file", *CORNERS, "class"], ",")
    order = whole_numbers(path, rows["class"].str.strip(), 1, len(names))
    classes = [names[number - 1] for number in order]
    corners = {column: numbers(path, rows[column]) for column in CORNERS}
    paths = [f"{folder}/{shown}/{file.strip()}" for shown, file in zip(classes, rows["file"], strict=True)]
    return pd.DataFrame({"path": paths, "class": classes, "order": order, **corners})
