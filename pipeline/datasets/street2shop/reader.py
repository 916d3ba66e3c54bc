"""Street2Shop (Hadi Kiapour et al., ICCV 2015): boxes in street photos with shop photos of exactly the same product.

Product ids repeat across categories, so `item` is "category_product", 7 digits, as in the names of UDMA's crops.
Street photos are the consumer domain; the test part is scored per category.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, DOMAIN, IMAGE, ITEM, META_DOMAIN, SPLIT, Domain, MetaDomain, Split
from pipeline.base.opening import files_in
from pipeline.base.params import Section
from pipeline.base.progress import progress
from pipeline.datasets._shared.categories import STREET2SHOP as CATEGORIES
from pipeline.datasets._shared.fetching import ArchiveParams, copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lists import read_json_list, read_rows
from pipeline.datasets._shared.paths import inside, joined

OFFICIAL = ("retrieval", "train_pairs", "test_pairs")

# UDMA's lists (dataset_files in its repository): crops for training, photos with boxes and crops for the test.
UDMA_SHOP = "s2s_shop.txt"
UDMA_STREET = "s2s_consumer.txt"
UDMA_QUERIES = "test_consumer_single_naila_dataset_street2shop.json"
UDMA_GALLERY = "test_shop_single_naila_dataset_street2shop.json"
CROP = r"(?P<category>[^/]+)/(?:rtr|gtbbox)/(?P<item>(?P=category)_\d{7})_(?:rtr_\d{9}|\d{9}_\d+)\.\w+"

Row = dict[str, Any]


class _Box(BaseModel):
    left: float
    top: float
    width: float
    height: float

    def sides(self) -> dict[str, float]:
        return dict(zip(BOX, (self.left, self.top, self.width, self.height), strict=True))


class _ShopPhoto(BaseModel):
    photo: int
    product: int


class _StreetPhoto(_ShopPhoto):
    bbox: _Box


class _UdmaPhoto(BaseModel):
    path: str
    category: str
    product: int


class _UdmaQuery(_UdmaPhoto):
    bbox: _Box


class Params(Section):
    """Which lists are read, where photos and crops lie, which rows are kept."""

    archives: list[ArchiveParams]
    lists: Literal["official", "udma"]
    photos: str
    crops: str
    unpaired: Literal["drop", "train", "gallery"]
    meta_domain: Literal["source", "target"]

    @property
    def street_train(self) -> bool:
        """Whether street photos are for training: in a source; adaptation to a target sees shop pictures only."""
        return self.meta_domain == MetaDomain.SOURCE


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures that they name; archives are downloaded to `downloads`.

    Raises UserError saying what goes into `source` and where it comes from when something is missing.
    """
    del seed  # nothing is drawn
    if params.lists == "udma":
        needed = [UDMA_SHOP, UDMA_QUERIES, UDMA_GALLERY] + ([UDMA_STREET] if params.street_train else [])
        what = f"{', '.join(needed)} of the UDMA repository (dataset_files), its crops {params.crops}/<category>/ and "
    else:
        needed = [f"meta/json/{kind}_{category}.json" for kind in OFFICIAL for category in CATEGORIES]
        what = "the folder meta/json/ and "
    guide = f"put {what}the photos {params.photos}/ into {source}: from the project page Street2Shop, research only"
    fetch_archives(params.archives, source, out, downloads)
    copy_lists(source, out, needed, guide)
    copy_pictures(source, out, all_rows([out, source], params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures of the lists, each once. Raises UserError for a damaged list."""
    return all_rows([root], params).drop_duplicates(ignore_index=True)  # 20 of UDMA's queries repeat another one


def all_rows(roots: list[Path], params: Params) -> pd.DataFrame:
    """All rows with the columns of the manifest; lists lie in the first root, photos in any."""
    rows = _udma_rows if params.lists == "udma" else _official_rows
    columns = [IMAGE, ITEM, CATEGORY, DOMAIN, SPLIT, *BOX]
    table = pd.DataFrame(rows(roots, params), columns=columns)
    table = table.astype(dict.fromkeys(BOX, float))
    table[META_DOMAIN] = params.meta_domain
    return table


def _udma_rows(roots: list[Path], params: Params) -> Iterator[Row]:
    root = roots[0]
    yield from _crops(root, UDMA_SHOP, params.crops, Domain.SHOP)
    if params.street_train:
        yield from _crops(root, UDMA_STREET, params.crops, Domain.CONSUMER)
    for one in read_json_list(root, UDMA_QUERIES, _UdmaQuery):
        image, item = joined(params.photos, one.path), _item(one.category, one.product)
        yield _row(image, item, Domain.CONSUMER, Split.QUERY, one.bbox)
    for one in read_json_list(root, UDMA_GALLERY, _UdmaPhoto):
        item, photo = _item(one.category, one.product), PurePosixPath(one.path).stem
        image = joined(params.crops, f"{one.category}/rtr/{item}_rtr_{photo}.jpg")
        yield _row(image, item, Domain.SHOP, Split.GALLERY)


def _crops(root: Path, name: str, folder: str, domain: Domain) -> Iterator[Row]:
    """Training crops: the name of the file tells category and product."""
    for path in read_rows(root, name, ["path", "product_number", "category_number", "category"])["path"]:
        found = re.fullmatch(CROP, path)
        if found is None:
            raise UserError(f"{root / name}: {path!r} is no <category>/(rtr|gtbbox)/<category>_<product>_....jpg")
        yield _row(joined(folder, path), found["item"], domain, Split.TRAIN)


def _official_rows(roots: list[Path], params: Params) -> Iterator[Row]:
    files = _photo_files(roots, params.photos)
    rest = None if params.unpaired == "drop" else Split(params.unpaired)
    for category in CATEGORIES:
        shop = read_json_list(roots[0], f"meta/json/retrieval_{category}.json", _ShopPhoto)
        train = read_json_list(roots[0], f"meta/json/train_pairs_{category}.json", _StreetPhoto)
        test = read_json_list(roots[0], f"meta/json/test_pairs_{category}.json", _StreetPhoto)
        splits = dict.fromkeys((one.product for one in train), Split.TRAIN)
        splits |= dict.fromkeys((one.product for one in test), Split.GALLERY)  # in both parts: kept for the test
        rows = [(one, Domain.SHOP, splits.get(one.product, rest), None) for one in shop]
        if params.street_train:
            rows += [(one, Domain.CONSUMER, Split.TRAIN, one.bbox) for one in train]
        rows += [(one, Domain.CONSUMER, Split.QUERY, one.bbox) for one in test]
        for one, domain, split, box in rows:
            if split is not None:
                number = f"{one.photo:09d}"
                image = joined(params.photos, files.get(number, f"{number}.jpg"))  # a missing one: left to prepare
                yield _row(image, _item(category, one.product), domain, split, box)


def _photo_files(roots: list[Path], photos: str) -> dict[str, str]:
    """9-digit photo id -> path below the folder `photos`, at whatever depth and with whatever suffix."""
    files: dict[str, str] = {}
    for root in roots:
        folder = root / inside(photos, "photos")
        found = files_in(folder) if folder.is_dir() else []
        for path in progress(found, what="look for photos", unit="file"):
            if path.stem.isdigit():
                files.setdefault(path.stem.zfill(9), path.relative_to(folder).as_posix())
    return files


def _item(category: str, product: int) -> str:
    return f"{category}_{product:07d}"


def _row(image: str, item: str, domain: Domain, split: Split, box: _Box | None = None) -> Row:
    return {
        IMAGE: inside(image, "Street2Shop list"),
        ITEM: item,
        CATEGORY: item.rpartition("_")[0],
        DOMAIN: str(domain),
        SPLIT: str(split),
        **(dict.fromkeys(BOX, float("nan")) if box is None else box.sides()),
    }
