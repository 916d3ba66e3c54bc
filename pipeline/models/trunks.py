"""Networks of timm and torchvision without their classifiers, as published or with weights of this machine."""

import logging
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import nn

from pipeline.base.errors import UserError
from pipeline.models.inputs import OwnInput, own_input_timm, own_input_torchvision
from pipeline.models.weights import PARAM as WEIGHTS
from pipeline.models.weights import Weights, load_into

BACKBONE, POOLING = "finetune.model.backbone", "finetune.model.pooling"
# Those of torchvision whose auxiliary classifiers published weights take away, so that they are two networks.
WITH_AUXILIARY = ("googlenet", "inception_v3")
AS_PUBLISHED = ("map", "native")  # poolings for which the network is kept up to its classifier


class Trunk(NamedTuple):
    """`module`: images to a map or to tokens; with a pooling of AS_PUBLISHED, to what the classifier is given."""

    module: nn.Module
    own: OwnInput


class Whole(NamedTuple):
    """A network with all its layers; `classifier`: the name of its last linear layer, if it has one."""

    module: nn.Module
    own: OwnInput
    classifier: list[str]


def timm_trunk(
    name: str, tag: str | None, weights: Weights | None, pooling: str, image_size: int | None, *, fetch: bool = True
) -> Trunk:
    """`name` of timm (with its own tag, perhaps), with published weights (`tag`: default or one of timm's), or these.

    `fetch` false: published weights are left out. Raises UserError for weights that there are not, cannot be fetched or
    do not fit, and for a pooling that it lacks.
    """
    import timm

    name = _tagged(name, tag)
    options = {"pretrained": fetch and tag is not None, "num_classes": 0}
    sized = {} if image_size is None else {"img_size": image_size}
    with _fetching(f"timm/{name}", tag):
        try:
            model = timm.create_model(name, **sized, **options)
        except TypeError:  # convolutional networks take any size and know no img_size
            model = timm.create_model(name, **options)
    if weights is not None and not weights.cut:
        _load_timm(model, weights, f"timm/{name}")
    if pooling == "map" and not _has_attention_pooling(model):
        raise UserError(
            f"{POOLING}: map needs attention pooling of the trunk's own, as in timm/vit_base_patch16_siglip_224, and "
            f"timm/{name} has none; set native"
        )
    if pooling == "token" and getattr(model, "cls_token", None) is None:
        raise _no_token(f"timm/{name}")
    if pooling not in AS_PUBLISHED:
        try:
            model.reset_classifier(0, "")
        except (AssertionError, TypeError) as error:
            raise UserError(f"{POOLING}: timm/{name} pools by itself alone ({error}); set native") from error
    return Trunk(model, own_input_timm(model))


def torchvision_trunk(
    name: str, tag: str | None, weights: Weights | None, pooling: str, *, fetch: bool = True
) -> Trunk:
    """`name` of torchvision; see `timm_trunk`."""
    model, own, classifier = torchvision_network(name, tag, weights, fetch=fetch)
    if pooling == "map":
        raise UserError(f"{POOLING}: map needs attention pooling, which no network of torchvision has; set native")
    if pooling == "token" and not hasattr(model, "class_token"):
        raise _no_token(f"torchvision/{name}")
    if pooling in ("native", "token"):
        if not classifier or name in WITH_AUXILIARY:
            raise UserError(
                f"{POOLING}: {pooling} needs one linear classifier, and torchvision/{name} has none; set avg"
            )
        return Trunk(_without(model, classifier), own)
    return Trunk(map_of(model, name), own)


def torchvision_network(name: str, tag: str | None, weights: Weights | None, *, fetch: bool = True) -> Whole:
    """`name` of torchvision as a whole, without its classifier where `weights` are given; see `timm_trunk`."""
    import torchvision

    known = torchvision.models.get_model_weights(name)
    if tag is not None and tag != "default" and tag not in known.__members__:
        raise _unknown_tag(f"torchvision/{name}", tag, list(known.__members__))
    chosen = None if tag is None else known.DEFAULT.name if tag == "default" else tag
    with _fetching(f"torchvision/{name}", tag):
        model = torchvision.models.get_model(name, weights=chosen if fetch else None)
    classifier = [child for child, module in model.named_modules() if isinstance(module, nn.Linear)][-1:]
    if weights is not None:
        _without(model, classifier)
        if not weights.cut:
            load_into(model, weights, classifier, f"torchvision/{name}")
    return Whole(model, own_input_torchvision(name, chosen or known.DEFAULT.name), classifier)


