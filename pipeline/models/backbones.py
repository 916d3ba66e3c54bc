"""Convolutional and transformer trunks from torchvision and timm, by name, as feature maps."""

from difflib import get_close_matches

import torch
from torch import Tensor, nn

from pipeline.base.errors import UserError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PARAM = "finetune.model.backbone"


class Backbone(nn.Module):
    """A trunk whose output is a feature map (B, `channels`, H, W); `mean`, `std` are those of its input."""

    def __init__(self, trunk: nn.Module, channels: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.trunk, self.channels, self.mean, self.std = trunk, channels, mean, std

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, S, S) -> feature map (B, C, H, W); tokens become a map of width 1."""
        features = self.trunk(images)
        if features.ndim == 3:  # (B, T, C), class tokens first
            skip = getattr(self.trunk, "num_prefix_tokens", 0)
            return features[:, skip:].transpose(1, 2).unsqueeze(-1)
        if features.shape[1] != self.channels:  # (B, H, W, C)
            return features.permute(0, 3, 1, 2)
        return features


def backbone_names() -> list[str]:
    """All accepted names: `torchvision/<name>`, `timm/<name>`, and `timm/<name>.<tag>` for certain weights."""
    import timm
    import torchvision

    ours = [f"torchvision/{name}" for name in torchvision.models.list_models(module=torchvision.models)]
    return ours + [f"timm/{name}" for name in [*timm.list_models(), *timm.list_pretrained()]]


def build_backbone(name: str, *, pretrained: bool, image_size: int) -> Backbone:
    """The trunk `name`, randomly initialised from torch's global generator or with published weights.

    Raises UserError for an unknown name (with close matches), for weights that cannot be fetched, and for a trunk
    that cannot take pictures of `image_size` pixels.
    """
    family, _, model = name.partition("/")
    if name not in (known := backbone_names()):
        close = get_close_matches(name, known, n=6, cutoff=0.5) or ["torchvision/resnet18", "timm/resnet10t"]
        raise UserError(
            f"{PARAM}: unknown backbone {name!r}; known: {', '.join(close)} and {len(known) - len(close)} more: "
            "`python -m stages.finetune --list-backbones`"
        )
    try:
        if family == "torchvision":
            trunk, mean, std = _torchvision(model, pretrained)
        else:
            trunk, mean, std = _timm(model, pretrained, image_size)
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"{PARAM}: no pretrained weights for {name!r} ({reason}); connect to the network or set "
            "finetune.model.pretrained: false"
        ) from error
    return Backbone(trunk, _channels(trunk, name, image_size), mean, std)


def _torchvision(name: str, pretrained: bool) -> tuple[nn.Module, tuple, tuple]:
    import torchvision

    model = torchvision.models.get_model(name, weights="DEFAULT" if pretrained else None)
    if hasattr(model, "features"):  # convnext, densenet, efficientnet, mobilenet, swin, vgg, ...
        return model.features, IMAGENET_MEAN, IMAGENET_STD
    if not (hasattr(model, "layer4") or hasattr(model, "trunk_output")):  # resnets and regnets are chains
        raise UserError(f"{PARAM}: torchvision/{name} has no feature map to pool; see `timm` for a model of its kind")
    kept = [child for child_name, child in model.named_children() if child_name not in ("avgpool", "fc")]
    return nn.Sequential(*kept), IMAGENET_MEAN, IMAGENET_STD


def _timm(name: str, pretrained: bool, image_size: int) -> tuple[nn.Module, tuple, tuple]:
    import timm

    options = {"pretrained": pretrained, "num_classes": 0, "global_pool": ""}
    try:
        model = timm.create_model(name, img_size=image_size, **options)
    except TypeError:  # convolutional networks take any size and know no img_size
        model = timm.create_model(name, **options)
    return model, tuple(model.pretrained_cfg["mean"]), tuple(model.pretrained_cfg["std"])


@torch.no_grad()
def _channels(trunk: nn.Module, name: str, image_size: int) -> int:
    was_training = trunk.training
    trunk.eval()
    try:
        shape = trunk(torch.zeros(1, 3, image_size, image_size)).shape
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{PARAM}: {name} cannot take pictures of {image_size} px ({reason})") from error
    trunk.train(was_training)
    if len(shape) == 3:
        return shape[-1]
    known = getattr(trunk, "num_features", None)
    # Some trunks put the channels last; there are more of them than positions.
    return known if known in (shape[1], shape[-1]) else max(shape[1], shape[-1])
