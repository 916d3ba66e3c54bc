"""The sets of MDFE on its generated lists: the pictures that its readers yield, in their order, with their labels."""

from pathlib import Path

import pandas as pd
import pytest
from support.classes import class_labels
from support.golden import TESTS
from support.presets import preset_params
from support.retrieval_sets import committed

from pipeline.base.errors import UserError
from pipeline.datasets._shared.face import load_dataset
from pipeline.table.manifest import check_table

LABELS = TESTS / "golden/mdfe/labels"
CROPPED = {"lists": "cropped", "crop": "none"}
# MDFE's key -> its folder, our set, and what differs from the committed params.
SETS = {
    "products_10k": ("products-10k", "products_10k", {}),
    "gldv2": ("google_landmark_recognition_2021", "gldv2", {}),
    "deep_fashion": ("deepfashion", "deepfashion_json", {}),
    "met_art": ("met_dataset", "met", {}),
    "shopee": ("shopee", "shopee", {}),
    "hm": ("hm_personalized_fashion", "hm", {}),
    "rp2k": ("rp2k", "rp2k", {}),
    "spo": (
        "stanford_online_products",
        "stanford_online_products",
        {"lists": "train", "min_pictures": 3, "folder": ".", "images": "."},
    ),
    "fashion200k": ("fashion200k", "fashion200k", {}),
    "food_rec22": ("fr22_train_v2", "food_recognition_2022", CROPPED),
    "stanford_cars": ("stanford_cars", "cars196", {"lists": "labels", "min_pictures": 3}),
    "deep_fashion2": ("deepfashion2", "deepfashion2", CROPPED),
    "food101": ("food-101", "food101", {}),
    "furniture180": ("furniture_180", "furniture180", {}),
    "storefronts146": ("storefronts_146", "storefronts146", {}),
    "m4d-35k": (".", "m4d_35k", {}),
}
AS_LISTED = ["deepfashion_json"]  # the others are sorted
COMBINED_0 = ("products_10k", "gldv2", "deep_fashion", "stanford_cars")
COMBINED_1 = ("food101", "deep_fashion", "hm", "m4d-35k", "storefronts146")  # without not_a_dataset, see below


def read(key: str, **changes: object) -> pd.DataFrame:
    """The table of a set, with its pictures as MDFE names them."""
    folder, name, differing = SETS[key]
    module, params = load_dataset(name, lambda _: committed(name, **differing | changes))
    table = check_table(module.read_table(LABELS / "tree" / folder, params), name)
    if key == "spo":  # MDFE goes class by class, as they come first; the manifest keeps the order of the list
        table = table.iloc[pd.factorize(table["item"])[0].argsort(kind="stable")]
    return table.assign(image=[(Path(folder) / image).as_posix() for image in table["image"]])


def check(table: pd.DataFrame, name: str) -> None:
    expected = pd.read_csv(LABELS / f"expected/{name}.csv")
    assert table["image"].tolist() == expected["path"].tolist()
    assert class_labels(table, AS_LISTED).tolist() == expected["label"].tolist()


@pytest.mark.parametrize("key", SETS)
def test_pictures_and_labels_of_a_set(key):
    table = read(key)
    check(table, key)
    assert set(table["split"]) == {"train"}
    assert set(table["meta_domain"]) == {"source"}
    summary = pd.read_csv(LABELS / "expected/summary.csv", index_col="names").loc[key]
    assert (table["item"].nunique(), len(table)) == (summary["num_classes"], summary["num_samples"])


@pytest.mark.parametrize(("name", "keys"), [("combined_0", COMBINED_0), ("combined_1", COMBINED_1)])
def test_labels_of_several_sets(name, keys):
    table = pd.concat(map(read, keys), ignore_index=True)
    check(table, name)
    assert table.groupby("dataset")["category"].nunique().drop("m4d_35k", errors="ignore").eq(1).all()


def test_pictures_a_class_by_label():
    table = pd.concat(map(read, COMBINED_1), ignore_index=True)
    counts = pd.read_csv(LABELS / "expected/class_counts_combined_1.csv", index_col=0)["num_samples"].sort_index()
    assert pd.Series(class_labels(table, AS_LISTED)).value_counts().sort_index().tolist() == counts.tolist()


def test_the_preset_makes_m4d_of_its_four_sets(tmp_path):
    data, made = preset_params("m4d_35k", tmp_path)
    keys = {name: key for key, (_, name, _) in SETS.items()}
    tables = [read(keys[name], **{key: made[name][key] for key in ("lists", "min_pictures")}) for name in data["sets"]]
    check(pd.concat(tables, ignore_index=True), "m4d_recipe")


def test_an_unknown_set_is_refused():
    with pytest.raises(UserError, match="data.sets: unknown name 'not_a_dataset'; known: atelier, .*") as caught:
        load_dataset("not_a_dataset")
    assert "\n" not in str(caught.value)


def test_consumer_pictures_are_told_where_the_paths_tell_them():
    table = read("deep_fashion")
    consumers = table["image"].str.contains("/comsumer_")
    assert 0 < consumers.sum() < len(table)
    assert ((table["domain"] == "consumer") == consumers).all()
    assert set(read("hm")["domain"]) == {"shop"}


def test_classes_of_several_sets_stay_apart():
    tables = [read(key) for key in ("products_10k", "rp2k", "shopee", "spo")]
    assert {category for table in tables for category in table["category"]} == {"packaged_goods"}
    assert sum(table["item"].nunique() for table in tables) == pd.concat(tables)["item"].nunique()
