"""What follows the head: DADA's vectors, unit embeddings, and a head alone that gives the same ones."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.golden import golden
from support.project import default_params

from pipeline.models.backbones import Backbone
from pipeline.models.embedder import Embedder, build_embedder
from pipeline.models.folder import load_head
from pipeline.models.head import Head, build_output
from pipeline.models.kinds import load_embedder, save_embedder
from pipeline.models.pooling import build_pooling
from pipeline.params.finetune import ModelParams

VECTORS = golden("embedding_head", "dada")
# Suffixes of the published architecture -> pooling, output.
ARCHITECTURES = {
    "resnet50": ("avg", "none"),
    "resnet50_double": ("avg_max", "none"),
    "resnet50_normalize": ("avg", "l2"),
    "resnet50_layernorm_double": ("avg_max", "layernorm"),
    "resnet50_frozen_layernorm_double": ("avg_max", "layernorm"),
    "resnet50_normalize_layernorm_double": ("avg_max", "l2_layernorm"),
}
MODEL = default_params()["finetune"]["model"] | {"image_size": 32, "embedding_dim": 8}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_published_heads(name):
    pooling, output = ARCHITECTURES[name]
    features, weight, bias = (torch.from_numpy(VECTORS[key]) for key in ("feature_map", "linear_weight", "linear_bias"))
    pooled = build_pooling(pooling, 3.0)(features.double())
    np.testing.assert_allclose(pooled, VECTORS[f"pooled_{name}"], rtol=0, atol=1e-9)
    projected = build_output(output, len(bias))(F.linear(pooled, weight.double(), bias.double()))
    np.testing.assert_allclose(projected, VECTORS[f"embeds_{name}"], rtol=0, atol=1e-9)

    backbone = Backbone(torch.nn.Identity(), features.shape[1])
    head = Head(features.shape[1], len(bias), norm_features=False, output=output)
    model = Embedder(backbone, build_pooling(pooling, 3.0), head)
    model.load_state_dict({"head.weight": weight, "head.bias": bias})
    single = model.project(model.pool(features)).detach()
    np.testing.assert_allclose(single, VECTORS[f"embeds_{name}"], rtol=0, atol=1e-5 * abs(single).max().item())
    torch.testing.assert_close(model(features).norm(dim=1), torch.ones(len(features)))


@pytest.mark.parametrize("output", ["none", "l2", "layernorm", "l2_layernorm"])
def test_a_head_alone_gives_the_models_embeddings(output, tmp_path):
    params = ModelParams.model_validate(MODEL | {"output": output})
    torch.manual_seed(0)
    model = build_embedder(params).eval()
    save_embedder(tmp_path, model)
    pooled = torch.rand(5, model.backbone.width)
    assert torch.equal(load_head(tmp_path)(pooled), model.embed(pooled))
    loaded = load_embedder(tmp_path)
    assert torch.equal(loaded.embed(pooled), model.embed(pooled))


def test_a_model_of_before_has_no_normalisation(tmp_path):
    settings = {name: value for name, value in MODEL.items() if name not in ("output", "frozen_bn")}
    params = ModelParams.model_validate(settings)
    assert (params.output, params.frozen_bn) == ("none", False)
    torch.manual_seed(0)
    model = build_embedder(params).eval()
    pooled = torch.rand(5, model.backbone.width)
    assert torch.equal(model.embed(pooled), F.normalize(F.linear(pooled, model.head.weight, model.head.bias), dim=1))


@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_batch_norms_keep_statistics_and_learn_scales(frozen):
    torch.manual_seed(0)
    model = build_embedder(ModelParams.model_validate(MODEL | {"frozen_bn": frozen})).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    (model(torch.rand(4, 3, 32, 32)) * torch.rand(8)).sum().backward()
    running = [name for name in before if name.endswith("running_mean")]
    moved = [name for name in running if not torch.equal(before[name], model.state_dict()[name])]
    assert running
    assert moved == ([] if frozen else running)
    norms = [module for module in model.backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert all(norm.weight.grad is not None for norm in norms)
    assert model.head.training
