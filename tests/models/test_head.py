"""The head: written, read, folded, and put behind a backbone."""

import numpy as np
import pytest
import torch
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.models.embedder import build_embedder
from pipeline.models.folder import load_head, load_heads, save_head, save_heads
from pipeline.models.head import Head
from pipeline.models.kinds import load_embedder, save_embedder
from pipeline.params.finetune import ModelParams

PARAMS = ModelParams.model_validate(default_params()["finetune"]["model"] | {"image_size": 32, "embedding_dim": 4})


def head(seed=0, pooled=6, **options):
    generator = torch.Generator().manual_seed(seed)
    weight, bias = torch.randn(4, pooled, generator=generator), torch.randn(4, generator=generator)
    return Head.of(weight, bias, **{"norm_features": True} | options)


@pytest.mark.parametrize("output", ["none", "l2", "layernorm", "l2_layernorm"])
def test_what_is_written_is_read(tmp_path, output):
    made, pooled = head(output=output), torch.rand(9, 6)
    save_head(tmp_path, made)
    loaded = load_head(tmp_path)
    assert loaded.settings == made.settings
    assert torch.equal(loaded(pooled), made(pooled))
    np.testing.assert_allclose(loaded.embed(pooled.numpy(), 2), made(pooled).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("output", ["layernorm", "l2_layernorm"])
def test_folding_keeps_the_embeddings(output):
    made, pooled = head(output=output), torch.rand(9, 6)
    folded = made.folded()
    assert folded.output_name == "none"
    torch.testing.assert_close(folded(pooled), made(pooled))


def test_heads_by_name_and_what_is_wrong_with_them(tmp_path):
    save_heads(tmp_path, {"control": head(1), "adapted": head(2)})
    loaded = load_heads(tmp_path)
    assert list(loaded) == ["control", "adapted"]
    assert torch.equal(loaded["adapted"].weight, head(2).weight)
    (tmp_path / "adapted/model.safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match=r"adapted: not a model of this project .* run `dvc repro adapt`"):
        load_heads(tmp_path)
    (tmp_path / "heads.json").unlink()
    with pytest.raises(UserError, match="not a list of heads"):
        load_heads(tmp_path)


def test_a_backbone_takes_any_head(tmp_path):
    torch.manual_seed(0)
    model = build_embedder(PARAMS).eval()
    other = head(pooled=model.backbone.width)
    save_embedder(tmp_path / "backbone", model)
    save_head(tmp_path / "adapted", other)
    images = torch.rand(2, 3, 32, 32)
    composed = load_embedder(tmp_path / "backbone", tmp_path / "adapted")
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
