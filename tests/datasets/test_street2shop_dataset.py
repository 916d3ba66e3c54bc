"""Street2Shop: official and UDMA's lists."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.datasets.street2shop.reader import (
    CATEGORIES,
    UDMA_GALLERY,
    UDMA_QUERIES,
    UDMA_SHOP,
    UDMA_STREET,
    all_rows,
)
from pipeline.table.manifest import check_table

NAME = "street2shop"
DEFAULTS = {
    "archives": [],
    "lists": "udma",
    "photos": "photos",
    "crops": "crops",
    "unpaired": "drop",
    "meta_domain": "target",
}
BOX = {"left": 1, "top": 2, "width": 3, "height": 4.5}


def query(photo: int, category: str, product: int, **more: Any) -> dict[str, Any]:
    path = f"Src/{photo // 1000:03d}/{photo:09d}.jpeg"
    return {"path": path, "photo": photo, "bbox": BOX, "category": category, "product": product, "label": 0} | more


@pytest.fixture
def udma(tmp_path, picture) -> Path:
    """UDMA's lists: two shop crops, a street crop; two queries, one of them twice; a gallery crop."""
    root = tmp_path / "incoming"
    crops = ["hats/rtr/hats_0000012_rtr_000026359.jpg", "tops/rtr/tops_0000012_rtr_000026360.jpg"]
    street = "hats/gtbbox/hats_0000012_000009424_0.jpg"
    queries = [query(9424, "hats", 5), query(9424, "hats", 5), query(17, "tops", 5, bbox=BOX | {"left": 0})]
    gallery = [{"path": "Src/026/000026361.png", "category": "hats", "product": 5, "label": 5, "bbox": None}]
    root.mkdir()
    (root / UDMA_SHOP).write_text("".join(f"{path} 3 5 {path.split('/')[0]}\n" for path in crops))
    (root / f"{UDMA_STREET}.gz").write_bytes(gzip.compress(f"{street} 3 5 hats\n".encode()))
    (root / UDMA_QUERIES).write_text(json.dumps(queries))
    (root / UDMA_GALLERY).write_text(json.dumps(gallery))
    for path in [*crops, street, "hats/rtr/hats_0000005_rtr_000026361.jpg"]:
        picture(root / "crops" / path)
    for one in queries:
        picture(root / "photos" / one["path"])
    return root


def test_udma_lists(udma, fetched):
    out, table = fetched(udma, NAME, **DEFAULTS)
    assert table[["image", "item", "category", "domain", "split"]].to_numpy().tolist() == [
        ["crops/hats/rtr/hats_0000012_rtr_000026359.jpg", "hats_0000012", "hats", "shop", "train"],
        ["crops/tops/rtr/tops_0000012_rtr_000026360.jpg", "tops_0000012", "tops", "shop", "train"],
        ["photos/Src/009/000009424.jpeg", "hats_0000005", "hats", "consumer", "query"],
        ["photos/Src/000/000000017.jpeg", "tops_0000005", "tops", "consumer", "query"],
        ["crops/hats/rtr/hats_0000005_rtr_000026361.jpg", "hats_0000005", "hats", "shop", "gallery"],
    ]
    boxes = table[["x", "y", "w", "h"]]
    assert boxes[2:4].to_numpy().tolist() == [[1, 2, 3, 4.5], [0, 2, 3, 4.5]]
    assert boxes.drop([2, 3]).isna().all(axis=None)
    assert sum(path.suffix in (".jpg", ".jpeg") for path in out.rglob("*")) == 5
    assert not (out / "crops/hats/gtbbox").exists()


def test_as_source_street_crops_are_for_training(udma, fetched):
    out, table = fetched(udma, NAME, **DEFAULTS | {"meta_domain": "source"})
    street = table[(table["split"] == "train") & (table["domain"] == "consumer")]
    assert street[["image", "item"]].to_numpy().tolist() == [
        ["crops/hats/gtbbox/hats_0000012_000009424_0.jpg", "hats_0000012"]
    ]
    assert (out / street["image"].iloc[0]).is_file()


