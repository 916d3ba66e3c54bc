"""Networks of attributes from their settings."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from torch import nn

from pipeline.base.errors import UserError
from pipeline.models.attributes.asen import AsenAttention
from pipeline.models.attributes.attention import RegionAttention
from pipeline.models.attributes.cut import Cut, cut_trunk
from pipeline.models.attributes.network import AttributeNetwork, Crop, MapBranch
from pipeline.models.attributes.patch import PatchBranch
from pipeline.models.attributes.settings import PARAM, AttributeModelParams, Layer, LocalParams, PatchParams
from pipeline.models.attributes.vit import build_vit
from pipeline.models.headed import planned
from pipeline.models.inputs import with_own_input
from pipeline.params.finetune import ModelParams

MODEL = "finetune.model"


def build_attribute_network(
    model: ModelParams, own: AttributeModelParams, attributes: Sequence[str], *, fetch: bool = True
) -> AttributeNetwork:
    """A new network for these attributes; random weights come from torch's global generator.

    `model` describes the region trunk and the pictures; its pooling, crop and head are not read. `fetch` false: without
    published weights. Raises UserError for a trunk, weights, a layer or sizes that cannot be had.
    """
    if not attributes:
        raise UserError("data.sets: no attributes of pictures are known; choose sets that have some")
    if model.frozen:
        raise UserError(f"{MODEL}.frozen: true, but a network of attributes trains its trunk; set it to false")
    trunk = _cut(model, own.layer, PARAM, fetch=fetch)
    params, own = _pictures(model, own, trunk)
    first = MapBranch(trunk.module, _attention(own, trunk.width))
    second, crop = None, None
    if own.second is not None:
        part = "patch" if own.family == "rpf" else "local"
        with _told_as(f"{PARAM}.{part}"):
            second, crop = (_patch if own.family == "rpf" else _local)(own.second, own, params, fetch=fetch)
        seen = {"image_size": crop.size} | ({"mean": crop.mean, "std": crop.std} if part == "patch" else {})
        own = own.model_copy(update={part: own.second.model_copy(update=seen)})
    widths = [own.embedding_dim] * (1 if second is None else 2)
    if model.embedding_dim not in (None, sum(widths)):
        raise UserError(f"{MODEL}.embedding_dim: {model.embedding_dim}, where the branches give {widths}; set null")
    return AttributeNetwork(first, second, crop, params=params, own=own, attributes=attributes)


@cache
def plan_attribute_network(
    model: ModelParams, own: AttributeModelParams, attributes: tuple[str, ...]
) -> AttributeNetwork:
    """The same network `planned`. Nothing is fetched; those of many settings are made once."""
    return planned(partial(build_attribute_network, model, own, attributes, fetch=False))


def restore_attribute_network(settings: Mapping[str, Any]) -> AttributeNetwork:
    """The network of such `settings`, which needs no published weights."""
    plain = dict(settings)
    own = AttributeModelParams.model_validate(plain.pop("network"))
    attributes = plain.pop("attributes")
    params = ModelParams.model_validate(plain)
    parts = {
        part: branch.model_copy(update={"weights": None})
        for part in ("patch", "local")
        if (branch := getattr(own, part)) is not None
    }
    network = build_attribute_network(
        params.model_copy(update={"weights": None}), own.model_copy(update=parts), attributes
    )
    network.params, network.own = params, own
    return network


def _pictures(model: ModelParams, own: AttributeModelParams, trunk: Cut) -> tuple[ModelParams, AttributeModelParams]:
    """Both with a value in place of each null, but for the second branch's."""
    size = model.image_size or trunk.own.size
    if own.canvas < size:
        raise UserError(f"{PARAM}.canvas: {own.canvas} is less than {MODEL}.image_size ({size}); raise it")
    plain = {"crop_from": own.canvas, "norm_features": False, "output": "none"}
    width = own.embedding_dim or trunk.width
    if own.family == "rpf" and width != trunk.width:
        raise UserError(
            f"{PARAM}.embedding_dim: {width}, but the map of {model.backbone} at {own.layer} is {trunk.width} wide "
            "(and so is the background); set null"
        )
    own = own.model_copy(update={"embedding_dim": width})
    return with_own_input(model.model_copy(update=plain), trunk.own), own


def _cut(trunk: ModelParams | LocalParams, layer: Layer, section: str, *, fetch: bool) -> Cut:
    sizes = {"weights": trunk.weights, "image_size": trunk.image_size}
    return cut_trunk(trunk.backbone, layer, **sizes, param=f"{section}.layer", fetch=fetch)


def _attention(own: AttributeModelParams, channels: int, common_dim: int | None = None) -> nn.Module:
    sizes = (channels, own.table_dim, common_dim or own.common_dim)
    if own.family == "rpf":
        return RegionAttention(*sizes, reduction=own.reduction, dropout=own.dropout)
    return AsenAttention(*sizes, reduction=own.reduction, embedding_dim=own.embedding_dim)


def _patch(
    patch: PatchParams, own: AttributeModelParams, params: ModelParams, *, fetch: bool
) -> tuple[PatchBranch, Crop]:
    vit, heads, trained = build_vit(patch, fetch=fetch)
    scaled = trained if patch.own_input else params
    crop = Crop(trained.size, patch.mean or scaled.mean, patch.std or scaled.std)
    head = {"heads": heads, "reduction": own.reduction, "dropout": own.dropout}
    return PatchBranch(vit, own.table_dim, own.embedding_dim, **head), crop


def _local(
    local: LocalParams, own: AttributeModelParams, params: ModelParams, *, fetch: bool
) -> tuple[MapBranch, Crop]:
    trunk = _cut(local, local.layer, f"{PARAM}.local", fetch=fetch)
    attention = _attention(own, trunk.width, local.common_dim)
    return MapBranch(trunk.module, attention), Crop(local.image_size, params.mean, params.std)


@contextmanager
def _told_as(section: str) -> Iterator[None]:
    """Errors in terms of `finetune.model`, in those of the section of params.yaml that it is about."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace(f"{MODEL}.", f"{section}.")) from error
