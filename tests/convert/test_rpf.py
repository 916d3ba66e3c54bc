"""Checkpoints of RPF: the converted network computes what the weights say by their own names; misfits are named."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from click.testing import CliRunner
from support.attribute_networks import region_params

from pipeline.base.errors import UserError
from pipeline.convert.checkpoint import convert
from pipeline.convert.rpf import by_their_names
from pipeline.images.loading import Conditioned
from pipeline.models.attributes.build import plan_attribute_network
from pipeline.models.attributes.settings import AttributeModelParams, PatchParams
from pipeline.models.kinds import load_embedder
from stages.convert import main

PATH = Path("checkpoint.pth.tar")
REGION, LOCAL = "choices.global.", "choices.local.basenet."
C, E, K, D, SIDE, HEADS = 256, 10, 12, 192, 64, 3  # of a small one: resnet18 and vit_tiny


def weights_of(shapes):
    """Random tensors of these shapes; norms are near 1."""
    made = {name: 0.05 * torch.randn(shape) for name, shape in shapes.items()}
    return {name: one + 1 if "norm.weight" in name else one for name, one in made.items()}


def layers(prefix, **shapes):
    found = {f"{prefix}{name.replace('__', '.')}.weight": shape for name, shape in shapes.items()}
    return found | {f"{prefix}{name.replace('__', '.')}.bias": shape[:1] for name, shape in shapes.items()}


def region(attributes=3):
    """Weights of the first stage."""
    torch.manual_seed(0)
    trunk = torchvision.models.resnet18(weights=None).state_dict()
    for name, values in trunk.items():
        if name.endswith(("running_mean", "running_var")):
            values.uniform_(0.5, 1.5)
    state = {f"{REGION}basenet.{name}": one for name, one in trunk.items() if not name.startswith(("layer4", "fc"))}
    state[f"{REGION}attrnet.attr_embedding.weight"] = torch.randn(attributes, E)
    shapes = {"attr_transform1": (K, E), "conv": (K, C, 1, 1), "feature_fc": (C, C), "x_layer_norm": (C,)}
    shapes |= {"a_layer_norm": (E,), "mlp_layer_norm": (C,), "mlp__fc1": (C // 2, C), "mlp__fc2": (C, C // 2)}
    return state | weights_of(layers(f"{REGION}attnnet.", **shapes))


def patch():
    """Weights of the patch branch."""
    torch.manual_seed(1)
    shapes = layers(LOCAL, attr2query=(D, E), norm=(C,), embeddings__patch_embeddings=(D, 3, 16, 16))
    shapes |= {f"{LOCAL}type_embed": (1, 2, D), f"{LOCAL}embeddings.cls_token": (1, 1, D)}
    shapes[f"{LOCAL}embeddings.position_embeddings"] = (1, 1 + (SIDE // 16) ** 2, D)
    square = {f"{part}": (D, D) for part in ("query", "key", "value", "out")}
    block = {"attention_norm": (D,), "ffn_norm": (D,), "ffn__fc1": (4 * D, D), "ffn__fc2": (D, 4 * D)}
    for i in range(12):
        shapes |= layers(f"{LOCAL}encoder.layer.{i}.", **block) | layers(f"{LOCAL}encoder.layer.{i}.attn.", **square)
    head = {
        "cross_attention_norm": (D,),
        "fc": (C, D),
        "ffn_norm": (C,),
        "ffn__fc1": (C // 2, C),
        "ffn__fc2": (C, C // 2),
    }
    cross = f"{LOCAL}crossencoder."
    return weights_of(shapes | layers(cross, **head) | layers(f"{cross}cross_attn.", **square))


class Named:
    """Layers by their names in a state."""

    def __init__(self, state, prefix):
        self.state, self.prefix = state, prefix

    def linear(self, name, rows):
        weight = self.state[f"{self.prefix}{name}.weight"]
        return F.linear(rows, weight.reshape(weight.shape[:2]), self.state[f"{self.prefix}{name}.bias"])

    def norm(self, name, rows):
        weight, bias = (self.state[f"{self.prefix}{name}.{part}"] for part in ("weight", "bias"))
        return F.layer_norm(rows, weight.shape, weight, bias, 1e-6)

    def attend(self, queries, tokens):
        def split(rows):
            return rows.unflatten(2, (HEADS, -1)).transpose(1, 2)

        query = split(self.linear("query", queries))
        key, value = (split(self.linear(part, tokens)) for part in ("key", "value"))
        seen = (query @ key.transpose(2, 3) / (D // HEADS) ** 0.5).softmax(dim=3) @ value
        return self.linear("out", seen.transpose(1, 2).flatten(2))


def plain_region(state, images, attribute):
    trunk = torchvision.models.resnet18(weights=None).eval()
    prefix = f"{REGION}basenet."
    kept = {name.removeprefix(prefix): one for name, one in state.items() if name.startswith(prefix)}
    assert not trunk.load_state_dict(kept, strict=False).unexpected_keys
    x = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(images))))
    tokens = trunk.layer3(trunk.layer2(trunk.layer1(x))).flatten(2).transpose(1, 2)
    head = Named(state, f"{REGION}attnnet.")
    tokens = head.norm("x_layer_norm", tokens)
    key = head.linear("conv", tokens).tanh()
    query = head.linear("attr_transform1", head.norm("a_layer_norm", attribute)).tanh()
    weights = ((key * query[:, None]).sum(dim=2) / K**0.5).softmax(dim=1)
    rows = head.linear("feature_fc", (weights[..., None] * tokens).sum(dim=1))
    hidden = head.linear("mlp.fc1", head.norm("mlp_layer_norm", rows)).relu()
    return head.norm("mlp_layer_norm", head.linear("mlp.fc2", hidden) + rows)


def plain_patch(state, crops, attribute):
    net, embed, cross = (Named(state, f"{LOCAL}{part}") for part in ("", "embeddings.", "crossencoder."))
    names = (f"{LOCAL}embeddings.patch_embeddings.{part}" for part in ("weight", "bias"))
    tokens = F.conv2d(crops, *(state[name] for name in names), stride=16).flatten(2).transpose(1, 2)
    first = state[f"{embed.prefix}cls_token"].expand(len(crops), -1, -1)
    tokens = torch.cat([first, tokens], dim=1) + state[f"{embed.prefix}position_embeddings"]
    for i in range(12):
        block = Named(state, f"{LOCAL}encoder.layer.{i}.")
        seen = block.norm("attention_norm", tokens)
        tokens = tokens + Named(state, f"{block.prefix}attn.").attend(seen, seen)
        hidden = F.gelu(block.linear("ffn.fc1", block.norm("ffn_norm", tokens)))
        tokens = tokens + block.linear("ffn.fc2", hidden)
    types = state[f"{LOCAL}type_embed"][0]
    query = net.linear("attr2query", attribute)[:, None] + types[0]
    query, tokens = (cross.norm("cross_attention_norm", rows) for rows in (query, tokens[:, 1:] + types[1]))
    rows = cross.linear("fc", Named(state, f"{cross.prefix}cross_attn.").attend(query, tokens)[:, 0])
    hidden = F.gelu(cross.linear("ffn.fc1", cross.norm("ffn_norm", rows)))
    return net.norm("norm", cross.linear("ffn.fc2", hidden) + rows)


@pytest.mark.parametrize("stage", [1, 2])
@torch.inference_mode()
def test_it_computes_what_its_weights_say(tmp_path, stage):
    state = region() | (patch() if stage == 2 else {})
    torch.save({"model": state, "epoch": 7, "mAP": 61.5}, tmp_path / "best.pth.tar")
    arguments = [str(tmp_path / "best.pth.tar"), str(tmp_path / "out"), "--attributes", "neck, sleeve,length"]
    done = CliRunner().invoke(main, arguments + (["--beta", "0.3"] if stage == 2 else []))
    assert done.exit_code == 0, done.output
    assert "torchvision/resnet18" in done.output
    assert "ignored: epoch, mAP" in done.output
    network = load_embedder(tmp_path / "out")
    assert network.attributes == ("neck", "sleeve", "length")
    assert (network.own.table_dim, network.own.common_dim, network.own.reduction) == (E, K, 2)
    seen = []
    if stage == 2:
        assert (network.own.beta, network.own.patch.image_size) == (0.3, SIDE)
        network.second.vit.patch_embed.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    inputs = Conditioned(torch.randn(2, 3, 448, 448), torch.tensor([2, 0]))
    made = network.outputs(inputs)
    attribute = state[f"{REGION}attrnet.attr_embedding.weight"][inputs.condition]
    view = F.interpolate(inputs.images, (224, 224), mode="bilinear", antialias=True)
    assert torch.allclose(made.region, plain_region(state, view, attribute), atol=1e-4)
    if stage == 2:
        assert torch.allclose(made.patch, plain_patch(state, seen[0], attribute), atol=1e-4)
    else:
        assert list(network.branches) == ["region"]


def test_of_several_gpus_and_without_names(tmp_path):
    state = {f"module.{name}": one for name, one in region().items() if not name.endswith("num_batches_tracked")}
    done = convert({"model": state}, PATH, tmp_path / "out")
    assert "3 attributes" in done.what
    assert load_embedder(tmp_path / "out").attributes == ("attribute_0", "attribute_1", "attribute_2")


def test_the_published_network_has_these_names():
    """Of resnet50 and vit_base; no values are made."""

    own = AttributeModelParams(canvas=448, patch=PatchParams(backbone="timm/vit_base_patch16_224"))
    model = region_params(backbone="torchvision/resnet50", image_size=224)
    theirs = by_their_names(plan_attribute_network(model, own, ("a",) * 8).state_dict())
    shapes = {name: tuple(values.shape) for name, values in theirs.items()}
    attention, cross = f"{REGION}attnnet.", f"{LOCAL}crossencoder."
    expected = {
        f"{REGION}attrnet.attr_embedding.weight": (8, 512),
        f"{REGION}basenet.layer3.5.conv3.weight": (1024, 256, 1, 1),
        f"{attention}attr_transform1.weight": (512, 512),
        f"{attention}conv.weight": (512, 1024, 1, 1),
        f"{attention}feature_fc.weight": (1024, 1024),
        f"{attention}mlp.fc1.weight": (512, 1024),
        f"{attention}mlp.fc2.weight": (1024, 512),
        f"{LOCAL}type_embed": (1, 2, 768),
        f"{LOCAL}attr2query.weight": (768, 512),
        f"{LOCAL}norm.weight": (1024,),
        f"{LOCAL}embeddings.position_embeddings": (1, 197, 768),
        f"{LOCAL}encoder.layer.11.attn.value.weight": (768, 768),
        f"{LOCAL}encoder.layer.11.ffn.fc1.bias": (3072,),
        f"{cross}fc.weight": (1024, 768),
        f"{cross}ffn.fc2.weight": (1024, 512),
    }
    assert {name: shapes[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({f"{REGION}attnnet.conv.bias": None}, "weights missing: choices.global.attnnet.conv.bias; get it again"),
        ({f"{REGION}attnnet.extra": torch.ones(1)}, "weights unexpected: choices.global.attnnet.extra; get it again"),
        ({f"{REGION}attrnet.attr_embedding.weight": None}, "weights missing: choices.global.attrnet.attr_embedding.w"),
        ({f"{REGION}attnnet.feature_fc.bias": torch.ones(9)}, r"of a wrong shape: .*feature_fc.bias \(9,\) instead of"),
        (
            {f"{REGION}attnnet.conv.bias": torch.full((K,), torch.nan)},
            "weights not finite: choices.global.attnnet.conv",
        ),
        (
            {f"{LOCAL}encoder.layer.3.attn.key.bias": None},
            "missing: choices.local.basenet.encoder.layer.3.attn.key.bias",
        ),
        ({f"{LOCAL}encoder.norm.weight": torch.ones(D)}, "unexpected: choices.local.basenet.encoder.norm.weight"),
        (
            {f"{LOCAL}embeddings.position_embeddings": torch.ones(1, 11, D)},
            r"position_embeddings \(1, 11, 192\) instead",
        ),
        ({f"{LOCAL}embeddings.position_embeddings": torch.ones(1, 1, D)}, "of no RPF that can be built"),
        ({f"{LOCAL}embeddings.patch_embeddings.weight": torch.ones(7, 3, 16, 16)}, "a ViT of width 7"),
        ({f"{REGION}basenet.layer3.9.conv1.weight": torch.ones(1)}, "a trunk of 3 blocks in layer3"),
        ({f"{REGION}attnnet.feature_fc.weight": torch.ones(9, 9)}, "of no RPF that can be built"),
    ],
)
def test_what_does_not_fit_is_one_line(tmp_path, change, says):
    state = {name: one for name, one in (region() | patch() | change).items() if one is not None}
    with pytest.raises(UserError, match=says) as caught:
        convert({"model": state}, PATH, tmp_path / "out")
    assert str(caught.value).startswith(f"{PATH}: ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_share_needs_two_branches(tmp_path):
    with pytest.raises(UserError, match="of the first stage, .* leave --beta out") as caught:
        convert({"model": region()}, PATH, tmp_path / "out", beta=0.5)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_names_of_attributes_are_as_many_and_those_of_rpf_alone(tmp_path):
    for names in (["a", "b"], ["a", "b", "b"]):
        with pytest.raises(UserError, match="it knows 3 attributes; give --attributes as many different names"):
            convert({"model": region()}, PATH, tmp_path / "out", attributes=names)
    layer = {"fc.weight": torch.ones(3, 4), "fc.bias": torch.ones(3)}
    with pytest.raises(UserError, match="not of RPF, which alone has attributes and beta"):
        convert({"model": layer}, PATH, tmp_path / "out", beta=0.5)
