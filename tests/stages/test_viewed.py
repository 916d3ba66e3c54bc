"""The control and the viewed catalogue through the stages: what they are made of, and where they differ."""

import json

import numpy as np
import pytest
import torch
from support.chain import Chain
from support.searching import GALLERY, manifest

from pipeline.base.names import CATEGORY, DOMAIN, ITEM, MANIFEST_FILE, META_DOMAIN, SPLIT
from pipeline.features.store import open_features
from pipeline.features.views import embed_catalogue, open_views, places_of
from pipeline.models.folder import load_heads
from pipeline.retrieval.index.folder import read_index
from pipeline.table.domains import domain_codes

HEADS = "data/models/adapter"
MODELS = {"adapt.models": ["control", "viewed"], "index.models": ["baseline", "control", "viewed"]}
FIXED = MODELS | {"adapt.choose": "fixed", "adapt.views.counts": {"street": 2}}


@pytest.fixture(scope="module")
def fixed(finished, tmp_path_factory) -> Chain:
    """The tiny chain with settings that are given, so that `viewed` mixes views in; only to be looked at."""
    chain = finished.copy(tmp_path_factory.mktemp("fixed"), FIXED)
    chain.succeed("adapt", "index", "evaluate")
    return chain


def _report(chain: Chain, stage: str) -> dict:
    return json.loads((chain.folder / f"metrics/{stage}.json").read_text())


