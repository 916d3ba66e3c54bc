"""The setting and the comparison that docs print: valid, and as published."""

import re
import shutil

import huggingface_hub.constants
import pytest
import timm
import torch
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML
from safetensors.torch import save_file
from support.coloured import coloured_pictures
from support.project import PROJECT, committed_params

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.models.embedder import build_embedder, plan_embedder
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.margin_softmax.params import LOSSES, Params
from pipeline.recipes.margin_softmax.recipe import build, check
from pipeline.recipes.margin_softmax.schedule import batch_factor
from pipeline.training.context import TrainingContext
from pipeline.training.fabric import start_fabric
from pipeline.training.networks import set_up

TEXT = (PROJECT / "docs/margin_softmax.md").read_text()


@pytest.fixture
def published(tmp_path):
    (line,) = re.findall(r"dvc exp run (-S seed=.*)", TEXT)
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    apply_overrides(tmp_path / "params.yaml", line.removeprefix("-S ").split(" -S "))
    return YAML(typ="safe", pure=True).load((tmp_path / "params.yaml").read_text())


def test_published_setting(published):
    common = parse_section(published["finetune"], "finetune", FinetuneParams)
    own = parse_section(published["recipes"]["margin_softmax"], "recipes.margin_softmax", Params)
    assert own == parse_section(committed_params()["recipes"]["margin_softmax"], "recipes.margin_softmax", Params)
    assert published["seed"] == 42
    assert (own.loss, own.centres, own.scale, own.margin) == ("arcface", 3, 30.0, 0.5)
    assert (own.batch_size, own.dropout, own.sam_rho, own.sampled) == (128, 0.2, None, None)
    assert (common.optim.name, common.optim.weight_decay, common.epochs, common.keep) == ("adam", 1e-4, 10, "last")
    # M4D-35k: 2,566 batches an epoch; from 0.02 to 0.001, with one epoch of linear rise.
    lr = [0.02 * batch_factor(common.optim, own, at / 2566, 10, 2566) for at in (0, 12829, 25660 - 1e-6)]
    assert lr == pytest.approx([0.02 / 2566, 0.0105, 0.001], rel=1e-3)
    check(common, own)
    model = plan_embedder(common.model)
    assert model.head.shape == (64, 1152)
    assert model.input.size == 384
    assert model.input.mean == (0.5,) * 3


@pytest.fixture
def narrow(monkeypatch):
    """The published trunk with two thin layers, its pictures and its tokens as they are."""
    whole = timm.create_model

    def create_model(name, **options):
        return whole(name, **options, embed_dim=64, depth=2, num_heads=2)

    monkeypatch.setattr(timm, "create_model", create_model)


def test_published_setting_without_a_network(published, narrow, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError) as caught:
        build_embedder(parse_section(published["finetune"], "finetune", FinetuneParams).model)
    assert re.fullmatch(
        r"finetune.model.weights: no published weights for timm/vit_so400m_patch14_siglip_384 \(.+\); connect to the "
        "network, name a file or a package that has them, or set null",
        str(caught.value),
    )


def test_published_setting_with_a_file_of_its_weights(published, narrow, tmp_path):
    torch.manual_seed(0)
    theirs = timm.create_model("vit_so400m_patch14_siglip_384")
    save_file(theirs.state_dict(), tmp_path / "siglip.safetensors")
    published["finetune"]["model"]["weights"] = str(tmp_path / "siglip.safetensors")
    common = parse_section(published["finetune"], "finetune", FinetuneParams)
    own = parse_section(published["recipes"]["margin_softmax"], "recipes.margin_softmax", Params)
    rows = coloured_pictures(
        tmp_path, [(colour, str(colour), "dress") for colour in [(200, 40, 40), (40, 40, 200)] for _ in range(4)]
    )
    fabric = start_fabric("cpu", common.precision)
    recipe = build(TrainingContext(rows, tmp_path, common, seed=published["seed"], workers=0, fabric=fabric), own)
    set_up(recipe, fabric)
    losses = [recipe.step(batch, epoch)["loss"] for epoch in range(8) for batch in recipe.batches(epoch, 0)]
    assert losses[-1] < losses[0]
    trunk = recipe.embedder.backbone.trunk
    assert torch.equal(trunk.attn_pool.q.weight, theirs.attn_pool.q.weight)


def test_the_page_has_every_loss():
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) - {"loss"} == set(LOSSES)


@pytest.mark.parametrize(
    "changes", [{"margin": 28.6}, {"loss": "adaface", "margin": 1.6}, {"clam": {"margin_max": 28}}]
)
def test_margins_in_degrees_are_refused(changes):
    own = committed_params()["recipes"]["margin_softmax"]
    changes = {key: own[key] | value if isinstance(value, dict) else value for key, value in changes.items()}
    with pytest.raises(UserError, match=r"margin.*is in radians, of which a right angle has 1\.57"):
        parse_section(own | changes, "recipes.margin_softmax", Params)
    for loss, margin in (("sphereface", 4.0), ("cosface", 2.0), ("adacos", 28.6)):  # no angles, and none
        parse_section(own | {"loss": loss, "margin": margin}, "recipes.margin_softmax", Params)
