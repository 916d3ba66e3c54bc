"""The pair of UDMA: DeepFashion as source, Street2Shop as target."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.datasets._shared import fetching
from pipeline.datasets._shared.street2shop import UDMA_GALLERY, UDMA_QUERIES, UDMA_SHOP
from pipeline.table.manifest import check_table

# Street2Shop category: rows of source and target shop pictures that FINCH clusters together, after UDMA.
GROUPS = {"dresses": 16043, "leggings": 2074, "outerwear": 4763, "pants": 3310, "skirts": 1939, "tops": 23438}


@pytest.fixture
def section() -> dict[str, Any]:
    """The committed section, reading UDMA's lists."""
    section = default_params()["datasets"]["udma"]
    section["deepfashion_consumer_to_shop"] |= {"lists": "udma_pictures", "crop": "none", "test": False}
    section["street2shop"] |= {"lists": "udma"}
    return section


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    source, target = tmp_path / "incoming/deepfashion_consumer_to_shop", tmp_path / "incoming/street2shop"
    source.mkdir(parents=True)
    target.mkdir()
    coat, test = "TOPS/Coat/id_00000003", "TOPS/Coat/id_00000001"
    crop = "outerwear/rtr/outerwear_0000012_rtr_000026359.jpg"
    photo = {"path": "Src/000/000000017.jpeg", "category": "outerwear", "product": 5}
    (source / "df_consumer.txt").write_text(f"{coat}/comsumer_01.jpg 0 15 TOPS/Coat\n")
    (source / "df_shop.txt").write_text(f"{coat}/shop_01.jpg 0 15 TOPS/Coat\n")
    (source / "consumer_df.txt").write_text(f"{test}/comsumer_01.jpg,id_00000001\n")
    (source / "shop_df.txt").write_text(f"{test}/shop_01.jpg,id_00000001\n")
    (target / UDMA_SHOP).write_text(f"{crop} 3 7 outerwear\n")
    box = {"left": 0, "top": 0, "width": 4, "height": 4}
    (target / UDMA_QUERIES).write_text(json.dumps([photo | {"bbox": box}]))
    (target / UDMA_GALLERY).write_text(json.dumps([photo]))
    for path in (f"{coat}/comsumer_01.jpg", f"{coat}/shop_01.jpg", f"{test}/comsumer_01.jpg", f"{test}/shop_01.jpg"):
        picture(source / "img" / path)
    picture(target / "crops" / crop)
    picture(target / "crops/outerwear/rtr/outerwear_0000005_rtr_000000017.jpg")
    picture(target / "photos" / photo["path"])
    return tmp_path / "incoming"


def test_both_in_one_table(incoming, section, fetched):
    out, table = fetched(incoming, "udma", **section)
    assert table[["meta_domain", "domain", "split", "category"]].to_numpy().tolist() == [
        ["source", "consumer", "train", "TOPS/Coat"],
        ["source", "shop", "train", "TOPS/Coat"],
        ["target", "shop", "train", "outerwear"],
        ["target", "consumer", "query", "outerwear"],
        ["target", "shop", "gallery", "outerwear"],
    ]
    assert all((out / image).is_file() for image in table["image"])
    assert len(list(out.rglob("*.jp*g"))) == 5
    assert sorted(path.name for path in out.parent.iterdir()) == ["udma"]


def test_source_test_part_can_be_kept(incoming, section, fetched):
    section["deepfashion_consumer_to_shop"]["test"] = True
    _, table = fetched(incoming, "udma", **section)
    assert Counter(table["split"][table["meta_domain"] == "source"]) == {"train": 2, "query": 1, "gallery": 1}


def test_downloads_stay_out_of_the_dataset(incoming, section, fetched, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(fetching, "download_file", lambda url, path, digest: asked.append(path))
    monkeypatch.setattr(fetching, "unpack", lambda *_: None)
    for part in ("deepfashion_consumer_to_shop", "street2shop"):
        section[part]["archives"] = [{"url": "http://localhost/set.zip"}]
    fetched(incoming, "udma", **section)
    assert {path.parent for path in asked} == {tmp_path / "downloads"}


@pytest.mark.parametrize("part", ["deepfashion_consumer_to_shop", "street2shop"])
def test_missing_part_is_told_apart(incoming, section, fetched, part):
    (incoming / part).rename(incoming / "elsewhere")
    with pytest.raises(UserError, match=rf"no such file; put .* into .*incoming/{part}: from"):
        fetched(incoming, "udma", **section)


def test_mistake_in_a_nested_section_is_named(section, dataset):
    section["street2shop"]["crop"] = "boxes"
    with pytest.raises(UserError, match=r"datasets.udma.street2shop.crop: unknown key"):
        dataset("udma", **section)


def test_committed_alignment_gives_the_published_groups(udma_lists, section, tmp_path, dataset):
    source, target = tmp_path / "deepfashion_consumer_to_shop", tmp_path / "street2shop"
    source.mkdir()
    target.mkdir()
    for folder, name in [(source, "df_shop.txt"), (target, UDMA_SHOP), (target, UDMA_QUERIES)]:
        (folder / f"{name}.gz").symlink_to(udma_lists / f"{name}.gz")
    for empty in (source / "df_consumer.txt", source / "consumer_df.txt", source / "shop_df.txt"):
        empty.write_text("")
    (target / UDMA_GALLERY).write_text("[]")
    module, params = dataset("udma", **section)
    table = check_table(module.read_table(tmp_path, params), "udma")
    shop = table[(table["split"] == "train") & (table["domain"] == "shop")].groupby(["meta_domain", "category"]).size()
    rows = {
        name: shop["target"][name] + sum(shop["source"][one] for one in aligned)
        for name, aligned in params.alignment.items()
        if aligned
    }
    assert rows == GROUPS
    in_groups = {one for aligned in params.alignment.values() for one in aligned}
    assert shop["source"].sum() - sum(shop["source"][one] for one in in_groups) == 4690
