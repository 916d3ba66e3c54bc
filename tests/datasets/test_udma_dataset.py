"""The preset of UDMA: DeepFashion as source, Street2Shop as target."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.presets import preset_params

from pipeline.base.errors import UserError
from pipeline.datasets._shared import fetching
from pipeline.datasets.street2shop.reader import UDMA_GALLERY, UDMA_QUERIES, UDMA_SHOP
from pipeline.table.manifest import check_table

# Street2Shop category: rows of source and target shop pictures that FINCH clusters together, after UDMA.
GROUPS = {"dresses": 16043, "leggings": 2074, "outerwear": 4763, "pants": 3310, "skirts": 1939, "tops": 23438}


@pytest.fixture
def preset(tmp_path) -> tuple[dict[str, Any], dict[str, Any]]:
    """`data` and the params of both sets, of pictures that are crops."""
    data, sets = preset_params("udma", tmp_path / "preset")
    sets["deepfashion_consumer_to_shop"]["crop"] = "none"
    return data, sets


@pytest.fixture
def sets(preset) -> dict[str, Any]:
    return preset[1]


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


def test_both_in_one_table(incoming, sets, joined):
    out, table = joined(incoming, sets)
    assert table[["meta_domain", "domain", "split", "category"]].to_numpy().tolist() == [
        ["source", "consumer", "train", "TOPS/Coat"],
        ["source", "shop", "train", "TOPS/Coat"],
        ["target", "shop", "train", "outerwear"],
        ["target", "consumer", "query", "outerwear"],
        ["target", "shop", "gallery", "outerwear"],
    ]
    assert all((out / image).is_file() for image in table["image"])
    assert len(list(out.rglob("*.jp*g"))) == 5
    assert sorted(path.name for path in out.iterdir()) == ["deepfashion_consumer_to_shop", "street2shop"]
    assert [image.split("/")[0] for image in table["image"]] == table["dataset"].tolist()


def test_source_test_part_can_be_kept(incoming, sets, joined):
    sets["deepfashion_consumer_to_shop"]["test"] = True
    _, table = joined(incoming, sets)
    assert Counter(table["split"][table["meta_domain"] == "source"]) == {"train": 2, "query": 1, "gallery": 1}


def test_downloads_stay_out_of_the_dataset(incoming, sets, joined, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(fetching, "download_file", lambda url, path, digest: asked.append(path))
    monkeypatch.setattr(fetching, "unpack", lambda *_: None)
    for part in ("deepfashion_consumer_to_shop", "street2shop"):
        sets[part]["archives"] = [{"url": "http://localhost/set.zip"}]
    joined(incoming, sets)
    assert {path.parent for path in asked} == {tmp_path / "downloads"}


@pytest.mark.parametrize("part", ["deepfashion_consumer_to_shop", "street2shop"])
def test_missing_part_is_told_apart(incoming, sets, joined, part):
    (incoming / part).rename(incoming / "elsewhere")
    with pytest.raises(UserError, match=rf"no such file; put .* into .*incoming/{part}: from"):
        joined(incoming, sets)


def test_alignment_gives_the_published_groups(udma_lists, preset, tmp_path, dataset):
    source, target = tmp_path / "deepfashion_consumer_to_shop", tmp_path / "street2shop"
    source.mkdir()
    target.mkdir()
    for folder, name in [(source, "df_shop.txt"), (target, UDMA_SHOP), (target, UDMA_QUERIES)]:
        (folder / f"{name}.gz").symlink_to(udma_lists / f"{name}.gz")
    for empty in (source / "df_consumer.txt", source / "consumer_df.txt", source / "shop_df.txt"):
        empty.write_text("")
    (target / UDMA_GALLERY).write_text("[]")
    data, sets = preset
    readers = {name: dataset(name, **params) for name, params in sets.items()}
    tables = [check_table(one.read_table(tmp_path / name, params), name) for name, (one, params) in readers.items()]
    table = pd.concat(tables, ignore_index=True)
    shop = table[(table["split"] == "train") & (table["domain"] == "shop")].groupby(["meta_domain", "category"]).size()
    rows = {
        name: shop["target"][name] + sum(shop["source"][one] for one in aligned)
        for name, aligned in data["alignment"].items()
        if aligned
    }
    assert rows == GROUPS
    in_groups = {one for aligned in data["alignment"].values() for one in aligned}
    assert shop["source"].sum() - sum(shop["source"][one] for one in in_groups) == 4690
