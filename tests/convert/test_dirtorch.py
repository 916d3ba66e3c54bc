"""Checkpoints of dirtorch and UDMA: the converted model computes what the original does; misfits are named."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision

from pipeline.base.errors import UserError
from pipeline.convert.checkpoint import convert
from pipeline.models.folder import load_head, read_model
from pipeline.models.kinds import load_embedder

PATH = Path("model.pt")


def resnet(name: str = "resnet18", width: int = 512, out_dim: int = 6) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A trunk with random weights and running statistics, and a checkpoint of it with a random head."""
    torch.manual_seed(0)
    trunk = torchvision.models.get_model(name, weights=None)
    trunk.fc = torch.nn.Identity()
    for key, value in trunk.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            value.uniform_(0.5, 1.5)
    head = {"adpool.p": torch.tensor([2.5]), "fc.weight": torch.randn(out_dim, width), "fc.bias": torch.randn(out_dim)}
    state = {f"module.{key}": value for key, value in (trunk.state_dict() | head).items()}
    options = {"arch": f"{name}_rmac", "out_dim": out_dim, "pooling": "gem", "gemp": 3}
    return trunk.eval(), {"state_dict": state, "model_options": options}


def plain_forward(trunk: torch.nn.Module, checkpoint: dict, images: torch.Tensor, *, pooling: str, norm: bool):
    """The network as dirtorch defines it."""
    state = checkpoint["state_dict"]
    for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"):
        images = getattr(trunk, name)(images)
    if pooling == "gem":
        p = state["module.adpool.p"]
        pooled = images.clamp(min=1e-6).pow(p).mean(dim=(2, 3)).pow(1 / p)
    else:
        pooled = images.mean(dim=(2, 3)) if pooling == "avg" else images.amax(dim=(2, 3))
    pooled = F.normalize(pooled, dim=1) if norm else pooled
    return F.normalize(F.linear(pooled, state["module.fc.weight"], state["module.fc.bias"]), dim=1)


@pytest.mark.parametrize(("pooling", "norm"), [("gem", False), ("gem", True), ("avg", False), ("max", True)])
@torch.inference_mode()
def test_converted_model_gives_the_same_embeddings(tmp_path, pooling, norm):
    trunk, checkpoint = resnet()
    checkpoint["model_options"] |= {"pooling": pooling, "norm_features": norm}
    if pooling != "gem":
        del checkpoint["state_dict"]["module.adpool.p"]
    done = convert(checkpoint, PATH, tmp_path / "out")
    images = torch.randn(3, 3, 64, 64)
    model = load_embedder(tmp_path / "out")
    params = model.params
    expected = plain_forward(trunk, checkpoint, images, pooling=pooling, norm=norm)
    torch.testing.assert_close(model(images), expected, rtol=0, atol=1e-6)
    assert (params.backbone, params.pooling, params.norm_features) == ("torchvision/resnet18", pooling, norm)
    assert (params.embedding_dim, params.image_size) == (6, 224)
    assert done.ignored == []
    assert "torchvision/resnet18" in done.what


def test_checkpoint_of_udma_is_a_resnet101_with_the_defaults(tmp_path):
    _, checkpoint = resnet("resnet101", 2048, 2048)
    state = checkpoint["state_dict"]
    done = convert(
        {"state_dict": state, "epoch": 59, "optimizer": {}}, Path("DeepFashion_59_ckpt.t7"), tmp_path / "out"
    )
    _, settings, weights = read_model(tmp_path / "out")
    assert len(weights) == len(state) == 627
    assert settings["backbone"] == "torchvision/resnet101"
    assert settings["norm_features"] is False
    assert weights["pooling.p"].item() == 2.5
    assert torch.equal(weights["backbone.trunk.6.22.bn3.running_var"], state["module.layer3.22.bn3.running_var"])
    assert done.ignored == ["optimizer", "epoch"]


@pytest.mark.parametrize("prefix", ["", "module."])
def test_adaptation_layer_gives_a_head_alone(tmp_path, prefix):
    layer = {f"{prefix}fc.weight": torch.randn(4, 7), f"{prefix}fc.bias": torch.randn(4)}
    done = convert({"state_dict": layer, "epoch": 44999}, PATH, tmp_path / "out")
    head = load_head(tmp_path / "out")
    weight, bias, norm_features = head.weight.detach(), head.bias.detach(), head.norm_features
    assert torch.equal(weight, layer[f"{prefix}fc.weight"])
    assert torch.equal(bias, layer[f"{prefix}fc.bias"])
    assert norm_features is False
    assert "a head of 7 to 4" in done.what
    with pytest.raises(UserError, match="out: a head alone"):
        load_embedder(tmp_path / "out")


