"""Trunks that end at an earlier feature map than their last one."""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.models.backbones import check_name
from pipeline.models.inputs import OwnInput, own_input_of
from pipeline.models.trunks import map_of, timm_trunk, torchvision_network
from pipeline.models.weights import is_local, load_into, read_weights


class Cut(NamedTuple):
    """`module`: images (B, 3, S, S) -> maps (B, `width`, h, w)."""

    module: nn.Module
    width: int
    own: OwnInput


class NamedLayer(nn.Module):
    """A network of torchvision up to the layer of that name."""

    def __init__(self, model: nn.Module, layer: str) -> None:
        super().__init__()
        from torchvision.models.feature_extraction import create_feature_extractor

        with warnings.catch_warnings(action="ignore"):  # of layers that only training has
            self.model = create_feature_extractor(model, {layer: "map"})

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images)["map"]


class NumberedMap(nn.Module):
    """A network of timm up to its feature map of that index, the one that `features_only=True` gives."""

    def __init__(self, model: nn.Module, index: int) -> None:
        super().__init__()
        self.indices = model.prune_intermediate_layers([index], prune_norm=True, prune_head=True)
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model.forward_intermediates(images, indices=self.indices, intermediates_only=True)[0]


def cut_trunk(
    name: str, layer: str | int, *, weights: str | None, image_size: int | None, param: str, fetch: bool = True
) -> Cut:
    """The trunk `name` up to `layer`: a name in a network of torchvision, an index of the maps of one of timm.

    `weights`, `image_size`, `fetch`: as of `build_backbone`. `param` names `layer` in errors. Raises UserError for what
    `build_backbone` refuses, for a layer that the trunk lacks, and one whose output is no map of several positions.
    """
    check_name(name)
    family, _, model = name.partition("/")
    if isinstance(layer, str) != (family == "torchvision"):
        wanted = "a layer's name, as layer3" if family == "torchvision" else "the index of a feature map, as 3"
        raise UserError(f"{param}: {layer!r} does not cut {name}; set {wanted}")
    given = read_weights(weights, name) if is_local(weights) else None
    tag = None if given else weights
    if family == "torchvision":
        network, own, _ = torchvision_network(model, tag, given, fetch=fetch)
    else:
        network, own = timm_trunk(model, tag, given, "avg", image_size, fetch=fetch)
    if given is not None and given.cut:
        # The folder of a model of torchvision stores a part of it, whose modules are those of the whole.
        part = family == "torchvision" and given.settings["pooling"] not in ("native", "token")
        load_into(map_of(network, model) if part else network, given, (), name)
        own = own_input_of(given.settings)
    try:
        trunk = NamedLayer(network, layer) if family == "torchvision" else NumberedMap(network, layer)
    except (ValueError, AttributeError, AssertionError, IndexError) as error:
        raise UserError(f"{param}: {name} has no feature map {layer!r}; known: {_known(network, family)}") from error
    return Cut(trunk, _width(trunk, name, layer, image_size or own.size, param), own)


def _known(network: nn.Module, family: str) -> str:
    if family == "torchvision":
        return ", ".join(name for name, _ in network.named_children())
    if not hasattr(network, "forward_intermediates"):
        return "none"
    return ", ".join(str(index) for index in range(len(network.feature_info)))


@torch.no_grad()
def _width(trunk: nn.Module, name: str, layer: str | int, size: int, param: str) -> int:
    was_training = trunk.training
    try:
        shape = trunk.eval()(torch.zeros(1, 3, size, size)).shape
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{param}: {name} up to {layer} cannot take pictures of {size} px ({reason})") from error
    trunk.train(was_training)
    if len(shape) != 4 or shape[2] * shape[3] < 2:
        raise UserError(
            f"{param}: {layer} of {name} gives no map of several places at {size} px, but {tuple(shape[1:])}; "
            "set an earlier one, or larger pictures"
        )
    return shape[1]
