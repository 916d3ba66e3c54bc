"""Networks of attributes that are built in a second."""

import torch

from pipeline.images.loading import Conditioned
from pipeline.models.attributes.build import build_attribute_network
from pipeline.models.attributes.network import AttributeNetwork
from pipeline.models.attributes.settings import AttributeModelParams, LocalParams, PatchParams
from pipeline.params.finetune import ModelParams

ATTRIBUTES = ("neckline", "sleeve", "length")
CANVAS = 64
PATCH = PatchParams(backbone="timm/vit_tiny_patch16_224", image_size=32)
LOCAL = LocalParams(backbone="torchvision/resnet18", image_size=48, common_dim=8)


def region_params(**changes) -> ModelParams:
    """The region trunk, and pictures of 48 pixels."""
    plain = {"backbone": "torchvision/resnet18", "pooling": "avg", "gem_p": 3.0, "norm_features": False}
    return ModelParams(**plain | {"embedding_dim": None, "image_size": 48} | changes)


def network_params(**changes) -> AttributeModelParams:
    """Of an RPF without its patch branch."""
    small = {"canvas": CANVAS, "table_dim": 12, "common_dim": 16, "embedding_dim": None}
    return AttributeModelParams(**small | changes)


def attribute_network(model: ModelParams | None = None, **changes) -> AttributeNetwork:
    """Always the same one of such params, in eval mode."""
    torch.manual_seed(0)
    return build_attribute_network(model or region_params(), network_params(**changes), ATTRIBUTES).eval()


def asked(n: int = 4, seed: int = 1) -> Conditioned:
    """Pictures (n, 3, CANVAS, CANVAS), and attributes."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, 3, CANVAS, CANVAS, generator=generator)
    return Conditioned(images, torch.arange(n) % len(ATTRIBUTES))
