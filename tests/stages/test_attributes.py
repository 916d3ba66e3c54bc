"""A network that embeds a picture for an attribute, through the stages behind finetune."""

import json

import numpy as np
import pandas as pd
import pytest
from support import conditioned

from pipeline.base.names import ATTRIBUTES_FILE, FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, Part
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
    assert "nothing learns from features of pictures and attributes" in said
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


def test_attributes_that_the_model_does_not_know(steered):
    does_not = "the attribute 'hem', which the model does not know; it knows sleeve, neck"
    steered.change({"extract.attributes": ["hem"]})
    steered.fails("extract --part target_test", f"extract.attributes: {does_not}")
    known = pd.read_parquet(steered.folder / ATTRIBUTES_FILE)
    write_attributes(steered.folder / ATTRIBUTES_FILE, known.replace({"attribute": {"neck": "hem"}}))
    steered.change({"extract.attributes": "labelled"})
    steered.fails("extract --part target_test", f"data/attributes.parquet: target_test has {does_not}")
    (steered.folder / ATTRIBUTES_FILE).unlink()
    steered.fails("extract", "data/attributes.parquet: no such file; run `dvc repro prepare`")
