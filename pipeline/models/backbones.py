"""Convolutional and transformer trunks from torchvision and timm, by name, as feature maps or pooled as published."""

from difflib import get_close_matches

import torch
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.models.inputs import OwnInput, own_input_of
from pipeline.models.trunks import AS_PUBLISHED, BACKBONE, timm_trunk, torchvision_trunk
from pipeline.models.weights import is_local, load_into, read_weights


class Backbone(nn.Module):
    """A trunk and how its output is read; `own` is the input that it was published with.

    `pooling` token: the class token (B, `width`); map, native: what the trunk's classifier would be given
    (B, `width`); any other: a feature map (B, `width`, H, W) to be pooled.
    """

    def __init__(self, trunk: nn.Module, width: int, own: OwnInput | None = None, pooling: str = "avg") -> None:
        super().__init__()
        self.trunk, self.width, self.own, self.pooling = trunk, width, own or OwnInput(), pooling

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, S, S) -> map (B, C, H, W), tokens as one of width 1; or pooled features (B, P)."""
        features = self.trunk(images)
        if self.pooling in AS_PUBLISHED:
            return features
        if self.pooling == "token":
            return features[:, 0] if features.ndim == 3 else features  # torchvision's networks read it themselves
        if features.ndim == 3:  # (B, T, C), class tokens first
            alone = int(getattr(self.trunk, "cls_token", None) is not None)  # of those that do not say how many (volo)
            skip = getattr(self.trunk, "num_prefix_tokens", alone)
            return features[:, skip:].transpose(1, 2).unsqueeze(-1)
        if features.shape[1] != self.width:  # (B, H, W, C)
            return features.permute(0, 3, 1, 2)
        return features


def backbone_names() -> list[str]:
    """All accepted names: `torchvision/<name>`, `timm/<name>`, and `timm/<name>.<tag>` for certain weights."""
    import timm
    import torchvision

    ours = [f"torchvision/{name}" for name in torchvision.models.list_models(module=torchvision.models)]
    return ours + [f"timm/{name}" for name in [*timm.list_models(), *timm.list_pretrained()]]


def check_name(name: str) -> None:
    """Raise UserError for an unknown backbone, with close matches."""
    if name not in (known := backbone_names()):
        close = get_close_matches(name, known, n=6, cutoff=0.5) or ["torchvision/resnet18", "timm/resnet10t"]
        raise UserError(
            f"{BACKBONE}: unknown backbone {name!r}; known: {', '.join(close)} and {len(known) - len(close)} more: "
            "`python -m stages.finetune --list-backbones`"
        )


def build_backbone(
    name: str,
    *,
    weights: str | None = None,
    pooling: str = "avg",
    image_size: int | None = None,
    fetch: bool = True,
) -> Backbone:
    """The trunk `name`, randomly initialised from torch's global generator or with the `weights` that the param names.

    `fetch` false: published weights are not loaded, only their name is checked.
    Raises UserError for an unknown name (with close matches), for weights that there are not or that do not fit, for
    a pooling that the trunk lacks, and for a trunk that cannot take pictures of `image_size` pixels (null: its own).
    """
    family, _, model = name.partition("/")
    check_name(name)
    given = read_weights(weights, name) if is_local(weights) else None
    tag = None if given else weights
    if given is not None and given.settings is not None:
        image_size = image_size or given.settings["image_size"]
    if family == "torchvision":
        trunk, own = torchvision_trunk(model, tag, given, pooling, fetch=fetch)
    else:
        trunk, own = timm_trunk(model, tag, given, pooling, image_size, fetch=fetch)
    if given is not None and given.cut:
        load_into(trunk, given, (), name)
        own = own_input_of(given.settings)
    return Backbone(trunk, _width(trunk, name, image_size or own.size, pooling), own, pooling)


@torch.no_grad()
def _width(trunk: nn.Module, name: str, image_size: int, pooling: str) -> int:
    was_training = trunk.training
    trunk.eval()
    try:
        shape = trunk(torch.zeros(1, 3, image_size, image_size)).shape
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{BACKBONE}: {name} cannot take pictures of {image_size} px ({reason})") from error
    trunk.train(was_training)
    if (pooling in AS_PUBLISHED and len(shape) != 2) or (pooling == "token" and len(shape) == 4):
        raise UserError(f"finetune.model.pooling: {pooling} of {name} is no vector, but {tuple(shape)}; set avg")
    if len(shape) in (2, 3):
        return shape[-1]
    known = getattr(trunk, "num_features", None)
    # Some trunks put the channels last; there are more of them than positions.
    return known if known in (shape[1], shape[-1]) else max(shape[1], shape[-1])