def test_what_is_ignored_is_told(tmp_path):
    _, checkpoint = resnet()
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    checkpoint |= {"pca": {"Landmarks_clean": None}, "preprocess": {"mean": mean, "std": std, "input_size": 224}}
    checkpoint["model_options"]["dropout_p"] = 0.1
    assert convert(checkpoint, PATH, tmp_path / "a").ignored == ["pca", "model option dropout_p", "preprocess"]
    checkpoint["preprocess"]["mean"] = [0.5, 0.5, 0.5]
    assert "[0.5, 0.5, 0.5]" in convert(checkpoint, PATH, tmp_path / "b").ignored[-1]
    checkpoint["preprocess"]["mean"] = None
    assert convert(checkpoint, PATH, tmp_path / "c").ignored[-1] == "preprocess"


def test_weights_from_before_batches_were_counted(tmp_path):
    _, checkpoint = resnet()
    state = checkpoint["state_dict"]
    checkpoint["state_dict"] = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    convert(checkpoint, PATH, tmp_path / "out")
    load_embedder(tmp_path / "out")


def _drop(state: dict) -> None:
    del state["module.layer2.0.conv1.weight"]


def _add(state: dict) -> None:
    state["module.layer9.weight"] = torch.ones(1)


def _reshape(state: dict) -> None:
    state["module.fc.weight"] = torch.ones(6, 511)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_drop, r"missing: layer2\.0\.conv1\.weight;"),
        (_add, r"unexpected: layer9\.weight;"),
        (_reshape, r"of a wrong shape: fc\.weight \(6, 511\) instead of \(6, 512\)"),
        (lambda state: state.update({"module.x": 3}), "x in its state_dict is no tensor"),
        (dict.clear, "no state_dict in it"),
        (lambda state: state["module.adpool.p"].zero_(), r"\[0\.0\] is no exponent of GeM"),
        (lambda state: state["module.bn1.bias"].fill_(torch.nan), "weights not finite: bn1.bias"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, spoil, says):
    _, checkpoint = resnet()
    spoil(checkpoint["state_dict"])
    with pytest.raises(UserError, match=rf"^model\.pt: .*{says}"):
        convert(checkpoint, PATH, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"arch": "vgg16_rmac"}, "arch 'vgg16_rmac' is unknown"),
        ({"arch": "resnet18"}, "arch 'resnet18' is unknown; known: a ResNet of torchvision with _rmac"),
        ({"arch": "resnet34_rmac"}, r"weights missing: layer1\.2.* is model_options.arch that of the weights"),
        ({"center_bias": 0.5}, "center_bias = 0.5 has no counterpart"),
        ({"without_fc": True}, "without_fc = True has no counterpart"),
        ({"pooling": "rmac"}, "pooling 'rmac' is unknown"),
        ({"out_dim": "many"}, r"model_options\.out_dim"),
        ({"out_dim": -1}, r"model_options\.embedding_dim"),
    ],
)
def test_options_that_do_not_fit(tmp_path, options, says):
    _, checkpoint = resnet()
    checkpoint["model_options"] |= options
    with pytest.raises(UserError, match=rf"^model\.pt: .*{says}"):
        convert(checkpoint, PATH, tmp_path / "out")


def test_adaptation_layer_of_a_wrong_shape(tmp_path):
    layer = {"fc.weight": torch.ones(4, 7), "fc.bias": torch.ones(7)}
    with pytest.raises(UserError, match=r"^model\.pt: weight \(4, 7\) and bias \(7,\) do not make a linear layer"):
        convert({"state_dict": layer}, PATH, tmp_path / "out")
    for foreign in ([1, 2], {"weights": layer}, None):
        with pytest.raises(UserError, match="no state_dict in it; not a checkpoint of dirtorch, UDMA or RPF"):
            convert(foreign, PATH, tmp_path / "out")


def test_adaptation_layer_in_half_precision(tmp_path):
    layer = {"fc.weight": torch.ones(4, 7).half(), "fc.bias": torch.ones(4).half()}
    convert({"state_dict": layer}, PATH, tmp_path / "out")
    assert {tensor.dtype for tensor in load_head(tmp_path / "out").parameters()} == {torch.float32}


@pytest.mark.parametrize("prefix", ["module.module.", "_orig_mod.module.", "module._orig_mod."])
@pytest.mark.parametrize("held", [lambda state: state, lambda state: {"model": state, "epoch": 3}])
def test_wrapped_and_bare_states(tmp_path, prefix, held):
    layer = {"fc.weight": torch.randn(4, 7), "fc.bias": torch.randn(4)}
    done = convert(held({f"{prefix}{name}": value for name, value in layer.items()}), PATH, tmp_path / "out")
    assert "a head of 7 to 4" in done.what
    assert torch.equal(load_head(tmp_path / "out").weight, layer["fc.weight"])
