"""Every strategy and level through the stages weight and adapt."""

import json

import pandas as pd
import pytest
from support.chain import Chain

from pipeline.base.names import CATEGORY, DOMAIN, ITEM, LINKS_FILE, MANIFEST_FILE, META_DOMAIN, SPLIT
from pipeline.base.plugins import plugin_names
from pipeline.weighting.strategy import STRATEGIES, load_strategy

HEADS = "data/models/adapter"
TARGET_ONLY = {"bags", "hats"}


def _links(chain: Chain) -> pd.DataFrame:
    return pd.read_parquet(chain.folder / LINKS_FILE)


def _report(chain: Chain, stage: str) -> dict:
    return json.loads((chain.folder / f"metrics/{stage}.json").read_text())


def _table(chain: Chain) -> pd.DataFrame:
    return pd.read_parquet(chain.folder / MANIFEST_FILE)


def _head(chain: Chain, name: str) -> bytes:
    return (chain.folder / HEADS / name / "model.safetensors").read_bytes()


@pytest.mark.parametrize("strategy", plugin_names(STRATEGIES))
def test_strategy(chain, strategy):
    control = _head(chain, "udma_control")
    chain.change({"weight.strategy": strategy}).succeed("weight", "adapt")
    links, table, report = _links(chain), _table(chain), _report(chain, "weight")["all"]
    assert 0 < report["linked"] == links["row"].nunique()
    assert report["links"] == len(links)
    targets = table.loc[links["row"]].reset_index(drop=True)
    assert (targets[[META_DOMAIN, SPLIT]] == ["target", "train"]).all(axis=None)
    assert (targets[CATEGORY] == links["group"]).all()
    assert not set(links["group"]) & TARGET_ONLY
    sources = table[(table[META_DOMAIN] == "source") & (table[DOMAIN] == "shop")]
    assert set(links[[CATEGORY, ITEM]].itertuples(index=False)) <= set(
        sources[[CATEGORY, ITEM]].itertuples(index=False)
    )
    if load_strategy(strategy).USES_TARGET_ITEMS:
        # One-to-one between items, and all pictures of an item.
        named = links.assign(target=targets[ITEM])
        assert (named.groupby(["group", "target"])[ITEM].nunique() == 1).all()
        assert (named.groupby([CATEGORY, ITEM])["target"].nunique() == 1).all()
        train = table[(table[META_DOMAIN] == "target") & (table[SPLIT] == "train")]
        n_pictures = train.groupby([CATEGORY, ITEM]).size()
        for key, n in named.groupby(["group", "target"]).size().items():
            assert n == n_pictures[key]
        assert (links["cluster"] == -1).all()
    assert _head(chain, "udma_control") == control
    assert _head(chain, "udma") != control


@pytest.mark.parametrize("strategy", plugin_names(STRATEGIES))
def test_target_pictures_without_items(chain, strategy):
    chain.change({"weight.strategy": strategy}).succeed("weight")
    labelled = _links(chain)
    table = _table(chain)
    unlabelled = (table[META_DOMAIN] == "target") & (table[SPLIT] == "train")
    table.assign(item=table[ITEM].where(~unlabelled, "")).to_parquet(chain.folder / MANIFEST_FILE, index=False)
    if load_strategy(strategy).USES_TARGET_ITEMS:
        row = table.index[unlabelled & ~table[CATEGORY].isin(TARGET_ONLY)][0]
        chain.fails("weight", f"manifest.parquet: row {row},", f"weight.strategy {strategy}", "choose ws5 or base")
    else:
        chain.succeed("weight")
        pd.testing.assert_frame_equal(_links(chain), labelled)


def test_more_target_than_source_items(chain):
    table = _table(chain)
    source = table[META_DOMAIN] == "source"
    dresses = ["mini_dress", "maxi_dress"]
    few = table[source & table[CATEGORY].isin(dresses)].groupby(CATEGORY)[ITEM].first()
    kept = table[~source | (table[CATEGORY].isin(dresses) & table[ITEM].isin(few))]
    kept.to_parquet(chain.folder / MANIFEST_FILE, index=False)
    changes = {"weight.strategy": "ws7", "data.alignment": {"tops": dresses[:1], "dresses": dresses[1:]}}
    chain.change(changes).succeed("extract", "draw", "cluster")
    done = chain.run("weight")
    assert done.code == 0
    assert "target items stay unlinked: only 2 source items have shop pictures" in done.stdout
    assert _links(chain)[[CATEGORY, ITEM]].drop_duplicates().shape[0] == 2


def test_level_l123(chain):
    before = _links(chain)
    said = chain.change({"weight.level": "L123"}).succeed("weight")
    links = _links(chain)
    alone = links[links[ITEM].isna()]
    pd.testing.assert_frame_equal(links[links[ITEM].notna()].reset_index(drop=True), before)
    assert links["row"].is_monotonic_increasing
    assert set(alone["group"]) == TARGET_ONLY
    assert (alone.groupby(["group", "cluster"]).size() >= 2).all()
    assert alone[CATEGORY].isna().all()
    n_clusters = alone.groupby(["group", "cluster"]).ngroups
    assert f"{len(alone)} pictures of target-only categories in {n_clusters} clusters" in said
    report = _report(chain, "weight")
    assert set(report["target_only"]) == TARGET_ONLY
    assert sum(group["clusters"] for group in report["target_only"].values()) == n_clusters
    assert sum(group["clustered"] for group in report["target_only"].values()) == len(alone)

    chain.succeed("adapt")
    report = _report(chain, "adapt")
    assert (report["udma_control"]["target_only"], report["udma"]["target_only"]) == (0, n_clusters)
    assert report["udma_control"]["items"] == report["udma"]["items"]
    first = _head(chain, "udma")
    assert first != _head(chain, "udma_control")
    chain.succeed("weight", "adapt", "evaluate")
    assert _head(chain, "udma") == first, "the same params give the same bytes"


def test_level_l123_with_steps_that_draw_target_only_categories_alone(chain):
    chain.change({"weight.level": "L123", "adapt.categories": 1}).succeed("weight", "adapt")
    assert _head(chain, "udma") != _head(chain, "udma_control")


def test_level_l1_links_nothing_whatever_the_strategy(chain):
    chain.change({"weight.level": "L1", "weight.strategy": "ws7"}).succeed("weight")
    assert len(_links(chain)) == 0
    chain.change({"weight.strategy": "ws99"}).fails("weight", "weight.strategy: unknown name 'ws99'; known: base, ws5")


@pytest.mark.parametrize("level", ["L12", "L123"])
def test_links_to_what_does_not_exist(chain, level):
    chain.change({"weight.level": level}).succeed("weight")
    links = _links(chain)
    last = links.index[-1]
    links.assign(row=links["row"].where(links.index != last, 0)).to_parquet(chain.folder / LINKS_FILE)
    chain.fails("adapt", f"data/links.parquet: link {last}: no target picture", "row 0", "run `dvc repro -f weight`")
    linked = links.index[links[ITEM].notna()][0]
    links.assign(item=links[ITEM].where(links.index != linked, "i9")).to_parquet(chain.folder / LINKS_FILE)
    chain.fails("adapt", f"data/links.parquet: link {linked}: the source pictures show no item 'i9'", "dvc repro")
