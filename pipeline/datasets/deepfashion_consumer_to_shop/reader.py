"""DeepFashion, Consumer-to-shop Clothes Retrieval (Liu et al., CVPR 2016): consumer photos with shop photos of an item.

Pictures lie in `GROUP/Category/id_NNNNNNNN/` and are called `comsumer_NN.jpg` (the dataset's own spelling) or
`shop_NN.jpg`. `category` is "GROUP/Category". `item` is the bare id, by which UDMA scores its test part, although some
ids occur in several categories; where products are told apart in training they are (category, item) pairs.
"""

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import model_validator

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, DOMAIN, IMAGE, ITEM, META_DOMAIN, SPLIT, Domain, MetaDomain, Split
from pipeline.base.params import Section
from pipeline.datasets._shared.boxes import read_deepfashion_boxes
from pipeline.datasets._shared.fetching import ArchiveParams, copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lists import read_headed_rows, read_rows
from pipeline.datasets._shared.paths import inside, joined

PARTITION = "Eval/list_eval_partition.txt"
BOXES = "Anno/list_bbox_consumer2shop.txt"
PAIR = ("image_pair_name_1", "image_pair_name_2", "item_id", "evaluation_status")

# UDMA's lists (dataset_files in its repository): one of pairs, or one of pictures for each part and side.
UDMA_PAIRS = "V_list_eval_partition.txt"
UDMA_TRAIN = ("df_consumer.txt", "df_shop.txt")
UDMA_TEST = ("consumer_df.txt", "shop_df.txt")

PATH = r"^(?P<category>[^/]+/[^/]+)/id_\d+/(?P<side>comsumer|shop)_[^/]+$"
DOMAINS = {"comsumer": Domain.CONSUMER, "shop": Domain.SHOP}
TESTED = {Domain.CONSUMER: str(Split.QUERY), Domain.SHOP: str(Split.GALLERY)}


class Params(Section):
    """Which lists are read, where the pictures lie, what is training data, whether the test part is kept."""

    archives: list[ArchiveParams]
    lists: Literal["official", "udma_pairs", "udma_pictures"]
    images: str
    crop: Literal["boxes", "none"]
    train_on: Literal["train", "trainval"]
    test: bool
    meta_domain: Literal["source", "target"]

    @model_validator(mode="after")
    def _can_tell_val(self) -> "Params":
        if self.lists == "udma_pictures" and self.train_on == "train":
            raise ValueError("should have train_on: trainval, since the lists udma_pictures do not tell val from train")
        return self


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures that they name; archives are downloaded to `downloads`.

    Raises UserError saying what goes into `source` and where it comes from when something is missing.
    """
    del seed  # nothing is drawn
    names = {"official": [PARTITION], "udma_pairs": [UDMA_PAIRS], "udma_pictures": [*UDMA_TRAIN, *UDMA_TEST]}
    needed = names[params.lists] + ([BOXES] if params.crop == "boxes" else [])
    guide = (
        f"put {', '.join(needed)} and the folder of pictures {params.images}/ into {source}: from DeepFashion, "
        "Consumer-to-shop Clothes Retrieval (page of MMLab, CUHK; research only, by agreement)"
    )
    if params.lists != "official":
        guide += " and the UDMA repository (dataset_files)"
    fetch_archives(params.archives, source, out, downloads)
    copy_lists(source, out, needed, guide)
    copy_pictures(source, out, read_table(out, params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The distinct pictures of the lists, in order of first appearance, with the columns of the manifest.

    Consumer pictures for training are left out of a target, where adaptation sees shop pictures only.
    Raises UserError for a damaged list, and for a picture in two parts or under two items.
    """
    listed = _listed(root, params.lists)
    facts = listed["path"].str.extract(PATH)
    if facts.isna().to_numpy().any():
        strange = listed["path"][facts["side"].isna()].iloc[0]
        raise UserError(f"{root}: {strange!r} in the lists is no GROUP/Category/id_NNNNNNNN/(comsumer|shop)_NN.jpg")
    domain = facts["side"].map(DOMAINS).map(str)
    test = listed["status"] == "test"
    val = Split.TRAIN if params.train_on == "trainval" else Split.VAL
    table = pd.DataFrame(
        {
            IMAGE: [inside(joined(params.images, path), "DeepFashion list") for path in listed["path"]],
            ITEM: listed["item"],
            CATEGORY: facts["category"],
            DOMAIN: domain,
            META_DOMAIN: params.meta_domain,
            SPLIT: listed["status"].map({"train": str(Split.TRAIN), "val": str(val)}).where(~test, domain.map(TESTED)),
        }
    )
    table[list(BOX)] = read_deepfashion_boxes(root, BOXES, listed["path"]) if params.crop == "boxes" else float("nan")
    kept = ~test | params.test
    if params.meta_domain == MetaDomain.TARGET:
        kept &= test | (domain == Domain.SHOP)
    return table[kept].reset_index(drop=True)


def _listed(root: Path, lists: str) -> pd.DataFrame:
    """Columns path (without `img/`), item, status (train, val, test); one row a picture."""
    match lists:
        case "official":
            listed = _pictures_of_pairs(read_headed_rows(root, PARTITION, PAIR))
        case "udma_pairs":
            listed = _pictures_of_pairs(read_rows(root, UDMA_PAIRS, PAIR))
        case _:
            listed = pd.concat(
                [*(_train_list(root, name) for name in UDMA_TRAIN), *(_test_list(root, name) for name in UDMA_TEST)]
            )
    listed = listed.drop_duplicates(ignore_index=True)
    unknown = ~listed["status"].isin(["train", "val", "test"])
    if unknown.any():
        raise UserError(f"{root}: unknown evaluation_status {listed['status'][unknown].iloc[0]!r} in the lists")
    doubled = listed["path"].duplicated()
    if doubled.any():
        raise UserError(f"{root}: the lists place {listed['path'][doubled].iloc[0]} in two parts or under two items")
    return listed


def _pictures_of_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    sides = [pairs[[name, *PAIR[2:]]].set_axis(["path", "item", "status"], axis=1) for name in PAIR[:2]]
    pictures = pd.concat(sides).sort_index(kind="stable")  # pair by pair, the consumer picture first
    return pictures.assign(path=pictures["path"].str.removeprefix("img/"))


def _train_list(root: Path, name: str) -> pd.DataFrame:
    rows = read_rows(root, name, ["path", "product", "category_number", "category"])
    # The id in the path, not UDMA's running product number: that one stands for a (category, id) pair.
    return pd.DataFrame({"path": rows["path"], "item": rows["path"].str.split("/").str[-2], "status": "train"})


def _test_list(root: Path, name: str) -> pd.DataFrame:
    return read_rows(root, name, ["path", "item"], separator=",").assign(status="test")
