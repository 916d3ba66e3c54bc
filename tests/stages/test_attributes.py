"""A network that embeds a picture for an attribute, through the stages behind finetune."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from support import conditioned

from pipeline.arrays.rows import unit_rows
from pipeline.base.names import ATTRIBUTES_FILE, FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, ModelName, Part
from pipeline.features.store import open_features
from pipeline.models.kinds import KINDS, save_embedder
from pipeline.table.attributes import write_attributes
from pipeline.table.manifest import part_rows

ATTRIBUTES = ("sleeve", "neck")


@pytest.fixture
def steered(chain, monkeypatch):
    """The tiny chain with a network of two attributes, and what is known of test pictures."""
    monkeypatch.setitem(KINDS, conditioned.AttributeNetwork.kind, conditioned.AttributeNetwork)
    branches = {"region": 5, "patch": conditioned.WIDTH - 5}
    save_embedder(chain.folder / MODEL_FOLDER, conditioned.attribute_network(ATTRIBUTES, branches))
    write_attributes(chain.folder / ATTRIBUTES_FILE, known_of(pd.read_parquet(chain.folder / MANIFEST_FILE)))
    return chain


def known_of(table):
    """Sleeves of all pictures of the target's test part, necks of every second one, and two of every fourth."""
    rows = np.sort(part_rows(table, Part.TARGET_TEST))
    lists = [("neck", rows[::2], "round"), ("neck", rows[::4], "deep"), ("sleeve", rows, None)]
    made = []
    for attribute, of, value in lists:
        values = [value or ("long", "short")[int(row % 3 > 0)] for row in of]
        made.append(pd.DataFrame({"row": of, "attribute": attribute, "value": values}))
    known = pd.concat(made).sort_values(["row", "attribute", "value"], kind="stable")
    split = table["split"].to_numpy(dtype=str)[known["row"]]
    return known.assign(split=split).astype(dict.fromkeys(["attribute", "value", "split"], "str"))


def test_features_are_of_pictures_and_attributes(steered):
    said = steered.succeed("extract")
    table = pd.read_parquet(steered.folder / MANIFEST_FILE)
    rows = part_rows(table, Part.TARGET_TEST)
    features = open_features(steered.folder / FEATURES_FOLDER / "target_test.h5")
    assert features.attributes == ATTRIBUTES
    necked = set(np.sort(rows)[::2])
    pairs = [(row, condition) for row in rows for condition in (0, 1) if condition == 0 or row in necked]
    assert list(zip(features.row, features.condition, strict=True)) == pairs
    assert f"{len(pairs)} pairs of picture and attribute" in said
    twice = np.flatnonzero(np.diff(features.row) == 0)
    assert not np.isclose(features.pooled[twice], features.pooled[twice + 1]).all(axis=1).any()
    for part in ("source_train", "target_train", "source_test"):
        empty = open_features(steered.folder / FEATURES_FOLDER / f"{part}.h5")
        assert (len(empty), empty.widths, empty.attributes) == (0, (8, 8), ATTRIBUTES)
    assert "nothing learns from such features" in said
    assert "no attribute is known of pictures of source_test" in said

    steered.change({"extract.attributes": "all"}).succeed("extract --part target_test")
    everything = open_features(steered.folder / FEATURES_FOLDER / "target_test.h5")
    assert everything.row.tolist() == rows.repeat(2).tolist()
    assert everything.condition.tolist() == [0, 1] * len(rows)
    of_necks = everything.embedding[1::2]
    steered.change({"extract.attributes": ["neck"]}).succeed("extract --part target_test")
    necks = open_features(steered.folder / FEATURES_FOLDER / "target_test.h5")
    assert necks.row.tolist() == rows.tolist()
    np.testing.assert_allclose(necks.embedding, of_necks, atol=1e-6)


def test_nothing_learns_from_them(steered):
    steered.succeed("extract")
    assert "nothing mixes views into that" in steered.succeed("draw")
    assert "nothing to adapt to: the model embeds a picture for an attribute" in steered.succeed("cluster")
    assert "nothing to link: the model embeds a picture for an attribute" in steered.succeed("weight")
    assert "no model beside the baseline: the model embeds a picture for" in steered.succeed("adapt")
    assert json.loads((steered.folder / "data/models/adapter/heads.json").read_text()) == {"heads": []}


BEHIND = ("extract", "draw", "cluster", "weight", "adapt")


