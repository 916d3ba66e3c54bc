"""DeepFashion consumer-to-shop: official and UDMA's lists."""

import gzip
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from pipeline.base.errors import UserError
from pipeline.datasets.deepfashion_consumer_to_shop.reader import _test_list, _train_list
from pipeline.table.manifest import check_table

NAME = "deepfashion_consumer_to_shop"
DEFAULTS = {
    "archives": [],
    "lists": "official",
    "images": "img",
    "crop": "boxes",
    "train_on": "trainval",
    "test": True,
    "meta_domain": "source",
}

# consumer, shop, id, status; a picture occurs in several pairs, id 7 in two categories.
PAIRS = [
    ("DRESSES/Dress/id_00000007/comsumer_01.jpg", "DRESSES/Dress/id_00000007/shop_01.jpg", "id_00000007", "train"),
    ("DRESSES/Dress/id_00000007/comsumer_02.jpg", "DRESSES/Dress/id_00000007/shop_01.jpg", "id_00000007", "train"),
    ("DRESSES/Skirt/id_00000007/comsumer_01.jpg", "DRESSES/Skirt/id_00000007/shop_01.jpg", "id_00000007", "train"),
    ("TOPS/Coat/id_00000010/comsumer_01.jpg", "TOPS/Coat/id_00000010/shop_01.jpg", "id_00000010", "val"),
    ("TOPS/Coat/id_00000001/comsumer_01.jpg", "TOPS/Coat/id_00000001/shop_01.jpg", "id_00000001", "test"),
    ("TOPS/Coat/id_00000001/comsumer_01.jpg", "TOPS/Coat/id_00000001/shop_02.jpg", "id_00000001", "test"),
]
PICTURES = list(dict.fromkeys(path for pair in PAIRS for path in pair[:2]))


def write_official(root: Path, pairs: list[tuple[str, str, str, str]]) -> None:
    (root / "Eval").mkdir(parents=True, exist_ok=True)
    rows = "".join(f"img/{consumer:<60} img/{shop:<50}  {item}   {status}\n" for consumer, shop, item, status in pairs)
    header = "image_pair_name_1   image_pair_name_2     item_id    evaluation_status"
    (root / "Eval/list_eval_partition.txt").write_text(f"{len(pairs)}\n{header}\n{rows}")


def write_boxes(root: Path, boxes: dict[str, str]) -> None:
    (root / "Anno").mkdir(parents=True, exist_ok=True)
    rows = "".join(f"img/{path:<60} 1 2  {corners}\n" for path, corners in boxes.items())
    header = "image_name clothes_type source_type x_1 y_1 x_2 y_2"
    (root / "Anno/list_bbox_consumer2shop.txt").write_text(f"{len(boxes)}\n{header}\n{rows}")


@pytest.fixture
def official(tmp_path, picture) -> Path:
    root = tmp_path / "incoming"
    write_official(root, PAIRS)
    write_boxes(root, dict.fromkeys(PICTURES[1:], "002 3 6 8"))
    for path in PICTURES:
        picture(root / "img" / path)
    picture(root / "img/TOPS/Coat/id_00000099/shop_01.jpg")
    return root


def test_official_lists_give_distinct_pictures(official, fetched):
    out, table = fetched(official, NAME, **DEFAULTS)
    assert table["image"].tolist() == [f"img/{path}" for path in PICTURES]
    first = table.iloc[0]
    assert (first["item"], first["category"], first["domain"]) == ("id_00000007", "DRESSES/Dress", "consumer")
    assert table.groupby(["split", "domain"]).size().to_dict() == {
        ("train", "consumer"): 4,
        ("train", "shop"): 3,
        ("query", "consumer"): 1,
        ("gallery", "shop"): 2,
    }
    assert table.loc[0, ["x", "y", "w", "h"]].isna().all(), "no box in the list: the whole picture"
    assert table.loc[1, ["x", "y", "w", "h"]].tolist() == [2, 3, 4, 5]
    assert len(list(out.rglob("*.jpg"))) == len(PICTURES), "only listed pictures are copied"


def test_products_are_category_and_item(official, fetched):
    _, table = fetched(official, NAME, **DEFAULTS)
    train = table[table["split"] == "train"]
    assert train["item"].nunique() == 2
    assert len(train.groupby(["category", "item"])) == 3


