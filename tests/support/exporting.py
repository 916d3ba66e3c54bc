"""A network that is exported in a second: a trunk of two layers."""

import torch
from torch import nn

from pipeline.export.compose import Chosen
from pipeline.models.backbones import Backbone
from pipeline.models.embedder import Embedder
from pipeline.models.head import Head
from pipeline.models.pooling import build_pooling
from pipeline.params.finetune import ModelParams

SIDE, WIDTH, DIM = 16, 6, 4


def tiny_network(*, root: bool = False, domains: bool = False, output: str = "none", **params) -> Embedder:
    """An embedder of (SIDE, SIDE) pictures, always the same."""
    torch.manual_seed(3)
    trunk = nn.Sequential(nn.Conv2d(3, WIDTH, 3, stride=2), nn.ReLU()).eval()
    bias = torch.randn(2, DIM) if domains else torch.randn(DIM)
    head = Head.of(torch.randn(DIM, WIDTH), bias, norm_features=False, output=output, root=root)
    plain = {"backbone": "timm/tiny", "pooling": "gem", "gem_p": 3.0, "norm_features": False, "embedding_dim": DIM}
    seen = {"image_size": SIDE, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4), "interpolation": "bilinear"}
    made = ModelParams(**plain | seen | {"crop_from": "whole"} | params)
    return Embedder(Backbone(trunk, WIDTH), build_pooling(made.pooling, 3.0), head, made).eval()


def tiny(**options) -> Chosen:
    """It as a model that was chosen."""
    return Chosen("control", tiny_network(**options), ())
