"""Two processes train every recipe with the losses that one has on the same batches."""

import json
from copy import deepcopy
from functools import reduce

import pytest
import torch
from support.chain import Chain
from support.processes import succeed, torchrun
from support.train_together import STEPS, train_all

pytestmark = pytest.mark.chain

RPF = {
    "finetune.recipe": "rpf",
    "finetune.epochs": 40,
    "finetune.model.embedding_dim": None,
    "recipes.rpf.region_epochs": 3,
    "recipes.rpf.triplets": 7,
    "recipes.rpf.batch_triplets": 5,
    "recipes.rpf.network.canvas": 40,
    "recipes.rpf.network.dropout": 0.0,  # each process draws that of its share
    "recipes.rpf.network.patch.image_size": 32,
    "recipes.rpf.network.patch.dropout": 0.0,
}

# Sizes are such that shares are uneven.
CASES = {
    "triplet": {"finetune.recipe": "triplet", "recipes.triplet.batch_items": 7},
    "proxies": {
        "finetune.recipe": "triplet",
        "recipes.triplet.loss": {"name": "ProxyAnchorLoss", "args": {}},
        "recipes.triplet.miner": None,
    },
    "classes": {
        "finetune.recipe": "triplet",
        "recipes.triplet.loss": {"name": "ArcFaceLoss", "args": {}},
        "recipes.triplet.miner": None,
    },
    "category_triplet": {
        "finetune.recipe": "category_triplet",
        "finetune.epochs": 10,
        "recipes.category_triplet.classified": None,
        "recipes.category_triplet.batch_size": 11,
        "recipes.category_triplet.triplets": 5,
        "recipes.category_triplet.frozen_epochs": 1,
    },
    "dada": {
        "finetune.recipe": "dada",
        "finetune.epochs": 10,
        "finetune.model.output": "layernorm",
        "recipes.dada.batch_size": 15,
        "recipes.dada.samples_per_class": 3,
        "recipes.dada.networks.domain_hidden": 16,
        "recipes.dada.networks.class_hidden": [16, 16],
        "recipes.dada.networks.dropout": 0.3,
    },
    # Each process draws the dropout of its share.
    "margin_softmax": {
        "finetune.recipe": "margin_softmax",
        "recipes.margin_softmax.batch_size": 15,
        "recipes.margin_softmax.dropout": 0.0,
        "recipes.margin_softmax.sampled": 9,
        "recipes.margin_softmax.sam_rho": 0.05,
    },
    # With a state: the statistics of the whole batch.
    **{
        loss: {
            "finetune.recipe": "margin_softmax",
            "recipes.margin_softmax.batch_size": 15,
            "recipes.margin_softmax.dropout": 0.0,
            "recipes.margin_softmax.loss": loss,
        }
        for loss in ("adacos", "curricularface", "adaface")
    },
    "rpf": RPF,
    "rpf joined": RPF | {"recipes.rpf.joined": True},
}


@pytest.fixture(scope="module")
def losses(tmp_path_factory):
    """What one process has, and what each of two has."""
    folder = tmp_path_factory.mktemp("together")
    chain = Chain(folder / "world")
    chain.succeed("download", "prepare")
    cases = {name: _changed(chain.params, changes) for name, changes in CASES.items()}
    (folder / "cases.json").write_text(json.dumps(cases))
    started = torchrun(folder, "support.train_together", "world", "cases.json", "result")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = train_all(chain.folder, cases)
    torch.set_num_threads(threads)
    succeed(started)
    return alone, [json.loads((folder / f"result.{rank}").read_text()) for rank in range(2)]


def _changed(params, changes):
    params = deepcopy(params)
    for name, value in changes.items():
        *sections, key = name.split(".")
        reduce(dict.__getitem__, sections, params)[key] = value
    return params


@pytest.mark.parametrize("case", [*CASES, "adapt"])
def test_losses_are_those_of_one_process(losses, case):
    alone, together = losses
    assert len(alone[case]["losses"]) == STEPS
    assert alone[case]["losses"][0] != alone[case]["losses"][-1]
    for row, expected in zip(together[0][case]["losses"], alone[case]["losses"], strict=True):
        assert row == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("case", [*CASES, "adapt"])
def test_processes_have_the_same_weights(losses, case):
    _, (first, second) = losses
    assert first[case] == second[case]
