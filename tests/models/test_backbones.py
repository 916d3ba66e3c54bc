"""Trunks read as they were pretrained: their own pooling, class token and attention, and their own pictures."""

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from support.project import default_params
from timm.data import create_transform, resolve_model_data_config

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.images.transforms import PictureInput, inference_transform, training_transform
from pipeline.models.backbones import build_backbone
from pipeline.models.embedder import build_embedder
from pipeline.models.inputs import OwnInput, own_input_timm, with_own_input
from pipeline.params.finetune import AugmentParams, ModelParams

SMALL_SIGLIP = {"embed_dim": 48, "depth": 2, "num_heads": 2}


def params(**changes):
    return parse_section(default_params()["finetune"]["model"] | changes, "finetune.model", ModelParams)


def published(name, size):
    """The network of the library itself, its classifier replaced by nothing."""
    torch.manual_seed(0)
    family, _, model = name.partition("/")
    if family == "timm":
        try:
            made = timm.create_model(model, num_classes=10, img_size=size)
        except TypeError:
            made = timm.create_model(model, num_classes=10)
        made.reset_classifier(0)
    else:
        made = torchvision.models.get_model(model, weights=None)
        for part in ("fc", "head"):
            if hasattr(made, part):
                setattr(made, part, torch.nn.Identity())
        if hasattr(made, "classifier"):
            made.classifier[-1] = torch.nn.Identity()
        if hasattr(made, "heads"):
            made.heads.head = torch.nn.Identity()
    return made.eval()


@pytest.mark.parametrize(
    ("name", "size", "map_width", "width"),
    [
        ("timm/resnet10t", 48, 512, 512),
        ("timm/tf_efficientnet_lite0", 48, 1280, 1280),
        ("timm/mobilenetv3_small_050", 48, 1024, 1024),  # layers behind its pooling
        ("timm/vgg11", 48, 4096, 4096),
        ("timm/vit_tiny_patch16_224", 48, 192, 192),
        ("timm/eva02_tiny_patch14_224", 42, 192, 192),  # averages tokens, then normalises
        ("timm/convnext_atto", 48, 320, 320),
        ("timm/swin_tiny_patch4_window7_224", 64, 768, 768),
        ("timm/test_vit3", 48, 96, 96),  # attention pooling
        ("torchvision/resnet18", 48, 512, 512),
        ("torchvision/convnext_tiny", 48, 768, 768),
        ("torchvision/mobilenet_v3_small", 48, 576, 1024),
        ("torchvision/efficientnet_b0", 48, 1280, 1280),
        ("torchvision/swin_v2_t", 64, 768, 768),
    ],
)
@torch.inference_mode()
def test_native_is_what_the_network_gives_its_classifier(name, size, map_width, width):
    theirs = published(name, size)
    native = build_backbone(name, pooling="native", image_size=size).eval()
    native.trunk.load_state_dict(theirs.state_dict())
    images = torch.rand(2, 3, size, size)
    assert torch.equal(native(images), theirs(images))
    assert native.width == native(images).shape[1] == width
    if name.startswith("timm/"):
        features = theirs.forward_features(images)
        assert torch.equal(native(images), theirs.forward_head(features, pre_logits=True))
    assert build_backbone(name, image_size=size).width == map_width


@torch.inference_mode()
def test_heads_take_the_pooled_width():
    model = build_embedder(
        params(backbone="torchvision/mobilenet_v3_small", pooling="native", embedding_dim=None)
    ).eval()
    assert model.head.shape == (1024, 1024)
    assert model.settings["embedding_dim"] == 1024
    images = torch.rand(2, 3, 64, 64)
    assert model.pool(images).shape == (2, 1024)
    assert "pooling.p" not in model.state_dict()
    torch.testing.assert_close(model(images).norm(dim=1), torch.ones(2))


@torch.inference_mode()
def test_class_tokens():
    name, images = "timm/vit_tiny_patch16_224", torch.rand(2, 3, 32, 32)
    theirs = published(name, 32)
    backbone = build_backbone(name, pooling="token", image_size=32).eval()
    backbone.trunk.load_state_dict(theirs.state_dict())
    assert torch.equal(backbone(images), theirs.forward_features(images)[:, 0])
    assert backbone(images).shape == (2, 192)


@torch.inference_mode()
def test_attention_pooling_is_the_trunks_own(monkeypatch):
    images = torch.rand(2, 3, 32, 32)
    made = timm.create_model("vit_base_patch16_siglip_224", num_classes=0, img_size=32, **SMALL_SIGLIP).eval()
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: made)
    backbone = build_backbone("timm/vit_base_patch16_siglip_224", pooling="map", image_size=32).eval()
    expected = made.attn_pool(made.forward_features(images))
    assert torch.equal(backbone(images), expected)
    native = build_backbone("timm/vit_base_patch16_siglip_224", pooling="native", image_size=32).eval()
    assert torch.equal(native(images), expected)


