"""DeepFashion, In-shop Clothes Retrieval (Liu et al., CVPR 2016): a shop's pictures of a garment find one another.

Training items (3,997: 25,882 pictures) and the items of the 14,218 query and 12,612 gallery pictures (3,985 in both)
are disjoint. Pictures lie in `GROUP/Category/id_NNNNNNNN/`. `item` is the id, one and the same in query and gallery,
`category` is "GROUP/Category", `domain` always shop.
"""

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from pipeline.base.names import BOX, CATEGORY, IMAGE, ITEM, SPLIT, Split
from pipeline.datasets._shared.boxes import CLOTHES_TYPES, read_deepfashion_boxes
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lines import look_up, refuse, refuse_others
from pipeline.datasets._shared.lists import read_headed_rows
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table

PARTITION = {"official": "Eval/list_eval_partition.txt", "flat": "list_eval_partition.txt"}
BOXES = {"official": "Anno/list_bbox_inshop.txt", "flat": "list_bbox_inshop.txt"}
PATH = r"^(?P<category>[^/]+/[^/]+)/id_\d+/[^/]+$"


class Params(RetrievalSetParams):
    """Where the lists and pictures lie, and which pictures are kept; an item is kept with at least `min_pictures`."""

    lists: Literal["official", "flat"]
    images: Folder
    crop: Literal["boxes", "none"]
    clothes: Literal["all", "upper", "lower", "full"]
    min_pictures: Annotated[int, Field(ge=1)]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures. Raises UserError saying what goes where if missing."""
    del seed  # nothing is drawn
    with_boxes = params.crop == "boxes" or params.clothes != "all"
    needed = [PARTITION[params.lists]] + ([BOXES[params.lists]] if with_boxes else [])
    guide = (
        f"put {', '.join(needed)} and the folder of pictures {params.images}/ into {source}: from DeepFashion, In-shop "
        "Clothes Retrieval (page of MMLab, CUHK; research only, by agreement)"
    )
    fetch_archives(params.archives, source, out, downloads)
    copy_lists(source, out, needed, guide)
    copy_pictures(source, out, read_table(out, params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of the lists in their order; with `clothes`, those that the list of boxes gives that type.

    An item counts its pictures in training, or in query and gallery together, against `min_pictures`.
    Raises UserError naming file and line for a damaged list, and for a training item in query or gallery.
    """
    path = root / PARTITION[params.lists]
    rows = read_headed_rows(root, PARTITION[params.lists], ["image_name", "item_id", "evaluation_status"])
    status, names = rows["evaluation_status"], rows["image_name"].str.removeprefix("img/")
    refuse_others(path, status, [str(split) for split in (Split.TRAIN, Split.QUERY, Split.GALLERY)])
    learnt = status == Split.TRAIN
    refuse(path, rows["item_id"], ~learnt & rows["item_id"].isin(rows["item_id"][learnt]), "is in train, too")
    category = names.str.extract(PATH)["category"]
    refuse(path, rows["image_name"], category.isna(), "is no GROUP/Category/id_NNNNNNNN/*.jpg")
    images = [joined(params.images, name) for name in names]
    table = pd.DataFrame({IMAGE: images, ITEM: rows["item_id"], CATEGORY: category, SPLIT: status})
    if params.crop == "boxes":
        table[list(BOX)] = read_deepfashion_boxes(root, BOXES[params.lists], names)
    if params.clothes != "all":
        table = table[_clothes_types(root, params.lists, names) == CLOTHES_TYPES[params.clothes]]
    # A training item has no picture in query or gallery, so that the pictures of an item are those of its part.
    table = table[table.groupby(ITEM)[IMAGE].transform("size") >= params.min_pictures]
    return retrieval_table(table, params.meta_domain, path)


def _clothes_types(root: Path, lists: str, names: pd.Series) -> pd.Series:
    name = BOXES[lists]
    rows = read_headed_rows(root, name, ["image_name", "clothes_type"]).drop_duplicates()
    refuse_others(root / name, rows["clothes_type"], list(CLOTHES_TYPES.values()))
    rows = rows.assign(image_name=rows["image_name"].str.removeprefix("img/"))
    return look_up(root / name, rows, "image_name", names)["clothes_type"]