@pytest.fixture
def official(tmp_path, picture) -> Path:
    """The official files; hats: product 1 for training, 2 for test, 3 in no pair, shop photo 13 not downloaded."""
    root = tmp_path / "incoming"
    (root / "meta/json").mkdir(parents=True)
    for category in CATEGORIES:
        content = {"retrieval": [], "train_pairs": [], "test_pairs": []}
        if category == "hats":
            content["retrieval"] = [{"photo": photo, "product": photo % 10} for photo in (11, 12, 13, 22, 91)]
            content["train_pairs"] = [{"photo": 101, "product": 1, "bbox": BOX}]
            content["test_pairs"] = [{"photo": 101, "product": 2, "bbox": BOX | {"top": 0}}]
        for kind, entries in content.items():
            (root / f"meta/json/{kind}_{category}.json").write_text(json.dumps(entries))
    for name in ("000000011.jpg", "deep/12.png", "000000022.jpeg", "000000091.jpg", "000000101.gif", "note.txt"):
        picture(root / "photos" / name) if name != "note.txt" else (root / "photos" / name).write_text("")
    return root


def test_official_lists(official, fetched):
    out, table = fetched(official, NAME, **DEFAULTS | {"lists": "official"})
    assert table[["image", "item", "domain", "split"]].to_numpy().tolist() == [
        ["photos/000000011.jpg", "hats_0000001", "shop", "train"],
        ["photos/deep/12.png", "hats_0000002", "shop", "gallery"],
        ["photos/000000022.jpeg", "hats_0000002", "shop", "gallery"],
        ["photos/000000091.jpg", "hats_0000001", "shop", "train"],
        ["photos/000000101.gif", "hats_0000002", "consumer", "query"],
    ]
    assert table.loc[4, ["x", "y", "w", "h"]].tolist() == [1, 0, 3, 4.5]
    assert all((out / image).is_file() for image in table["image"])


@pytest.mark.parametrize("unpaired", ["train", "gallery"])
def test_shop_photos_without_a_pair(official, dataset, unpaired):
    module, params = dataset(NAME, **DEFAULTS | {"lists": "official", "unpaired": unpaired})
    table = module.read_table(official, params).set_index("image")
    assert table.loc["photos/000000013.jpg", "split"] == unpaired, "one that was not downloaded is left to prepare"


def test_official_lists_as_source(official, fetched):
    _, table = fetched(official, NAME, **DEFAULTS | {"lists": "official", "meta_domain": "source"})
    both = table[table["image"] == "photos/000000101.gif"]
    assert both[["split", "y"]].to_numpy().tolist() == [["train", 2], ["query", 0]]


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({}, r"s2s_shop.txt: no such file; put .* into .*incoming: from the project page Street2Shop, research only"),
        ({"lists": "official"}, r"meta/json/retrieval_belts.json: no such file; put the folder meta/json/"),
        ({"unpaired": "query"}, "datasets/street2shop/params.yaml:unpaired"),
    ],
)
def test_missing_files_and_mistaken_params(tmp_path, fetched, section, problem):
    with pytest.raises(UserError, match=problem):
        fetched(tmp_path / "incoming", NAME, **DEFAULTS | section)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (UDMA_SHOP, "hats/rtr/tops_0000012_rtr_000026359.jpg 3 5 hats\n", "s2s_shop.txt: 'hats/rtr/tops_.*' is no"),
        (UDMA_QUERIES, "[{", "Invalid JSON"),
        (UDMA_QUERIES, json.dumps([query(1, "hats", 5, bbox={"left": 1})]), "entry 0 bbox top: Field required"),
        (UDMA_QUERIES, json.dumps([query(1, "hats", 5, path="../1.jpg")]), "leads out of its folder"),
        (UDMA_GALLERY, json.dumps([query(1, "../../hats", 5)]), "leads out of its folder"),
    ],
)
def test_strange_lists(udma, dataset, name, content, problem):
    (udma / name).write_text(content)
    module, params = dataset(NAME, **DEFAULTS)
    with pytest.raises(UserError, match=problem):
        module.read_table(udma, params)