@pytest.mark.parametrize(
    ("name", "pooling", "says"),
    [
        ("timm/resnet10t", "token", "token needs a class token, and timm/resnet10t has none"),
        ("timm/test_vit3", "token", "token needs a class token"),
        ("torchvision/resnet18", "token", "token needs a class token"),
        ("timm/vit_tiny_patch16_224", "map", "map needs attention pooling .*, and timm/vit_tiny_patch16_224 has none"),
        ("torchvision/resnet18", "map", "map needs attention pooling"),
        ("torchvision/squeezenet1_0", "native", "native needs one linear classifier"),
        ("torchvision/googlenet", "native", "native needs one linear classifier"),
        ("timm/efficientvit_b0", "avg", "timm/efficientvit_b0 pools by itself alone"),
    ],
)
def test_poolings_that_a_trunk_lacks(name, pooling, says):
    with pytest.raises(UserError, match=rf"^finetune.model.pooling: {says}.*; set "):
        build_backbone(name, pooling=pooling, image_size=32)


@pytest.mark.parametrize(
    "name", ["resnet18", "tf_efficientnet_lite2", "vit_tiny_patch16_224", "vit_base_patch16_clip_224"]
)
def test_pictures_as_timm_makes_them(name):
    model = timm.create_model(name, num_classes=0, **({} if "vit" not in name else {"depth": 1}))
    config = resolve_model_data_config(model)
    own = own_input_timm(model)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 370, 3), dtype=np.uint8))
    null = dict.fromkeys(("image_size", "mean", "std", "interpolation", "crop_from"))
    filled = with_own_input(params(**null), own)
    wanted = PictureInput(filled.image_size, filled.mean, filled.std, filled.interpolation, filled.crop_from)
    expected = create_transform(**config)(picture)
    torch.testing.assert_close(inference_transform(wanted)(picture), expected, atol=1e-6, rtol=1e-6)


@torch.inference_mode()
def test_pictures_as_torchvision_makes_them():
    null = dict.fromkeys(("image_size", "mean", "std", "interpolation", "crop_from"))
    model = build_embedder(params(backbone="torchvision/resnet50", **null))
    preset = torchvision.models.ResNet50_Weights.DEFAULT.transforms()
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 370, 3), dtype=np.uint8))
    torch.testing.assert_close(inference_transform(model.input)(picture), preset(picture), atol=1e-6, rtol=1e-6)
    assert model.params.crop_from == 232


def test_what_params_say_goes_before_the_trunks_own():
    own = OwnInput(224, (0.1,) * 3, (0.2,) * 3, "bicubic", 0.875)
    nulls = dict.fromkeys(("image_size", "mean", "std", "interpolation", "crop_from"))

    def filled(**changes):
        made = with_own_input(params(**nulls | changes), own)
        return tuple(getattr(made, name) for name in nulls)

    assert filled() == (224, (0.1,) * 3, (0.2,) * 3, "bicubic", 256)
    assert filled(image_size=112) == (112, (0.1,) * 3, (0.2,) * 3, "bicubic", 128)
    assert filled(crop_from="whole", interpolation="bilinear") == (224, (0.1,) * 3, (0.2,) * 3, "bilinear", "whole")
    assert filled(mean=[0.5] * 3, std=[0.4] * 3, crop_from=300) == (224, (0.5,) * 3, (0.4,) * 3, "bicubic", 300)
    with pytest.raises(UserError, match=r"finetune.model.crop_from: 200 is less than image_size \(224"):
        filled(crop_from=200)
    for wrong in (True, "all", 60):
        with pytest.raises(UserError, match="finetune.model.crop_from: should be null, whole, or pixels"):
            params(image_size=64, crop_from=wrong)


def test_training_pictures_follow_the_trunk_too():
    augment = default_params()["finetune"]["augment"] | {
        "rotation": 0.0,
        "flip": 0.0,
        "jitter": 0.0,
        "scale": [1.0, 1.0],
    }
    augment = parse_section(augment, "finetune.augment", AugmentParams)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))

    def made(**changes):
        torch.manual_seed(0)
        return training_transform(augment, PictureInput(16, (0.5,) * 3, (0.5,) * 3)._replace(**changes))(picture)

    assert made().shape == (3, 16, 16)
    assert not torch.equal(made(), made(interpolation="bicubic"))
    torch.testing.assert_close(made(mean=(0.0,) * 3, std=(1.0,) * 3), made() * 0.5 + 0.5)


@torch.inference_mode()
@pytest.mark.parametrize("name", ["densenet121", "swin_t"])
def test_the_map_is_what_the_network_itself_pools(name):
    torch.manual_seed(0)
    images = torch.rand(1, 3, 64, 64)
    backbone = build_backbone(f"torchvision/{name}", image_size=64).eval()
    theirs = torchvision.models.get_model(name).eval()
    theirs.load_state_dict(
        theirs.state_dict()
        | {
            f"features.{key}": value
            for key, value in backbone.trunk.state_dict().items()
            if not key.startswith("norm.")
        }
    )
    given = {}
    theirs.get_submodule("classifier" if name == "densenet121" else "head").register_forward_hook(
        lambda _, inputs, __: given.update(pooled=inputs[0])
    )
    theirs(images)
    torch.testing.assert_close(backbone(images).mean(dim=(2, 3)), given["pooled"])


@torch.inference_mode()
def test_a_class_token_that_is_not_counted_is_passed_over():
    made = build_backbone("timm/volo_d1_224", image_size=224).eval()(torch.rand(1, 3, 224, 224))
    assert made.shape[2:] == (14 * 14, 1)