def test_queries_search_the_candidates_of_their_attribute(steered):
    said = steered.change({"evaluate.precision": "float64"}).succeed(*BEHIND, "evaluate")
    assert "protocol attributes on target_test" in said
    found = json.loads((steered.folder / "metrics/evaluate.json").read_text())
    assert {"baseline", "region", "patch"} == {name for name, value in found.items() if isinstance(value, dict)}
    table, known = pd.read_parquet(steered.folder / MANIFEST_FILE), pd.read_parquet(steered.folder / ATTRIBUTES_FILE)
    features = open_features(steered.folder / FEATURES_FOLDER / "target_test.h5")
    branches = {"baseline": features.embedding, "region": features.embedding[:, :5], "patch": features.embedding[:, 5:]}
    for name, rows in branches.items():
        assert found[name]["all"]["map"] == pytest.approx(by_hand(rows, features, table, known), abs=1e-6)
    gains = json.loads((steered.folder / "metrics/gains.json").read_text())
    assert set(gains) == {"baseline - region", "baseline - patch"}
    headline = json.loads((steered.folder / "metrics/headline.json").read_text())
    assert headline.pop("gain") == gains["baseline - region"]["all"]["map"]["mean"]
    assert headline == {"baseline": {key: found["baseline"]["all"][key] for key in ("map", "recall@1")}}
    assert set(json.loads((steered.folder / "metrics/categories.json").read_text())["patch"]) == set(ATTRIBUTES)
    assert "**mAP by attribute**" in (steered.folder / "metrics/evaluate.md").read_text()
    sheets = sorted(file.name for file in (steered.folder / "metrics/plots/gallery").iterdir())
    assert [name.split("_")[2] for name in sheets] == ["neck", "sleeve"]


def by_hand(rows, features, table, known):
    """Mean over queries of the average precision among the candidates of the attribute; the later of equals first."""
    rows = unit_rows(rows).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    place = {pair: at for at, pair in enumerate(zip(features.row, features.condition, strict=True))}
    order = pd.Series(np.arange(len(features.row)), index=features.row)
    order = order[~order.index.duplicated()]
    known = known.iloc[np.argsort(order[known["row"]], kind="stable")]
    precisions = []
    for attribute, listed in known.groupby("attribute"):
        at = np.array([place[row, ATTRIBUTES.index(attribute)] for row in listed["row"]])
        asked = (listed["split"] == "query").to_numpy()
        candidates, values = at[~asked], listed["value"].to_numpy()
        for query, value in zip(at[asked], values[asked], strict=True):
            ranked = np.argsort((rows[candidates] @ rows[query]).round(12), kind="stable")[::-1]
            right = values[~asked][ranked] == value
            at_right = (np.cumsum(right) / np.arange(1, len(right) + 1))[right]
            precisions.append(at_right.mean() if right.any() else 0)
    return np.mean(precisions)


def test_a_model_that_is_told_nothing_is_compared_alike(steered, finished):
    shutil.rmtree(steered.folder / MODEL_FOLDER)
    shutil.copytree(finished.folder / MODEL_FOLDER, steered.folder / MODEL_FOLDER)
    said = steered.change({"evaluate.protocol": "attributes"}).succeed("evaluate")
    assert "protocol attributes on target_test" in said
    found = json.loads((steered.folder / "metrics/evaluate.json").read_text())
    assert set(ModelName) <= set(found)
    assert 0 < found["baseline"]["all"]["map"] < 1


def test_what_cannot_be_compared(steered):
    steered.succeed(*BEHIND)
    known = pd.read_parquet(steered.folder / ATTRIBUTES_FILE)
    steered.change({"evaluate.protocol": "street2shop"})
    steered.fails("evaluate", "evaluate.protocol: street2shop compares pictures, and the model embeds a picture for an")
    steered.change({"evaluate.protocol": "auto"})

    def knows(changed, *says):
        write_attributes(steered.folder / ATTRIBUTES_FILE, changed)
        steered.fails("evaluate", *says)

    knows(known[:0], "data/attributes.parquet: no attribute is known of pictures of target_test")
    knows(
        known.replace({"attribute": {"neck": "hem", "sleeve": "collar"}}),
        "features for sleeve, neck, where",
        "collar, hem",
    )
    unasked = (known["attribute"] == "neck") & (known["split"] == "gallery")
    write_attributes(steered.folder / ATTRIBUTES_FILE, known[~unasked])
    assert "nothing is found by queries of these, which have no candidates: neck" in steered.succeed("evaluate")
    by_attribute = json.loads((steered.folder / "metrics/categories.json").read_text())
    assert by_attribute["baseline"]["neck"]["map"] == 0
    more = known.assign(attribute="neck", value="v").drop_duplicates("row")
    knows(pd.concat([known, more]), "no features of manifest row", "for 'neck'", "run `dvc repro extract`")
    write_attributes(steered.folder / ATTRIBUTES_FILE, known[(known["attribute"] == "sleeve") | unasked])
    assert "left out, since they have no queries: neck" in steered.succeed("evaluate")
    (steered.folder / ATTRIBUTES_FILE).unlink()
    steered.fails("evaluate", "data/attributes.parquet: no such file; run `dvc repro prepare`")


def test_attributes_that_the_model_does_not_know(steered):
    steered.change({"extract.attributes": ["hem"]})
    steered.fails(
        "extract --part target_test",
        "extract.attributes: the model does not know the attribute 'hem'; it knows sleeve, neck",
    )
    known = pd.read_parquet(steered.folder / ATTRIBUTES_FILE)
    write_attributes(steered.folder / ATTRIBUTES_FILE, known.replace({"attribute": {"neck": "hem"}}))
    steered.change({"extract.attributes": "labelled"})
    said = steered.succeed("extract --part target_test")
    assert "target_test: left out, since the model does not know them: hem" in said
    (steered.folder / ATTRIBUTES_FILE).unlink()
    steered.fails("extract", "data/attributes.parquet: no such file; run `dvc repro prepare`")