# Counts of the published lists: s2s_shop, s2s_consumer, queries, products of the queries.
PUBLISHED = {
    "belts": (132, 234, 40, 14),
    "bags": (1357, 567, 132, 77),
    "dresses": (13505, 12836, 2570, 1078),
    "eyewear": (143, 358, 51, 11),
    "footwear": (6245, 6451, 1036, 483),
    "hats": (199, 397, 49, 28),
    "leggings": (569, 1609, 246, 82),
    "outerwear": (2143, 1939, 305, 144),
    "pants": (481, 595, 60, 32),
    "skirts": (1555, 3321, 364, 129),
    "tops": (4074, 2157, 612, 335),
}


def test_published_lists_in_full(udma_lists, tmp_path, dataset):
    queries = json.loads(gzip.decompress((udma_lists / f"{UDMA_QUERIES}.gz").read_bytes()))
    for name in (UDMA_SHOP, UDMA_STREET, UDMA_QUERIES):
        (tmp_path / f"{name}.gz").symlink_to(udma_lists / f"{name}.gz")
    # The gallery's list is not at hand: one shop photo for each product asked for instead.
    (tmp_path / UDMA_GALLERY).write_text(json.dumps(queries[:1]))
    _, params = dataset(NAME, **DEFAULTS | {"meta_domain": "source"})
    table = all_rows([tmp_path], params)

    parts = dict(list(table.groupby(["split", "domain"])))
    shop, street = parts["train", "shop"], parts["train", "consumer"]
    asked = parts["query", "consumer"]
    assert (len(shop), len(street), len(asked)) == (30_403, 30_464, 5_465)
    counted = [rows["category"].value_counts() for rows in (shop, street, asked)]
    counted.append(asked.groupby("category")["item"].nunique())
    assert {name: tuple(int(count[name]) for count in counted) for name in PUBLISHED} == PUBLISHED

    assert (shop["item"].nunique(), street["item"].nunique(), asked["item"].nunique()) == (7_299, 7_653, 2_413)
    assert set(shop["item"]) <= set(street["item"])
    assert not set(asked["item"]) & set(street["item"])
    numbers = asked.drop_duplicates("item")["item"].str.split("_").str[1].value_counts()
    assert (len(numbers), (numbers > 1).sum()) == (2_375, 38)
    assert asked["item"].value_counts().agg(["min", "max"]).tolist() == [1, 105]

    assert shop["image"].str.extract(r"_rtr_(\d{9})")[0].nunique() == 30_403
    street_photos = set(street["image"].str.extract(r"_(\d{9})_\d+\.jpg$")[0])
    asked_photos = set(asked["image"].str.extract(r"/(\d{9})\.")[0])
    assert (len(street_photos), len(asked_photos), len(street_photos & asked_photos)) == (16_382, 5_057, 1_864)
    assert Counter(Path(image).suffix for image in asked["image"]) == {".jpeg": 5355, ".png": 109, ".gif": 1}
    assert asked["image"].tolist() == [f"photos/{one['path']}" for one in queries], "the order of the list"

    assert asked[["x", "y", "w", "h"]].agg(["min", "max"]).to_numpy().tolist() == [
        [0, 0, 2, 2],
        [3852, 4854, 5000, 9139],
    ]
    assert shop[["x", "y", "w", "h"]].isna().all(axis=None)


def test_published_queries_without_repeats_pass_the_check(udma_lists, tmp_path, dataset):
    for name in (UDMA_SHOP, UDMA_QUERIES):
        (tmp_path / f"{name}.gz").symlink_to(udma_lists / f"{name}.gz")
    (tmp_path / UDMA_GALLERY).write_text("[]")
    module, params = dataset(NAME, **DEFAULTS)
    table = check_table(module.read_table(tmp_path, params), NAME)
    assert Counter(table["split"]) == {"train": 30_403, "query": 5_445}
    pd.testing.assert_series_equal(table["category"], table["item"].str.rpartition("_")[0], check_names=False)