def test_val_apart_test_left_out(official, fetched):
    out, table = fetched(official, NAME, **DEFAULTS | {"train_on": "train", "test": False, "crop": "none"})
    assert Counter(table["split"]) == {"train": 5, "val": 2}
    assert not (out / "img/TOPS/Coat/id_00000001").exists(), "pictures of no row are not copied"
    assert not (out / "Anno").exists()


def test_as_target_only_shop_pictures_are_for_training(official, fetched):
    _, table = fetched(official, NAME, **DEFAULTS | {"meta_domain": "target"})
    assert Counter(zip(table["split"], table["domain"], strict=True)) == {
        ("train", "shop"): 3,
        ("query", "consumer"): 1,
        ("gallery", "shop"): 2,
    }


@pytest.mark.parametrize("lists", ["udma_pairs", "udma_pictures"])
def test_udma_lists_give_the_same_pictures(official, fetched, dataset, lists):
    module, params = dataset(NAME, **DEFAULTS | {"crop": "none", "images": "cropped_img"})
    expected = module.read_table(official, params)
    (official / "img").rename(official / "cropped_img")
    if lists == "udma_pairs":
        (official / "V_list_eval_partition.txt").write_text("".join(" ".join(pair) + "\n" for pair in PAIRS))
    else:
        for side, train, test in ((0, "df_consumer.txt", "consumer_df.txt"), (1, "df_shop.txt", "shop_df.txt")):
            rows = list(dict.fromkeys((pair[side], pair[2], pair[3]) for pair in PAIRS))
            learn = [f"{path} 0 0 {path[: path.index('/id')]}\n" for path, _, status in rows if status != "test"]
            asked = [f"{path},{item}\n" for path, item, status in rows if status == "test"]
            (official / f"{train}.gz").write_bytes(gzip.compress("".join(learn).encode()))
            (official / test).write_text("".join(asked))
    section = DEFAULTS | {"lists": lists, "crop": "none", "images": "cropped_img"}
    _, table = fetched(official, NAME, **section)
    key = ["image", "item", "category", "domain", "split"]
    pd.testing.assert_frame_equal(
        table[key].sort_values("image", ignore_index=True),
        expected[key].sort_values("image", ignore_index=True).astype("str"),
    )


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({}, r"Eval/list_eval_partition.txt: no such file; put .* into .*incoming: from DeepFashion.*MMLab, CUHK"),
        ({"lists": "udma_pairs"}, "V_list_eval_partition.txt: no such file.*UDMA repository"),
        ({"lists": "udma_pictures"}, "df_consumer.txt: no such file"),
        ({"lists": "udma_pictures", "train_on": "train"}, "should have train_on: trainval"),
        ({"lists": "other"}, f"datasets/{NAME}/params.yaml:lists: 'official', 'udma_pairs' or 'udma_pictures'"),
        ({"crop": "Boxes"}, f"datasets/{NAME}/params.yaml:crop"),
    ],
)
def test_missing_files_and_mistaken_params(tmp_path, fetched, section, problem):
    with pytest.raises(UserError, match=problem) as caught:
        fetched(tmp_path / "incoming", NAME, **DEFAULTS | section)
    assert "\n" not in str(caught.value)


def test_lists_without_pictures(tmp_path, fetched):
    write_official(tmp_path / "incoming", PAIRS)
    with pytest.raises(UserError, match=r"none of the 10 pictures is there .*folder of pictures img/"):
        fetched(tmp_path / "incoming", NAME, **DEFAULTS | {"crop": "none"})


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        ((PAIRS[0][0], PAIRS[0][1], "id_00000007", "test"), "in two parts or under two items"),
        ((PAIRS[0][0], PAIRS[0][1], "id_00000008", "train"), "in two parts or under two items"),
        ((PAIRS[0][0], PAIRS[0][1], "id_00000007", "Train"), "unknown evaluation_status 'Train'"),
        (
            ("TOPS/Coat/id_00000001/photo_01.jpg", PAIRS[0][1], "id_00000007", "train"),
            "photo_01.jpg' in the lists is no",
        ),
        (("../Coat/id_00000001/comsumer_01.jpg", PAIRS[0][1], "id_00000007", "train"), "leads out of its folder"),
    ],
)
def test_strange_lists(tmp_path, dataset, pair, problem):
    write_official(tmp_path, [*PAIRS, pair])
    module, params = dataset(NAME, **DEFAULTS | {"crop": "none"})
    with pytest.raises(UserError, match=problem):
        module.read_table(tmp_path, params)


def test_corner_that_is_no_number(official, dataset):
    write_boxes(official, {PICTURES[0]: "1 2 three 4"})
    module, params = dataset(NAME, **DEFAULTS)
    with pytest.raises(UserError, match="consumer2shop.txt line 3: x_2 'three' is no number"):
        module.read_table(official, params)


