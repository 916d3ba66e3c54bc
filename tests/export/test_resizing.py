"""Resizing in a graph beside PIL, and beside the published export."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from support.exporting import tiny_network
from support.golden import golden
from torch import nn

from pipeline.export.compose import Composed
from pipeline.export.resizing import resized, scaled
from pipeline.images.transforms import PictureInput, framed
from pipeline.models.backbones import Backbone
from pipeline.models.embedder import Embedder
from pipeline.models.head import Head


def pixels(picture: np.ndarray) -> torch.Tensor:
    return torch.tensor(picture).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("crop_from", [None, 16, 19, 21])
@pytest.mark.parametrize("shape", [(40, 31), (17, 64), (16, 16), (9, 12)])
def test_own_is_how_pil_frames(interpolation, crop_from, shape):
    picture = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)
    wanted = PictureInput(16, (0.0,) * 3, (1.0,) * 3, interpolation, crop_from)
    by_pil = framed(wanted)(Image.fromarray(picture)).transpose(2, 0, 1).astype(np.float32)
    got = resized(pixels(picture), wanted, "own")[0].numpy()
    assert np.abs(got - by_pil).max() <= 1, "grey levels"
    assert (got != by_pil).mean() < 0.1


def test_squash_is_the_published_resize():
    arrays = golden("model_parts", "mdfe")
    size, mean, std = int(arrays["size"]), tuple(arrays["mean"]), tuple(arrays["std"])
    seen = {"image_size": size, "mean": mean, "std": std, "interpolation": "bicubic"}
    model = Composed(tiny_network(**seen), "squash")
    got = model.scaled(pixels(arrays["image"]))[0].numpy()
    np.testing.assert_allclose(got, arrays["infer_pre_uint8"], atol=1 / 255 / min(std) + 1e-6)  # a grey level
    assert (np.abs(got - arrays["infer_pre_uint8"]) > 1e-4).mean() < 0.01
    not_rounded = scaled(pixels(arrays["image"]), size, size, "bicubic") / 255
    np.testing.assert_allclose(((not_rounded - model.mean) / model.std)[0], arrays["infer_pre_float"], atol=1e-4)


def test_squashed_and_raw_is_the_published_export():
    arrays = golden("model_parts", "mdfe")
    neck = [torch.tensor(arrays[f"neck_{name}"]) for name in ("weight", "bias")]
    like = tiny_network(
        image_size=int(arrays["size"]), mean=tuple(arrays["mean"]), std=tuple(arrays["std"]), pooling="native"
    )

    class Stub(nn.Module):
        def forward(self, images):
            return F.adaptive_avg_pool2d(images, 4).flatten(1)

    backbone = Backbone(Stub(), neck[0].shape[1], pooling="native")
    network = Embedder(backbone, nn.Identity(), Head.of(*neck, norm_features=False), like.params)
    model = Composed(network, "squash", raw=True)
    got = model.run(model.batch(arrays["image"][None]))[0]
    np.testing.assert_allclose(got, arrays["infer_embedding_uint8"], atol=5e-3)
