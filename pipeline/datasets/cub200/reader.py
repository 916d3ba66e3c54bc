"""CUB-200-2011 (Wah et al., 2011): birds, for retrieval without shared classes.

Of the 200 classes the first half is for training (100: 5,864 pictures), the other half is searched by itself (split
test: 5,924 pictures). This is the split of the literature on metric learning, not the one of `train_test_split.txt`,
in which train and test share the classes. `item` is the class ("001.Black_footed_Albatross"), `category` always
"bird", `domain` always shop.
"""

from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, IMAGE, ITEM, SPLIT
from pipeline.datasets._shared.class_folders import class_pictures
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lines import look_up, numbers, refuse, whole_numbers
from pipeline.datasets._shared.lists import read_rows
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table, split_by_class

IMAGES = "images.txt"
LABELS = "image_class_labels.txt"
BOXES = "bounding_boxes.txt"
CLASS = r"^(?P<number>\d{1,9})\.[^/]+$"  # NNN.Name


class Params(RetrievalSetParams):
    """`lists`: what names the pictures; `folder` holds `images/` and the lists; `crop`: pictures or boxes of them."""

    lists: Literal["official", "folders"]
    folder: Folder
    crop: Literal["boxes", "none"]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures. Raises UserError saying what goes where if missing."""
    del seed  # nothing is drawn
    needed = [IMAGES, LABELS] if params.lists == "official" else []
    needed = list(dict.fromkeys(needed + ([IMAGES, BOXES] if params.crop == "boxes" else [])))
    place = source / params.folder
    guide = f"put {', '.join([*needed, 'images/'])} into {place}: from the page of CUB-200-2011 at Caltech"
    lists = [joined(params.folder, name) for name in needed]
    fetch_archives(params.archives, source, out, downloads, unless=[*lists, joined(params.folder, "images")])
    copy_lists(source, out, lists, guide)
    copy_pictures(source, out, _read([out, source], params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """All pictures, of the lists in their order, or of the class folders by class and name.

    Raises UserError naming file and line for a damaged list, and for a class folder without a number.
    """
    return _read([root], params)


def _read(roots: list[Path], params: Params) -> pd.DataFrame:
    """The lists lie in the first root, pictures in any."""
    place = roots[0] / params.folder
    if params.lists == "official":
        pictures = _listed(place)
    else:
        pictures = _in_folders([root / params.folder / "images" for root in roots])
    table = pd.DataFrame(
        {
            IMAGE: [joined(params.folder, f"images/{path}") for path in pictures["path"]],
            ITEM: pictures["class"],
            CATEGORY: "bird",
            SPLIT: split_by_class(pictures["number"]),
        }
    )
    if params.crop == "boxes":
        table[list(BOX)] = _boxes(place, pictures["path"])
    return retrieval_table(table, params.meta_domain, place)


def _listed(place: Path) -> pd.DataFrame:
    """Columns path, class, number of the pictures in `images.txt`."""
    images = read_rows(place, IMAGES, ["image_id", "path"])
    path, labels_path = place / IMAGES, place / LABELS
    labels = read_rows(place, LABELS, ["image_id", "class_id"])
    labels["class_id"] = whole_numbers(labels_path, labels["class_id"], 1, 10**9)
    number = look_up(labels_path, labels, "image_id", images["image_id"])["class_id"]
    refuse(path, images["image_id"], number.isna(), f"has no line in {LABELS}")
    names = images["path"].str.split("/", n=1).str[0]
    found = pd.to_numeric(names.str.extract(CLASS)["number"])
    refuse(path, images["path"], found.isna(), "is no NNN.Name/*.jpg")
    refuse(path, images["path"], found != number, f"lies in another class than {LABELS} says")
    return pd.DataFrame({"path": images["path"], "class": names, "number": number.astype(int)})


def _in_folders(folders: list[Path]) -> pd.DataFrame:
    """Columns path, class, number of the files below `folders`, by number."""
    pictures = class_pictures(folders)
    number = pd.to_numeric(pictures["class"].str.extract(CLASS)["number"])
    if number.isna().any():
        raise UserError(f"{folders[0]}: folder {pictures['class'][number.isna()].iloc[0]!r} is not named NNN.Name")
    return pictures.assign(number=number.astype(int)).sort_values("number", kind="stable", ignore_index=True)


def _boxes(place: Path, paths: pd.Series) -> pd.DataFrame:
    """Columns x, y, w, h for `paths`, of the same index; NaN for a picture without a box."""
    images, boxes = read_rows(place, IMAGES, ["image_id", "path"]), read_rows(place, BOXES, ["image_id", *BOX])
    boxes = boxes.assign(**{column: numbers(place / BOXES, boxes[column]) for column in BOX})
    return look_up(place / BOXES, boxes, "image_id", look_up(place / IMAGES, images, "path", paths)["image_id"])