def _embeddings(chain: Chain) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Rows (N,) of target_test, and their embeddings (N, D) by model."""
    table = manifest(chain)
    features = open_features(chain.folder / "data/features/target_test.h5")
    views = open_views(chain.folder / "data/views/target_test.h5", table, chain.folder / "data/models/backbone")
    domain, common = domain_codes(table[DOMAIN].iloc[features.row]), {"device": torch.device("cpu"), "block_rows": 7}
    heads = load_heads(chain.folder / HEADS)
    return features.row, {
        name: embed_catalogue(model, features, domain, views, **common) for name, model in heads.items()
    }


def test_what_is_given_is_taken(fixed):
    assert list(load_heads(fixed.folder / HEADS)) == ["control", "viewed"]
    control, viewed = load_heads(fixed.folder / HEADS).values()
    assert (control.head.root, control.head.tells_domains, control.head.shape[0]) == (True, True, 16)
    assert all(
        torch.equal(one, other) for one, other in zip(control.head.parameters(), viewed.head.parameters(), strict=True)
    )
    assert (control.mix, viewed.mix.settings) == (None, {"counts": {"street": 2}, "share": 0.5})
    choice = _report(fixed, "adapt")["choice"]
    assert choice["head"] == "whitened, root, shrinkage 0.3"
    assert (choice["views"], choice["held_out_items"]) == ("2 street, share 0.5", 0)


def test_what_is_chosen_is_told(finished):
    choice = _report(finished, "adapt")["choice"]
    assert 0 < choice["held_out_items"] <= 20
    assert choice["head"] in choice["tried"]["heads"]
    assert choice["views"] in choice["tried"]["views"]
    assert {"none", "1 street, share 0.3", "2 own_ground + 2 street, share 0.5"} <= set(choice["tried"]["views"])


def test_viewed_differs_from_the_control_in_the_catalogue_alone(fixed):
    rows, made = _embeddings(fixed)
    differs = np.abs(made["viewed"] - made["control"]).max(axis=1) > 1e-4
    gallery = (manifest(fixed)[SPLIT].iloc[rows] == "gallery").to_numpy()
    assert gallery.sum() == GALLERY
    assert (differs == gallery).all()
    np.testing.assert_array_equal(made["viewed"][~gallery], made["control"][~gallery])
    np.testing.assert_allclose(np.linalg.norm(made["viewed"], axis=1), 1, atol=1e-5)
    report = _report(fixed, "evaluate")
    assert report["viewed"]["all"] != report["control"]["all"]
    assert set(_report(fixed, "gains")) == {"viewed - control", "control - baseline", "viewed - baseline"}
    assert list(_report(fixed, "headline")) == ["baseline", "viewed", "gain"]


def test_the_index_holds_what_is_evaluated(fixed):
    rows, made = _embeddings(fixed)
    index = read_index(fixed.folder / "data/index")
    place = places_of(index.ids, rows)
    for name in ("control", "viewed"):
        np.testing.assert_allclose(index.engines[name].rows(index.ids), made[name][place], atol=1e-6)


def test_a_picture_that_comes_in_is_seen_as_the_chain_sees_it(fixed, tmp_path):
    chain = fixed.copy(tmp_path)
    table = manifest(chain).query("meta_domain == 'target' and split == 'gallery'").iloc[[3, 20]]
    before = read_index(chain.folder / "data/index")
    listing = chain.folder / "data/raw/listing.csv"
    table[["image", "item", "category"]].to_csv(listing, index=False)
    said = chain.run("catalogue", "add", str(listing), "--device", "cpu").stdout
    assert "2 pictures added to data/index, 2 of them in place of former ones" in said
    after = read_index(chain.folder / "data/index")
    new = after.ids[-2:]
    assert not set(new) & set(before.ids)
    for name in ("baseline", "control", "viewed"):
        found = after.engines[name].rows(new)
        np.testing.assert_allclose(found, before.engines[name].rows(table.index.to_numpy()), atol=1e-5)


def test_a_photo_that_comes_in_is_seen_as_one(fixed, tmp_path):
    chain = fixed.copy(tmp_path)
    table = manifest(chain)
    rows, made = _embeddings(chain)
    photos = table.query("meta_domain == 'target' and split == 'query'").iloc[[2, 5]]
    photos[["image", "item", "category", "domain"]].to_csv(chain.folder / "data/raw/photos.csv", index=False)
    chain.succeed("catalogue add data/raw/photos.csv --device cpu")
    index = read_index(chain.folder / "data/index")
    place = places_of(photos.index.to_numpy(), rows)
    for name in ("control", "viewed"):
        np.testing.assert_allclose(index.engines[name].rows(index.ids[-2:]), made[name][place], atol=1e-5)


@pytest.mark.parametrize("wanted", [[], ["viewed"], ["udma"], ["linked", "udma_control"]])
def test_only_what_is_asked_for_is_made(chain, wanted):
    said = chain.change({"adapt.models": wanted}).succeed("adapt")
    assert sorted(load_heads(chain.folder / HEADS)) == sorted(wanted)
    measured = "viewed" in wanted or "linked" in wanted
    assert ("held-out items of the source" in said) == measured == ("choice" in _report(chain, "adapt"))
    chain.succeed("evaluate")
    last = {"viewed": "viewed", "udma": "udma", "linked": "linked"}.get((wanted or [""])[0])
    assert set(_report(chain, "headline")) - {"gain"} == {"baseline", *([last] if last else [])}


def test_labels_and_queries_of_the_target_reach_neither_head_nor_choice(chain):
    chain.change(MODELS).succeed("adapt")
    before = chain.digests("data/models", "metrics/adapt.json")
    table = manifest(chain)
    target = table[META_DOMAIN] == "target"
    for column in (ITEM, CATEGORY):
        shuffled = np.random.default_rng(0).permutation(table.loc[target, column].to_numpy())
        assert (table.loc[target, column] != shuffled).any()
        table.loc[target, column] = shuffled
    table[~(target & (table[SPLIT] == "query"))].to_parquet(chain.folder / MANIFEST_FILE, index=False)
    chain.succeed("finetune", "extract", "draw", "adapt")
    assert chain.digests("data/models", "metrics/adapt.json") == before


def test_drawing_again_gives_the_same_bytes(chain):
    before = chain.digests()
    chain.change({"runtime.workers": 2, "runtime.chunk_rows": 64}).succeed("draw")
    assert chain.digests() == before


def test_more_views_than_are_drawn(chain):
    says = "adapt.views.counts: 3 views of kind 'street', of which 2 are drawn; raise views.number"
    chain.change({"adapt.views.counts": {"street": 3}}).fails("adapt", says)
    says = "adapt.views.counts: 1 views of kind 'augment', of which 0 are drawn"
    chain.change({"adapt.views.counts": {"augment": 1}}).fails("adapt", says)


def test_without_views_there_is_a_control_alone(chain):
    said = chain.change(MODELS | {"views.number": 0}).succeed("draw")
    assert said.count("no views of ") == 4
    assert "no views are drawn of the source, so there is no model viewed" in chain.succeed("adapt")
    assert "data/models/adapter has no model viewed" in chain.succeed("index")
    chain.succeed("evaluate")
    assert list(load_heads(chain.folder / HEADS)) == ["control"]
    assert read_index(chain.folder / "data/index").engines.keys() == {"baseline", "control"}
    assert list(_report(chain, "headline")) == ["baseline", "control", "gain"]


def test_a_part_without_views_is_not_searched_by_them(fixed, tmp_path):
    chain = fixed.copy(tmp_path, {"views.parts": ["source_train"]})
    chain.succeed("draw", "adapt")
    says = "data/views/target_test.h5 has no views of all catalogue pictures, so there is no model viewed; views.parts"
    assert says in chain.succeed("index")
    assert says in chain.succeed("evaluate")
    assert "viewed" not in _report(chain, "evaluate")
    assert read_index(chain.folder / "data/index").engines.keys() == {"baseline", "control"}
