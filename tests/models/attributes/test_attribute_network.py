"""Networks of attributes as a whole: sizes, batches, the crop's fallback, what is trained, what is written."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from support.attribute_networks import (
    ATTRIBUTES,
    CANVAS,
    LOCAL,
    PATCH,
    asked,
    attribute_network,
    network_params,
    region_params,
)
from torch import nn

from pipeline.base.errors import UserError
from pipeline.images.loading import Conditioned
from pipeline.models.attributes.build import build_attribute_network, plan_attribute_network, restore_attribute_network
from pipeline.models.attributes.settings import AttributeModelParams, LocalParams, PatchParams
from pipeline.models.embedder import count_parameters
from pipeline.models.folder import load_head
from pipeline.models.kinds import load_embedder, save_embedder
from pipeline.models.network import attributes_of
from pipeline.params.finetune import ModelParams

FAMILIES = {
    "region": {},
    "both": {"patch": PATCH},
    "global": {"family": "asen", "embedding_dim": 20},
    "global and local": {"family": "asen", "embedding_dim": 20, "local": LOCAL},
}
EVERY = pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)


@pytest.mark.parametrize(
    ("changes", "n", "trained"),
    [
        ({}, 8, 11_439_680),
        ({"patch": PatchParams(backbone="timm/vit_base_patch16_224")}, 8, 101_837_888),
        ({"patch": PatchParams(backbone="timm/vit_base_patch16_224")}, 9, 101_838_400),
        ({"patch": PatchParams(backbone="timm/vit_base_patch16_224")}, 5, 101_836_352),
        ({"family": "asen"}, 8, 11_959_360),
        ({"family": "asen", "local": LocalParams(backbone="torchvision/resnet34")}, 8, 20_984_064),
    ],
)
def test_parameters_are_as_many_as_published(changes, n, trained):
    model = region_params(backbone="torchvision/resnet50", image_size=224)
    network = plan_attribute_network(model, AttributeModelParams(canvas=224, **changes), tuple(map(str, range(n))))
    assert count_parameters(network) == trained
    groups = {name: sum(one.numel() for one in group) for name, group in network.parameter_groups().items()}
    assert sum(groups.values()) == trained
    if "patch" in changes:
        assert groups["patch"] == 90_398_208
        assert groups["region"] == trained - 90_398_208
        backbone = sum(one.numel() for one in network.first.trunk.parameters())
        assert (backbone, network.table.weight.numel()) == (8_543_296, 512 * n)


@EVERY
@torch.inference_mode()
def test_a_picture_is_embedded_as_in_a_batch(changes):
    network, inputs = attribute_network(**changes), asked()
    rows = network.pool(inputs)
    assert rows.shape == (4, sum(network.branches.values()))
    assert rows.dtype == torch.float32
    assert torch.allclose(rows.norm(dim=1), torch.ones(4))
    assert torch.allclose(network(inputs), rows, atol=1e-6)
    for i in range(4):
        one = Conditioned(inputs.images[i : i + 1], inputs.condition[i : i + 1])
        assert torch.allclose(network.pool(one), rows[i : i + 1], atol=1e-5)
        made = network.outputs(one)
        assert made.map.shape == (1, 3, 3)
        assert torch.allclose(made.map.sum(dim=(1, 2)), torch.ones(1))
    other = network.pool(Conditioned(inputs.images, (inputs.condition + 1) % 3))
    assert (other - rows).abs().max() > 1e-4


@torch.inference_mode()
def test_rows_weigh_the_branches():
    network, inputs = attribute_network(patch=PATCH, beta=0.3), asked()
    made, rows = network.outputs(inputs), network.pool(inputs)
    region, patch = (F.normalize(one, dim=1) for one in (made.region, made.patch))
    assert list(network.branches.items()) == [("region", 256), ("patch", 256)]
    assert torch.allclose(rows @ rows.T, 0.3 * region @ region.T + 0.7 * patch @ patch.T, atol=1e-6)
    assert made.background.shape == made.region.shape
    alone = network.outputs(inputs, both=False)
    assert torch.equal(alone.region, made.region)
    assert alone.patch is attribute_network().outputs(inputs).patch is None
    asen = attribute_network(family="asen", embedding_dim=20, local=LOCAL)
    assert list(asen.branches.items()) == [("global", 20), ("local", 20)]
    assert asen.outputs(inputs).background is None


@torch.inference_mode()
def test_a_constant_map_gives_the_whole_square():
    network, inputs = attribute_network(patch=PATCH), asked()
    network.first.attention.attention.query.weight.zero_()
    network.first.attention.attention.query.bias.zero_()  # all scores are 0
    found, box = network.attention(inputs)
    assert torch.allclose(found, torch.full((4, 3, 3), 1 / 9))
    assert box.tolist() == [[0, 0, CANVAS, CANVAS]] * 4
    whole = F.interpolate(inputs.images, (32, 32), mode="bilinear", antialias=True)
    attribute = network.table(inputs.condition)
    assert torch.allclose(network.outputs(inputs).patch, network.second(whole, attribute), atol=1e-4)
    assert torch.isfinite(network.pool(Conditioned(torch.zeros_like(inputs.images), inputs.condition))).all()


@torch.inference_mode()
def test_the_crop_gets_the_statistics_of_the_vit_where_wanted():
    inputs = asked()
    plain, own = (attribute_network(patch=PATCH.model_copy(update={"own_input": flag})) for flag in (False, True))
    own.load_state_dict(plain.state_dict())
    seen = []
    for network in (plain, own):
        network.second.vit.patch_embed.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        network.pool(inputs)
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (plain.params.mean, plain.params.std))
    assert torch.allclose((seen[0] * std + mean - 0.5) / 0.5, seen[1], atol=1e-5)


def test_the_crop_is_scaled_alike_after_a_restart():
    dino = PATCH.model_copy(update={"backbone": "timm/vit_small_patch16_224", "weights": "dino", "own_input": True})
    network = build_attribute_network(region_params(), network_params(patch=dino), ATTRIBUTES, fetch=False)
    again = restore_attribute_network(json.loads(json.dumps(network.settings)))
    assert network.crop.mean == (0.485, 0.456, 0.406), "timm's default tag has 0.5"
    assert again.crop == network.crop
    assert torch.equal(again.crop_scale, network.crop_scale)
    assert torch.equal(again.crop_shift, network.crop_shift)
    assert again.settings == network.settings


def test_gradients_reach_every_weight_and_one_branch_alone_its_own():
    network, inputs = attribute_network(patch=PATCH).train(), asked()
    made = network.outputs(inputs)
    (made.region.square().sum() + made.patch.square().sum() + made.background.square().sum()).backward()
    idle = [name for name, one in network.named_parameters() if one.requires_grad and one.grad is None]
    assert not idle
    network.zero_grad(set_to_none=True)
    network.outputs(inputs).patch.square().sum().backward()
    assert network.table.weight.grad is not None
    assert all(one.grad is None for one in network.first.parameters()), "nothing flows through the crop"


def test_dropout_is_where_rpf_has_it():
    network = attribute_network(patch=PATCH.model_copy(update={"dropout": 0.25}), dropout=0.15)
    shares = {name: one.p for name, one in network.named_modules() if isinstance(one, nn.Dropout) and one.p}
    blocks = [f"second.vit.blocks.{block}.mlp.drop{i}" for block in range(12) for i in (1, 2)]
    heads = ["first.attention.mlp.2", "first.attention.mlp.4", "second.mlp.2", "second.mlp.4"]
    expected = dict.fromkeys(["second.vit.pos_drop", *blocks], 0.25) | dict.fromkeys(heads, 0.15)
    assert shares == expected
    assert not network.second.vit.cls_token.any()


def test_frozen_batch_norms_keep_their_statistics():
    for frozen in (True, False):
        network = attribute_network(region_params(frozen_bn=frozen)).train()
        before = network.first.trunk.model.bn1.running_mean.clone()
        network.pool(asked())
        assert torch.equal(network.first.trunk.model.bn1.running_mean, before) == frozen


def test_half_precision_gives_finite_rows_near_the_full_ones():
    network, inputs = attribute_network(patch=PATCH), asked()
    with torch.inference_mode():
        rows = network.pool(inputs)
        with torch.autocast("cpu", torch.bfloat16):
            half = network.pool(inputs)
    assert half.dtype == torch.float32
    assert F.cosine_similarity(rows[:, :256], half[:, :256]).min() > 0.99


@EVERY
def test_it_is_built_again_from_its_folder(tmp_path, changes):
    network, inputs = attribute_network(**changes), asked()
    save_embedder(tmp_path, network)
    again = load_embedder(tmp_path)
    with torch.inference_mode():
        assert torch.equal(again(inputs), network(inputs))
    assert again.settings == network.settings
    assert again.input == network.input
    assert attributes_of(again) == ATTRIBUTES
    assert load_head(tmp_path).shape == network.head.shape
    assert ModelParams.model_validate({key: network.settings[key] for key in ModelParams.model_fields})


def test_pictures_are_squares_of_the_canvas():
    wanted = attribute_network().input
    assert (wanted.size, wanted.crop_from) == (CANVAS, CANVAS)
    assert wanted.mean == (0.485, 0.456, 0.406)


def test_conditions_are_places_in_the_list():
    network = attribute_network()
    made = network.conditions(pd.DataFrame({"attribute": ["length", "neckline", "length"]}))
    assert made.dtype == np.int64
    assert made.tolist() == [2, 0, 2]
    with pytest.raises(UserError, match="attribute 'trim' is unknown to the model; known: neckline, sleeve, length"):
        network.conditions(pd.DataFrame({"attribute": ["length", "trim"]}))
    with pytest.raises(UserError, match="pictures without attributes"):
        network.conditions(pd.DataFrame({"item": ["a"]}))


@pytest.mark.parametrize(
    ("model", "own", "says"),
    [
        (
            {},
            {"layer": "layer9"},
            r"^recipes.rpf.network.layer: torchvision/resnet18 has no feature map 'layer9'; known: ",
        ),
        ({}, {"layer": 3}, "network.layer: 3 does not cut torchvision/resnet18; set a layer's name, as layer3"),
        ({"backbone": "timm/resnet18"}, {}, "'layer3' does not cut timm/resnet18; set the index of a feature map"),
        ({"backbone": "timm/resnet18"}, {"layer": 7}, "has no feature map 7; known: 0, 1, 2, 3, 4$"),
        (
            {},
            {"embedding_dim": 1024},
            "network.embedding_dim: 1024, but the map of torchvision/resnet18 at layer3 is 256",
        ),
        ({}, {"canvas": 32}, r"network.canvas: 32 is less than finetune.model.image_size \(48\)"),
        ({"image_size": 16}, {}, "gives no map of several places at 16 px"),
        ({"frozen": True}, {}, "finetune.model.frozen: true, but"),
        ({"embedding_dim": 9}, {}, r"finetune.model.embedding_dim: 9, where the branches give \[256\]; set null"),
        ({"backbone": "torchvision/resnet81"}, {}, "^finetune.model.backbone: unknown backbone 'torchvision/resnet81'"),
        (
            {},
            {"patch": PATCH.model_copy(update={"backbone": "timm/resnet18"})},
            "^recipes.rpf.network.patch.backbone: timm/resnet18 is no ViT of timm",
        ),
        (
            {},
            {"patch": PATCH.model_copy(update={"backbone": "torchvision/vit_b_16"})},
            "network.patch.backbone: torchvision/vit_b_16 is no ViT of timm",
        ),
        (
            {},
            {"patch": PATCH.model_copy(update={"image_size": 40})},
            "^recipes.rpf.network.patch.image_size: 40 px are no whole number of patches of 16 px",
        ),
        (
            {},
            {"family": "asen", "local": LOCAL.model_copy(update={"layer": "layer"})},
            "^recipes.rpf.network.local.layer: torchvision/resnet18 has no feature map 'layer'",
        ),
        (
            {},
            {"family": "asen", "local": LOCAL.model_copy(update={"weights": "no/file.pth"})},
            "^recipes.rpf.network.local.weights: no/file.pth: no such file or folder",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(model, own, says):
    with pytest.raises(UserError, match=says) as caught:
        attribute_network(region_params(**model), **own)
    assert "\n" not in str(caught.value)
