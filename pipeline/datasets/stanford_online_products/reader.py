"""Stanford Online Products (Oh Song et al., CVPR 2016): photos of products from an auction site.

Products of the training list (11,318: 59,551 pictures) and of the test list (11,316: 60,502 pictures) are disjoint; the
test pictures are searched by themselves (split test). `item` is the product (`class_id`), `category` the super class
("bicycle"), `domain` always shop.
"""

from pathlib import Path

import pandas as pd

from pipeline.base.names import CATEGORY, IMAGE, ITEM, SPLIT, Split
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lines import refuse
from pipeline.datasets._shared.lists import read_named_rows
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table

COLUMNS = ["image_id", "class_id", "super_class_id", "path"]
LISTS = {"Ebay_train.txt": Split.TRAIN, "Ebay_test.txt": Split.TEST}
PATH = r"^(?P<category>[^/]+)_final/[^/]+$"


class Params(RetrievalSetParams):
    """`info` holds the two lists, `images` the folders `<super class>_final/`."""

    info: Folder
    images: Folder


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures. Raises UserError saying what goes where if missing."""
    del seed  # nothing is drawn
    needed = [joined(params.info, name) for name in LISTS]
    guide = (
        f"put {', '.join(needed)} and {joined(params.images, '<super class>_final')}/ into {source}: from the page of "
        "Stanford Online Products"
    )
    fetch_archives(params.archives, source, out, downloads, unless=needed)
    copy_lists(source, out, needed, guide)
    copy_pictures(source, out, read_table(out, params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of both lists in their order.

    Raises UserError naming file and line for a damaged list, and for a product of the training list in the test list.
    """
    train, test = (_listed(root, params, name, split) for name, split in LISTS.items())
    shared = test[ITEM].isin(train[ITEM])
    path = root / params.info / list(LISTS)[1]
    refuse(path, test[ITEM].rename("class_id"), shared, "is in the training list too")
    return retrieval_table(pd.concat([train, test]), params.meta_domain, root / params.info)


def _listed(root: Path, params: Params, name: str, split: Split) -> pd.DataFrame:
    place = root / params.info
    rows = read_named_rows(place, name, COLUMNS)
    category = rows["path"].str.extract(PATH)["category"]
    refuse(place / name, rows["path"], category.isna(), "is no <super class>_final/*.JPG")
    images = [joined(params.images, path) for path in rows["path"]]
    return pd.DataFrame({IMAGE: images, ITEM: rows["class_id"], CATEGORY: category, SPLIT: str(split)})