def map_of(model: nn.Module, name: str) -> nn.Module:
    """The part of a network of torchvision that makes its last feature map, of the same modules."""
    if hasattr(model, "features"):  # convnext, densenet, efficientnet, mobilenet, swin, vgg, ...
        # What two of them apply to it in their own `forward`.
        after = [("relu", nn.ReLU())] if name.startswith("densenet") else []
        after += [("norm", model.norm)] if hasattr(model, "norm") else []
        return nn.Sequential(OrderedDict([*model.features.named_children(), *after])) if after else model.features
    if not (hasattr(model, "layer4") or hasattr(model, "trunk_output")):  # resnets and regnets are chains
        raise UserError(
            f"{BACKBONE}: torchvision/{name} has no feature map to pool; set {POOLING}: native, or see timm for a "
            "model of its kind"
        )
    return nn.Sequential(*(child for part, child in model.named_children() if part not in ("avgpool", "fc")))


def _without(model: nn.Module, classifier: list[str]) -> nn.Module:
    for name in classifier:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, nn.Identity())
    return model


def _load_timm(model: nn.Module, weights: Weights, name: str) -> None:
    """Load what timm itself could have saved or fetched: its own filter renames and resizes (position embeddings)."""
    classifier = model.pretrained_cfg.get("classifier") or ()
    classifier = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    adapt: Callable | None = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if adapt is not None and not weights.ordered:
        # Tensors of another network may break it; which do not fit is told below.
        with suppress(KeyError, RuntimeError, IndexError, AttributeError, ValueError):
            weights = replace(weights, tensors=adapt(dict(weights.tensors), model))
    load_into(model, weights, classifier, name, _head_of_timm(model, weights))


def _head_of_timm(model: nn.Module, weights: Weights) -> set[str]:
    """Names of tensors that the network has with its classifier alone, where the weights have more than `model`."""
    import timm

    if weights.ordered or set(weights.tensors) <= (own := set(model.state_dict())):
        return set()
    try:
        with torch.device("meta"):
            whole = timm.create_model(model.pretrained_cfg["architecture"])
    except (KeyError, RuntimeError, NotImplementedError):  # what does not fit is told
        return set()
    return set(whole.state_dict()) - own


def _has_attention_pooling(model: nn.Module) -> bool:
    from timm.layers import AttentionPool2d, AttentionPoolLatent, RotAttentionPool2d

    return any(isinstance(part, AttentionPool2d | AttentionPoolLatent | RotAttentionPool2d) for part in model.modules())


def _tagged(name: str, tag: str | None) -> str:
    """The name that timm creates; raises UserError where it has no such weights."""
    import timm

    architecture, _, own = name.partition(".")
    known = [full.partition(".")[2] for full in timm.list_pretrained(f"{architecture}.*")]
    if tag is None:
        return name
    if tag == "default" and known:
        return name
    if tag not in known or (own and own != tag):
        raise _unknown_tag(f"timm/{name}", tag, [own] if own else known)
    return f"{architecture}.{tag}"


def _unknown_tag(name: str, tag: str, known: list[str]) -> UserError:
    there = f"default, {', '.join(known)}" if known else "none"
    return UserError(
        f"{WEIGHTS}: {name} has no published weights {tag!r}; known: {there}; or a file (*.safetensors, *.pth), the "
        "folder of a model (with a / in it), package:<name>, null"
    )


def _no_token(name: str) -> UserError:
    return UserError(f"{POOLING}: token needs a class token, and {name} has none; set native or avg")


@contextmanager
def _fetching(name: str, tag: str | None) -> Iterator[None]:
    """Errors of a download as one line; the library of the model hub tells of each of its attempts otherwise."""
    hub = logging.getLogger("huggingface_hub")
    before = hub.level
    hub.setLevel(logging.CRITICAL)
    try:
        yield
    except (OSError, RuntimeError) as error:
        if tag is None:
            raise
        reason = str(error).strip().splitlines()[0].partition(". ")[0]
        raise UserError(
            f"{WEIGHTS}: no published weights for {name} ({reason}); connect to the network, name a file or a package "
            "that has them, or set null"
        ) from error
    finally:
        hub.setLevel(before)
