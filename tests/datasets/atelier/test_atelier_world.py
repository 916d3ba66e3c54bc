"""The built-in world as its users see it: files, table, counts, and the same bytes every time."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.project import default_params, set_params

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.datasets.atelier import reader as atelier
from pipeline.datasets.atelier.attributes import ATTRIBUTES, IN_FRONT, PATTERN_NAMES, PATTERN_OF
from pipeline.datasets.atelier.catalogue import SILHOUETTES, SOURCE_CATEGORIES, TARGET_CATEGORIES
from pipeline.datasets.atelier.cloth.patterns import PATTERNS
from pipeline.datasets.atelier.garments.tailor import Pose
from pipeline.datasets.atelier.items import Item
from pipeline.datasets.atelier.styles import TARGET
from pipeline.datasets.atelier.world import COLUMNS, Sizes, generate
from pipeline.table.attributes import check_attributes
from pipeline.table.manifest import check_table

POSES = (Pose(), Pose(back=True))
NECKS = ("round", "v", "square", "collar", "lapels", "stand", "hood", "roll", "straps")
TRIMS = ("none", "buttons", "zip", "bow", "belt", "print", "pocket", "ruffle", "pleats", "stripe")
REACHED = {"mini_skirt": {"thigh"}, "jeans": {"calf", "ankle"}, "coat": {"thigh", "knee", "calf"}, "cap": {None}}

TINY = Sizes(
    source_items=15,
    source_shop_images=(1, 2),
    source_consumer_images=(2, 3),
    target_train_items=8,
    target_train_images=(1, 3),
    target_test_items=9,
    target_queries=(1, 2),
    target_gallery=(2, 2),
    image_size=32,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("world")
    generate(out, TINY, seed=3, workers=1)
    return out


@pytest.fixture(scope="module")
def params() -> atelier.Params:
    return parse_section(set_params("atelier"), "atelier", atelier.Params)


@pytest.fixture
def alignment() -> dict[str, list[str]]:
    return default_params()["data"]["alignment"]


@pytest.fixture
def table(root, params) -> pd.DataFrame:
    return atelier.read_table(root, params)


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_seed_gives_the_same_bytes_with_any_number_of_workers(root, tmp_path):
    generate(tmp_path, TINY, seed=3, workers=2)
    assert digests(tmp_path) == digests(root)


def test_another_seed_gives_other_pictures(root, tmp_path):
    generate(tmp_path, TINY, seed=4, workers=1)
    pictures = {digest for name, digest in digests(root).items() if name.endswith(".jpg")}
    assert not pictures & set(digests(tmp_path).values())


def test_no_two_pictures_are_equal(root):
    pictures = [digest for name, digest in digests(root).items() if name.endswith(".jpg")]
    assert len(set(pictures)) == len(pictures)


def test_global_random_state_is_neither_read_nor_changed(root, tmp_path):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    generate(tmp_path, TINY, seed=3, workers=1)
    assert np.array_equal(np.random.get_state()[1], before)
    assert digests(tmp_path) == digests(root)


def test_an_item_does_not_depend_on_how_many_others_there_are(root, tmp_path):
    generate(tmp_path, Sizes(**(vars(TINY) | {"source_items": 4, "target_test_items": 3})), seed=3, workers=1)
    few, many = digests(tmp_path), digests(root)
    for name in ("manifest.csv", "attributes.csv"):
        few.pop(name)
    assert few.items() <= many.items()


def test_table_lists_every_file_once_with_the_columns_of_the_manifest(root, table):
    assert tuple(table.columns) == COLUMNS
    assert table.map(lambda value: isinstance(value, str) and value != "").all(axis=None)
    on_disk = {path.relative_to(root).as_posix() for path in (root / "images").rglob("*.jpg")}
    assert sorted(table.image) == sorted(on_disk)
    expected = "images/" + table.meta_domain + "/" + table.split + "/" + table.category + "/" + table["item"]
    assert table.image.str.startswith(tuple(expected)).all()


def test_counts_per_part(table):
    items = table.groupby(["meta_domain", "split", "domain"])["item"].nunique().to_dict()
    assert items == {
        ("source", "train", "shop"): 15,
        ("source", "train", "consumer"): 15,
        ("target", "train", "shop"): 8,
        ("target", "query", "consumer"): 9,
        ("target", "gallery", "shop"): 9,
    }
    pictures = table.groupby(["meta_domain", "split", "domain", "item"]).size()
    ranges = pictures.groupby(level=[0, 1, 2]).agg(["min", "max"])
    assert ranges.loc[("source", "train", "shop")].tolist() == [1, 2]
    assert ranges.loc[("source", "train", "consumer")].tolist() == [2, 3]
    assert ranges.loc[("target", "train", "shop")].tolist() == [1, 3]
    assert ranges.loc[("target", "query", "consumer")].tolist() == [1, 2]
    assert ranges.loc[("target", "gallery", "shop")].tolist() == [2, 2]


def test_target_train_and_test_share_no_item_and_queries_have_their_gallery(table):
    items = table.groupby(["meta_domain", "split"])["item"].agg(set)
    assert items["target", "train"].isdisjoint(items["target", "gallery"])
    assert items["target", "query"] == items["target", "gallery"]
    assert items["source", "train"] == {f"s{number:05d}" for number in range(15)}
    assert items["target", "train"] | items["target", "query"] == {f"t{number:05d}" for number in range(17)}


def test_categories_differ_between_the_shops_and_subcategory_tells_what_was_drawn(table):
    source, target = (table[table.meta_domain == name] for name in ("source", "target"))
    assert (source.category == source.subcategory).all()
    assert set(source.category) == set(SOURCE_CATEGORIES[:15])
    assert set(target.category) == set(TARGET_CATEGORIES)
    assert not set(target.category) & set(source.category) - {"trousers", "shorts"}
    assert all(row.subcategory in TARGET_CATEGORIES[row.category] for row in target.itertuples())
    assert (table.groupby("item")[["category", "subcategory"]].nunique() == 1).all(axis=None)


def test_catalogue_is_as_large_as_promised(alignment):
    assert len(SOURCE_CATEGORIES) == len(set(SOURCE_CATEGORIES)) >= 14
    assert len(TARGET_CATEGORIES) == 8
    assert [name for name in TARGET_CATEGORIES if not alignment.get(name)] == ["hats", "bags"]


def test_default_alignment_follows_what_is_drawn(alignment):
    for category, aligned in alignment.items():
        assert set(aligned) == set(TARGET_CATEGORIES[category])
        assert set(aligned) <= set(SOURCE_CATEGORIES)


def test_twelve_source_items_give_two_to_every_aligned_category(alignment):
    for aligned in alignment.values():
        assert sum(category in aligned for category in SOURCE_CATEGORIES[:12]) >= 2


def test_pictures_are_rgb_jpegs_of_the_asked_size(root, table):
    for name in table.image:
        with Image.open(root / name) as picture:
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (32, 32))


def test_shop_pictures_have_a_lighter_and_plainer_border_than_consumer_pictures(root, table):
    def border(name: str) -> np.ndarray:
        pixels = np.asarray(Image.open(root / name), dtype=float)
        return np.concatenate([pixels[:2].reshape(-1, 3), pixels[:, :2].reshape(-1, 3)])

    whole = table[table.image.str.endswith("_0.jpg")]  # later shop pictures may be details that fill the frame
    borders = {domain: np.stack([border(name) for name in rows.image]) for domain, rows in whole.groupby("domain")}
    assert borders["shop"].mean() > borders["consumer"].mean() + 40
    assert np.median(borders["shop"].std(axis=1)) < 0.5 * np.median(borders["consumer"].std(axis=1))


def test_fetch_draws_what_the_params_ask_for(tmp_path, params):
    small = params.model_copy(update=vars(TINY) | {"source_items": 1, "target_train_items": 1, "target_test_items": 1})
    atelier.fetch(tmp_path / "unused", tmp_path, small, seed=0, downloads=tmp_path / "unused")
    assert atelier.read_table(tmp_path, small)["item"].unique().tolist() == ["s00000", "t00000", "t00001"]
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("target_queries", [2, 1]), ("target_gallery", [0, 1]), ("source_items", 0), ("image_size", 8), ("seeds", 1)],
)
def test_params_out_of_range_are_one_line_that_names_the_key(params, key, value):
    values = params.model_dump() | {key: value}
    with pytest.raises(UserError, match=rf"^atelier\.{key}: .*$"):
        parse_section(values, "atelier", atelier.Params)


def test_table_of_a_folder_without_manifest_is_a_user_error(tmp_path, params, table):
    with pytest.raises(UserError, match=r"manifest\.csv: no such file"):
        atelier.read_table(tmp_path, params)
    with pytest.raises(UserError, match=r"attributes\.csv: no such file; run the download stage again"):
        atelier.read_attributes(tmp_path, params, table)


def test_attributes_are_those_of_the_item_as_far_as_a_picture_shows_them(root, params, table):
    told = check_attributes(atelier.read_attributes(root, params, check_table(table, "atelier")), table, "atelier")
    assert tuple(told["attribute"].unique()) == ATTRIBUTES
    known = table.iloc[told["row"]].reset_index(drop=True).assign(**told[["attribute", "value"]])
    assert (known.groupby(["item", "attribute"])["value"].nunique() == 1).all(), "the same in all pictures"
    assert set(known.image[known.attribute == "pattern"]) == set(table.image)
    lower = known.category.isin(["mini_skirt", "midi_skirt", "skirts", "jeans", "trousers", "shorts", "bermudas"])
    assert set(known.attribute[lower]) == {"pattern", "trim", "length"}
    assert set(known.attribute[known.category.isin(["hats", "bags"])]) == {"pattern"}
    first = known[known.image.str.endswith("shop_0.jpg") & (known.meta_domain == "source")]
    upper = first[first.category.isin(["t_shirt", "jacket", "mini_dress", "shirt", "coat", "blouse"])]
    assert (upper.groupby("image")["attribute"].nunique() == 5).all(), "the first picture shows the whole front"


@pytest.mark.parametrize("name", SILHOUETTES)
def test_values_of_a_silhouette(name):
    front, back = ([Item((0, n), name, TARGET).garment(pose).told for n in range(40)] for pose in POSES)
    assert all(told.keys() == front[0].keys() for told in front)
    assert [{key: told[key] for key in told if key not in IN_FRONT} for told in front] == back
    for told in front:
        assert told["pattern"] in PATTERN_NAMES
        assert told.get("sleeve", "long") in ("sleeveless", "cap", "short", "puffed", "long")
        assert told.get("neck", "v") in NECKS
        assert told.get("trim", "none") in TRIMS
    reached = {told.get("length") for told in front}
    assert reached <= REACHED.get(name, {None, "waist", "hip", "thigh", "knee", "calf", "ankle"})


def test_every_pattern_has_a_name():
    assert set(PATTERN_OF) == set(PATTERNS)
