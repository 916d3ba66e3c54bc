"""Models by name, saved and loaded with stable bytes; mistakes are named."""

import pytest
import torch
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.models.backbones import backbone_names, build_backbone
from pipeline.models.embedder import build_embedder
from pipeline.models.kinds import load_embedder, save_embedder
from pipeline.params.finetune import ModelParams

PARAMS = ModelParams.model_validate(
    default_params()["finetune"]["model"] | {"image_size": 32, "embedding_dim": 8, "backbone": "timm/resnet10t"}
)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("torchvision/resnet18", 512),
        ("torchvision/mobilenet_v3_small", 576),
        ("torchvision/swin_v2_t", 768),  # channels last
        ("timm/resnet10t", 512),
        ("timm/vit_tiny_patch16_224", 192),  # tokens
    ],
)
def test_backbones_of_all_kinds_give_a_map_of_their_channels(name, channels):
    backbone = build_backbone(name, image_size=32).eval()
    features = backbone(torch.rand(2, 3, 32, 32))
    assert backbone.width == channels
    assert features.shape[:2] == (2, channels)
    assert features.ndim == 4


@pytest.mark.parametrize("name", ["resnet18", "timm/resnet18x", "keras/resnet18", "torchvision/"])
def test_unknown_backbone_lists_known_ones(name):
    with pytest.raises(UserError, match=r"^finetune.model.backbone: unknown backbone .*; known: .*/.*--list-backbones"):
        build_backbone(name, image_size=32)


def test_backbone_without_a_map_and_size_it_cannot_take():
    with pytest.raises(UserError, match="no feature map to pool"):
        build_backbone("torchvision/googlenet", image_size=64)
    with pytest.raises(UserError, match="cannot take pictures of 16 px"):
        build_backbone("torchvision/alexnet", image_size=16)


def test_names_come_from_both_libraries():
    names = backbone_names()
    assert {"torchvision/resnet101", "timm/resnet10t"} <= set(names)
    assert len(names) == len(set(names))


def test_embeddings_have_unit_length_and_norm_features_ignores_scale():
    torch.manual_seed(0)
    model = build_embedder(PARAMS.model_copy(update={"norm_features": True})).eval()
    pooled = torch.rand(4, model.backbone.width)
    torch.testing.assert_close(model.embed(pooled).norm(dim=1), torch.ones(4))
    torch.testing.assert_close(model.embed(pooled), model.embed(7 * pooled))


def test_saved_and_loaded_model_is_the_same_with_stable_bytes(tmp_path):
    torch.manual_seed(0)
    model = build_embedder(PARAMS).eval()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_embedder(tmp_path / folder, model)
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()
    loaded = load_embedder(tmp_path / "a")
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(loaded(images), model(images))
    assert loaded.params == model.params


def test_damaged_or_missing_model_is_named(tmp_path):
    with pytest.raises(UserError, match="not a model of this project"):
        load_embedder(tmp_path)
    model = build_embedder(PARAMS)
    save_embedder(tmp_path, model)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="not a model of this project"):
        load_embedder(tmp_path)
    model.params = PARAMS.model_copy(update={"embedding_dim": 9})
    save_embedder(tmp_path, model)
    with pytest.raises(UserError, match="not a model of this project"):
        load_embedder(tmp_path)