# Counts of the published lists, category by category: df_shop, consumer_df, shop_df.
PUBLISHED = {
    "CLOTHING/Blouse": (222, 179, 78),
    "CLOTHING/Coat": (5, 10, 4),
    "CLOTHING/Jeans": (203, 306, 83),
    "CLOTHING/Pants": (737, 669, 249),
    "CLOTHING/Polo_Shirt": (149, 199, 60),
    "CLOTHING/Summer_Wear": (85, 50, 27),
    "CLOTHING/Tank_Top": (25, 18, 12),
    "CLOTHING/T_Shirt": (1016, 1050, 377),
    "DRESSES/Dress": (2501, 3811, 849),
    "DRESSES/Lace_Dress": (22, 18, 7),
    "DRESSES/Skirt": (369, 632, 123),
    "DRESSES/Sleeveless_Dress": (15, 10, 6),
    "DRESSES/Suspenders_Skirt": (15, 29, 8),
    "TOPS/Blouse": (189, 194, 56),
    "TOPS/Chiffon": (503, 389, 144),
    "TOPS/Coat": (2615, 3649, 875),
    "TOPS/Lace_Shirt": (1310, 1530, 381),
    "TOPS/Summer_Wear": (10684, 15569, 3447),
    "TOPS/Tank_Top": (1393, 1445, 459),
    "TOPS/T_Shirt": (5285, 7290, 1904),
    "TROUSERS/Leggings": (1505, 1899, 506),
    "TROUSERS/Pants": (2092, 2843, 663),
    "TROUSERS/Summer_Wear": (2990, 5645, 994),
}


def test_published_lists_in_full(udma_lists, tmp_path, dataset):
    for name in ("df_shop.txt.gz", "consumer_df.txt.gz", "shop_df.txt.gz"):
        (tmp_path / name).symlink_to(udma_lists / name)
    # The list of consumer pictures for training is not at hand: one consumer picture for each shop picture instead.
    stand_in = gzip.decompress((udma_lists / "df_shop.txt.gz").read_bytes()).replace(b"/shop_", b"/comsumer_")
    (tmp_path / "df_consumer.txt").write_bytes(stand_in)
    module, params = dataset(NAME, **DEFAULTS | {"lists": "udma_pictures", "crop": "none"})
    table = check_table(module.read_table(tmp_path, params), NAME)

    parts = dict(list(table.groupby(["split", "domain"])))
    assert {part: len(rows) for part, rows in parts.items()} == {
        ("train", "consumer"): 33_930,
        ("train", "shop"): 33_930,
        ("query", "consumer"): 47_434,
        ("gallery", "shop"): 11_312,
    }
    shop, query, gallery = parts["train", "shop"], parts["query", "consumer"], parts["gallery", "shop"]
    counted = [rows["category"].value_counts().to_dict() for rows in (shop, query, gallery)]
    assert {name: tuple(count[name] for count in counted) for name in PUBLISHED} == PUBLISHED
    assert all(len(count) == 23 for count in counted)

    assert (shop["item"].nunique(), len(shop.groupby(["category", "item"]))) == (25_285, 25_309)
    assert set(query["item"]) == set(gallery["item"])
    assert query["item"].nunique() == 8_471
    assert not set(shop["item"]) & set(query["item"])

    products = [set(zip(rows["category"], rows["item"], strict=True)) for rows in (query, gallery)]
    assert [len(products[0]), len(products[1]), len(products[0] & products[1])] == [8_817, 8_482, 8_440]
    tests = pd.concat([query, gallery])
    assert (tests.groupby("item")["category"].nunique() > 1).sum() == 367
    alone = [pair not in products[1] for pair in zip(query["category"], query["item"], strict=True)]
    assert sum(alone) == 862
    per_item = [rows.groupby("item").size() for rows in (query, gallery)]
    assert [(count.min(), count.max(), round(count.mean(), 2)) for count in per_item] == [(1, 36, 5.60), (1, 10, 1.34)]


def test_published_item_ids_are_those_of_the_paths(udma_lists):
    for name in ("consumer_df.txt", "shop_df.txt"):
        rows = _test_list(udma_lists, name)
        assert (rows["path"].str.split("/").str[2] == rows["item"]).all()
    assert _train_list(udma_lists, "df_shop.txt")["item"].str.fullmatch(r"id_\d{8}").all()
