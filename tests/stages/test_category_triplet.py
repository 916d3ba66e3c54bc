"""The chain with the recipe category_triplet: what comes out, interrupted or not, and mistakes in its params."""

import json

import numpy as np
import pandas as pd
import pytest
from support.chain import STAGES, Chain
from support.deep_fashion_retrieval import write_tree
from support.presets import preset_params

from pipeline.base.names import CATEGORY, DOMAIN, MANIFEST_FILE, META_DOMAIN, ModelName
from pipeline.datasets._shared.face import params_file
from pipeline.recipes.category_triplet.recipe import CategoryTripletRecipe

# Both phases; SGD has a state to carry over.
CHANGES = {
    "finetune.recipe": "category_triplet",
    "finetune.optim.name": "sgd",
    "finetune.optim.momentum": 0.5,
    "finetune.optim.nesterov": False,
    "recipes.category_triplet.batch_size": 16,
    "recipes.category_triplet.triplets": 6,
    "recipes.category_triplet.frozen_epochs": 1,
}


@pytest.fixture(scope="module")
def trained(finished, tmp_path_factory):
    """The tiny chain with the recipe category_triplet, run to its end; only to be looked at."""
    chain = finished.copy(tmp_path_factory.mktemp("category_triplet"), CHANGES)
    chain.succeed(*STAGES[STAGES.index("finetune") :])
    return chain


def test_the_chain_runs_to_its_end(trained):
    curves = pd.read_csv(trained.folder / "metrics/curves/finetune/curves.csv")
    assert list(curves["epoch"]) == [1, 2]
    assert np.isfinite(curves[["loss", "classification_loss", "triplet_loss"]].to_numpy()).all()
    report = json.loads((trained.folder / "metrics/evaluate.json").read_text())
    assert set(ModelName) <= set(report)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("at", [0, 1], ids=["frozen", "all"])
def test_interrupted_and_resumed_gives_the_same_bytes(trained, tmp_path, monkeypatch, at):
    step = CategoryTripletRecipe.step

    def dying(self, batch, epoch):
        if epoch > at + 0.3:
            raise KilledError
        return step(self, batch, epoch)

    chain = trained.copy(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(CategoryTripletRecipe, "step", dying)
        with pytest.raises(KilledError):
            chain.run("finetune")
    assert f"resuming at epoch {at + 1}, batch" in chain.run("finetune").stdout
    assert chain.digests() == trained.digests()


def drop(chain, dropped):
    """Leave rows of the source out of the manifest."""
    path = chain.folder / MANIFEST_FILE
    rows = pd.read_parquet(path)
    gone = dropped(rows) & (rows[META_DOMAIN] == "source")
    assert gone.any()
    rows[~gone].reset_index(drop=True).to_parquet(path, index=False)


def test_without_consumer_pictures(trained, tmp_path):
    chain = trained.copy(tmp_path, {"finetune.epochs": 1})
    drop(chain, lambda rows: rows[DOMAIN] == "consumer")
    before = chain.digests("data/models/backbone")
    chain.succeed("finetune")
    assert chain.digests("data/models/backbone") != before
    chain.change({"finetune.recipe": "triplet"}).fails("finetune", "0 consumer and", "dada or category_triplet")


@pytest.mark.parametrize("stage", ["check", "finetune"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"recipes.category_triplet.item_share": 1.5}, "item_share: less than or equal to 1, found 1.5"),
        ({"recipes.category_triplet.distance": "l1"}, "recipes.category_triplet.distance: 'euclidean' or 'cosine'"),
        ({"recipes.category_triplet.triplet": 2}, "category_triplet.triplet: unknown key; did you mean 'triplets'?"),
        ({"finetune.optim.momentum": 0.0, "finetune.optim.nesterov": True}, "finetune.optim.nesterov: should be false"),
    ],
)
def test_params(trained, tmp_path, stage, changes, says):
    trained.copy(tmp_path, changes).fails(stage, says)


def test_params_that_show_in_training(trained, tmp_path):
    chain = trained.copy(tmp_path, {"recipes.category_triplet.classified": "deepfashion"})
    chain.fails("finetune", "category_triplet.classified: no source pictures of a dataset 'deepfashion'; known: atelie")
    chain.change({"recipes.category_triplet.classified": "atelier"})
    drop(chain, lambda rows: rows[CATEGORY] != "jeans")
    chain.fails("finetune", "source pictures to classify are of the category 'jeans'")


def test_on_the_published_pair_of_sets(tmp_path):
    write_tree(tmp_path / "incoming")
    data, sets = preset_params("deep_fashion_retrieval", tmp_path / "preset")
    changes = {
        **{f"data.{key}": value for key, value in data.items()},
        **{f"{params_file(name)}:{key}": value for name, one in sets.items() for key, value in one.items()},
        f"{params_file('deepfashion_inshop')}:lists": "flat",
        "data.source": str(tmp_path / "incoming"),
        "recipes.category_triplet.classified": "deepfashion_attributes",
        "finetune.val_share": 0.0,
        "finetune.keep": "last",
    }
    chain = Chain(tmp_path / "chain", CHANGES | changes)
    assert "protocol inshop on source_test" in chain.succeed(*STAGES)
    table = pd.read_parquet(chain.folder / MANIFEST_FILE)
    assert set(table["dataset"]) == {"deepfashion_attributes", "deepfashion_inshop"}
    assert all((chain.folder / "data/raw" / image).is_file() for image in table["image"])
    metrics = json.loads((chain.folder / "metrics/finetune.json").read_text())
    assert metrics["triplet_loss"] > 0
