"""DeepFashion, Category and Attribute Prediction (Liu et al., CVPR 2016): garments with a category and a box.

The pictures (209,222 / 40,000 / 40,000 in train, val and test) tell no product: as `items` says, `item` is the whole
category, or the picture itself, so that no two pictures show one item. `category` is one of 50 names, `domain` always
shop; the test pictures search themselves (split test). The 1,000 attributes are not read.
"""

from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.base.names import BOX, CATEGORY, IMAGE, ITEM, SPLIT, Split
from pipeline.datasets._shared.boxes import CLOTHES_TYPES, read_deepfashion_boxes
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lines import look_up, refuse, refuse_others, whole_numbers
from pipeline.datasets._shared.lists import read_headed_rows
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table

PARTITION = "Eval/list_eval_partition.txt"
NAMES, LABELS, BOXES = "list_category_cloth.txt", "list_category_img.txt", "list_bbox.txt"


class Params(RetrievalSetParams):
    """Where the lists and pictures lie, which pictures are kept, and what an item is."""

    annotations: Folder
    images: Folder
    crop: Literal["boxes", "none"]
    clothes: Literal["all", "upper", "lower", "full"]
    parts: Literal["all", "train"]
    items: Literal["categories", "pictures"]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures. Raises UserError saying what goes where if missing."""
    del seed  # nothing is drawn
    annotations = [NAMES, LABELS] + ([BOXES] if params.crop == "boxes" else [])
    needed = [PARTITION, *(joined(params.annotations, name) for name in annotations)]
    guide = (
        f"put {', '.join(needed)} and the folder of pictures {params.images}/ into {source}: from DeepFashion, "
        "Category and Attribute Prediction (page of MMLab, CUHK; research only, by agreement)"
    )
    fetch_archives(params.archives, source, out, downloads)
    copy_lists(source, out, needed, guide)
    copy_pictures(source, out, read_table(out, params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of the partition in its order; with `clothes`, `parts`, those of that type of category, that part.

    Raises UserError naming file and line for a damaged list, and for a picture without a category.
    """
    path, rows = root / PARTITION, read_headed_rows(root, PARTITION, ["image_name", "evaluation_status"])
    refuse_others(path, rows["evaluation_status"], [str(split) for split in (Split.TRAIN, Split.VAL, Split.TEST)])
    labels = _labels(root / params.annotations, rows["image_name"])
    refuse(path, rows["image_name"], labels[CATEGORY].isna(), f"has no line in {LABELS}")
    names = rows["image_name"].str.removeprefix("img/")
    images = [joined(params.images, name) for name in names]
    table = pd.DataFrame({IMAGE: images, ITEM: names, CATEGORY: labels[CATEGORY], SPLIT: rows["evaluation_status"]})
    if params.items == "categories":
        table[ITEM] = table[CATEGORY]
    if params.crop == "boxes":
        table[list(BOX)] = read_deepfashion_boxes(root, joined(params.annotations, BOXES), names)
    if params.clothes != "all":
        table = table[labels["clothes_type"] == CLOTHES_TYPES[params.clothes]]
    if params.parts != "all":
        table = table[table[SPLIT] == params.parts]
    return retrieval_table(table, params.meta_domain, path)


def _labels(place: Path, images: pd.Series) -> pd.DataFrame:
    """Columns category (name) and clothes_type for `images`, of the same index; NaN where there is no label."""
    names = read_headed_rows(place, NAMES, ["category_name", "category_type"])
    refuse_others(place / NAMES, names["category_type"], list(CLOTHES_TYPES.values()))
    refuse(place / NAMES, names["category_name"], names["category_name"].duplicated(), "is in an earlier line already")
    labels = read_headed_rows(place, LABELS, ["image_name", "category_label"])
    number = whole_numbers(place / LABELS, labels["category_label"], 1, len(names))
    # Labels count the lines of the names from 1.
    named = names.set_axis([CATEGORY, "clothes_type"], axis=1).iloc[number - 1].set_index(labels.index)
    return look_up(place / LABELS, named.assign(image_name=labels["image_name"]), "image_name", images)
