"""The head: written, read, folded, and put behind a backbone."""

import numpy as np
import pytest
import torch
from support.golden import golden
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.models.embedder import build_embedder
from pipeline.models.folder import Adapted, load_head, load_heads, save_head, save_heads
from pipeline.models.head import Head
from pipeline.models.kinds import load_embedder, save_embedder
from pipeline.params.finetune import ModelParams
from pipeline.views.mix import Mix

PARAMS = ModelParams.model_validate(default_params()["finetune"]["model"] | {"image_size": 32, "embedding_dim": 4})
MIX = Mix({"street": 3, "own_ground": 1}, 0.4)


def head(seed=0, pooled=6, **options):
    generator = torch.Generator().manual_seed(seed)
    weight, bias = torch.randn(4, pooled, generator=generator), torch.randn(4, generator=generator)
    return Head.of(weight, bias, **{"norm_features": True} | options)


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("output", ["none", "l2", "layernorm", "l2_layernorm"])
def test_what_is_written_is_read(tmp_path, output, root):
    made, pooled, domain = head(output=output, root=root), torch.rand(9, 6), torch.zeros(9, dtype=torch.int64)
    save_head(tmp_path, made)
    loaded = load_head(tmp_path)
    assert loaded.settings == made.settings
    assert torch.equal(loaded(pooled), made(pooled))
    np.testing.assert_allclose(
        loaded.embed(pooled.numpy(), domain.numpy(), 2), made(pooled).detach().numpy(), atol=1e-6
    )


def test_a_bias_a_domain(tmp_path):
    """Each row is embedded as by the head of its domain, and a head that is not told of it says so."""
    biases, pooled, domain = torch.randn(2, 4), torch.randn(9, 6), torch.arange(9) % 2
    one, other = (Head.of(head().weight, bias, norm_features=True) for bias in biases)
    save_head(tmp_path, Head.of(head().weight, biases, norm_features=True))
    made = load_head(tmp_path)
    expected = torch.where(domain[:, None] == 0, one(pooled), other(pooled))
    torch.testing.assert_close(made(pooled, domain), expected)
    np.testing.assert_allclose(made.embed(pooled.numpy(), domain.numpy(), 4), expected.detach(), atol=1e-6)
    with pytest.raises(ValueError, match="and no domains"):
        made(pooled)


def test_signed_roots_by_hand():
    made = Head.identity(3, norm_features=False, root=True)
    rooted = torch.tensor([[2.0, -3.0, 0.0]]) / 13**0.5
    torch.testing.assert_close(made(torch.tensor([[4.0, -9.0, 0.0]])), rooted)


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("domains", [False, True])
@pytest.mark.parametrize("output", ["layernorm", "l2_layernorm"])
def test_folding_keeps_the_embeddings(output, domains, root):
    made, pooled, domain = head(output=output, root=root), torch.rand(9, 6), torch.arange(9) % 2
    if domains:
        made = Head.of(made.weight, torch.randn(2, 4), norm_features=True, output=output, root=root)
    folded = made.folded()
    assert folded.output_name == "none"
    torch.testing.assert_close(folded(pooled, domain), made(pooled, domain))


def test_heads_by_name_and_what_is_wrong_with_them(tmp_path):
    save_heads(tmp_path, {"control": Adapted(head(1)), "viewed": Adapted(head(2), MIX)})
    loaded = load_heads(tmp_path)
    assert list(loaded) == ["control", "viewed"]
    assert [loaded[name].mix for name in loaded] == [None, MIX]
    assert torch.equal(loaded["viewed"].head.weight, head(2).weight)
    (tmp_path / "viewed/model.safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match=r"viewed: not a model of this project .* run `dvc repro adapt`"):
        load_heads(tmp_path)
    (tmp_path / "heads.json").unlink()
    with pytest.raises(UserError, match="not a list of heads"):
        load_heads(tmp_path)


def test_a_backbone_takes_any_head(tmp_path):
    torch.manual_seed(0)
    model = build_embedder(PARAMS).eval()
    other = head(pooled=model.backbone.width)
    save_embedder(tmp_path / "backbone", model)
    save_head(tmp_path / "control", other)
    images = torch.rand(2, 3, 32, 32)
    composed = load_embedder(tmp_path / "backbone", tmp_path / "control")
    assert torch.equal(composed.pool(images), model.pool(images))
    assert torch.equal(composed(images), other(model.pool(images)))
    assert torch.equal(load_embedder(tmp_path / "backbone", tmp_path / "backbone")(images), model(images))


def test_what_does_not_go_together_is_said(tmp_path):
    save_embedder(tmp_path / "backbone", build_embedder(PARAMS))
    save_head(tmp_path / "narrow", head())
    with pytest.raises(UserError, match=r"narrow: a head for pooled features of width 6, where the features have 512"):
        load_embedder(tmp_path / "backbone", tmp_path / "narrow")
    with pytest.raises(UserError, match="a head alone, which embeds features and no pictures"):
        load_embedder(tmp_path / "narrow")


@pytest.mark.parametrize("width", [1152, 768, 100])
def test_published_average_pooling(width):
    arrays = golden("model_parts", "mdfe")
    made = Head.pooling(width, 64, norm_features=False)
    found = made.project(torch.from_numpy(arrays[f"pool{width}_in"])).detach()
    np.testing.assert_allclose(found.numpy(), arrays[f"pool{width}_out"], rtol=0, atol=1e-4)


def test_average_pooling_by_hand():
    # Five features in three: places 0-1, 1-3 and 3-4.
    made = Head.pooling(5, 3, norm_features=False)
    assert made.project(torch.tensor([[1.0, 2.0, 4.0, 6.0, 8.0]])).tolist()[0] == pytest.approx([1.5, 4.0, 7.0])
    assert torch.equal(Head.pooling(5, 5, norm_features=False).weight, torch.eye(5))
