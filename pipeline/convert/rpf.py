"""Published checkpoints of RPF, of its first stage or its second, as networks of attributes of this project.

They are files of torch.save that hold `model`, the weights by names that begin with `choices.`: of the region branch
`choices.global`, of the patch branch `choices.local`. Widths and depths follow from the weights, the names of the
attributes, the share `beta` and the sizes of pictures are not in them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.base.atomic import replacing
from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.convert.state import Converted, check_values, compare
from pipeline.models.attributes.build import build_attribute_network
from pipeline.models.attributes.network import AttributeNetwork
from pipeline.models.attributes.settings import AttributeModelParams
from pipeline.models.backbones import backbone_names
from pipeline.models.inputs import IMAGENET_MEAN, IMAGENET_STD
from pipeline.models.kinds import save_embedder
from pipeline.params.finetune import ModelParams

MARK = "choices."
IMAGE_SIZE, CANVAS, THRESHOLD = 224, 448, 0.1  # pixels of the global view; of the square that crops are cut from
BETA = 0.4  # the default of the published code
TABLE, TRUNK, ATTENTION = (f"choices.global.{part}" for part in ("attrnet.attr_embedding.", "basenet.", "attnnet."))
LOCAL = "choices.local.basenet."
CROSS = f"{LOCAL}crossencoder."
RESNETS = {(False, 2): 18, (False, 6): 34, (True, 6): 50, (True, 23): 101, (True, 36): 152}  # bottleneck, layer3
VITS = {192: "tiny", 384: "small", 768: "base", 1024: "large"}  # by width

MEND = "get it again"
COUNTS = "num_batches_tracked"

# Parts of our names and theirs, the first that fits.
NAMES = {
    "table.": TABLE,
    "first.trunk.model.": TRUNK,
    "first.attention.attention.query.": f"{ATTENTION}attr_transform1.",
    "first.attention.attention.key.": f"{ATTENTION}conv.",
    "first.attention.foreground.": f"{ATTENTION}feature_fc.",
    "first.attention.norm_map.": f"{ATTENTION}x_layer_norm.",
    "first.attention.norm_attribute.": f"{ATTENTION}a_layer_norm.",
    "first.attention.norm.": f"{ATTENTION}mlp_layer_norm.",
    "first.attention.mlp.0.": f"{ATTENTION}mlp.fc1.",
    "first.attention.mlp.3.": f"{ATTENTION}mlp.fc2.",
    "second.types": f"{LOCAL}type_embed",
    "second.to_query.": f"{LOCAL}attr2query.",
    "second.norm.": f"{LOCAL}norm.",
    "second.vit.cls_token": f"{LOCAL}embeddings.cls_token",
    "second.vit.pos_embed": f"{LOCAL}embeddings.position_embeddings",
    "second.vit.patch_embed.proj.": f"{LOCAL}embeddings.patch_embeddings.",
    "second.vit.blocks.": f"{LOCAL}encoder.layer.",
    "second.norm_tokens.": f"{CROSS}cross_attention_norm.",
    "second.cross.": f"{CROSS}cross_attn.",
    "second.widen.": f"{CROSS}fc.",
    "second.norm_mlp.": f"{CROSS}ffn_norm.",
    "second.mlp.0.": f"{CROSS}ffn.fc1.",
    "second.mlp.3.": f"{CROSS}ffn.fc2.",
}
IN_BLOCKS = {".norm1.": ".attention_norm.", ".norm2.": ".ffn_norm.", ".mlp.": ".ffn.", ".attn.proj.": ".attn.out."}
QKV = ("query", "key", "value")  # one layer in timm


def is_of_rpf(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names of `weights` are those of RPF."""
    return any(name.startswith(MARK) for name in weights)


def convert(
    checkpoint: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    path: Path,
    out: Path,
    *,
    attributes: Sequence[str] | None = None,
    beta: float | None = None,
) -> Converted:
    """Write the `weights` of the loaded `checkpoint` to the new folder `out`; `path` names it in errors.

    `attributes`: their names in the order of the table; None: attribute_0, attribute_1, ... `beta`: share of the region
    branch, None: 0.4. Raises UserError for other names or another number of them than the network has, for a share
    where there is no other branch, for wrong shapes, and for a trunk that is not known.
    """
    known = len(_weight(weights, f"{TABLE}weight", path))
    names = [f"attribute_{i}" for i in range(known)] if attributes is None else list(attributes)
    if len(names) != known or len(set(names)) != known:
        raise UserError(f"{path}: it knows {known} attributes; give --attributes as many different names")
    network = _network(weights, path, BETA if beta is None else beta, names)
    if beta is not None and network.own.patch is None:
        raise UserError(f"{path}: of the first stage, whose one branch shares with no other; leave --beta out")
    expected = network.state_dict()
    theirs = by_their_names(expected)
    # Written before torch counted batches; the counts have no part in features.
    weights = {name: theirs[name] for name in theirs if name.endswith(COUNTS)} | dict(weights)
    compare(weights, theirs, path, MEND)
    check_values(weights, path)
    with replacing(out) as folder:
        save_embedder(folder, network, _by_our_names(weights, expected))
    ignored = [str(name) for name in checkpoint if checkpoint[name] is not None and name in ("epoch", "mAP")]
    return Converted(_described(network), ignored)


def by_their_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state of ours as they have it: the same values, in their shapes. The head has no place there."""
    found = {}
    for name, values in state.items():
        if (theirs := _their_names(name)) is not None:
            found |= dict(zip(theirs, _in_their_shape(values, theirs), strict=True))
    return found


def _by_our_names(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    state = {}
    for name, values in expected.items():
        parts = [weights[one] for one in _their_names(name) or ()] or [values]
        rows = parts[0] if len(parts) == 1 else torch.cat(parts)
        state[name] = rows.reshape(values.shape).to(values.dtype)
    return state


def _their_names(name: str) -> list[str] | None:
    """What they call a tensor of ours, or its parts; None: it is the head's, which they have not."""
    ours = next((ours for ours in NAMES if name.startswith(ours)), None)
    if ours is None:
        return None
    theirs = NAMES[ours] + name.removeprefix(ours)
    if not name.startswith("second.vit.blocks."):
        return [theirs]
    for part, called in IN_BLOCKS.items():
        theirs = theirs.replace(part, called)
    return [theirs.replace(".qkv.", f".{part}.") for part in QKV] if ".qkv." in theirs else [theirs]


def _in_their_shape(values: Tensor, theirs: list[str]) -> Sequence[Tensor]:
    if theirs == [f"{ATTENTION}conv.weight"]:
        return [values[..., None, None]]
    if theirs == [f"{LOCAL}type_embed"]:
        return [values.unsqueeze(0)]
    return [values] if len(theirs) == 1 else values.chunk(len(theirs))


def _network(weights: Mapping[str, Tensor], path: Path, beta: float, attributes: list[str]) -> AttributeNetwork:
    """The network that such weights are of, by their shapes; its own are random."""
    width, table_dim = len(_weight(weights, f"{ATTENTION}feature_fc.weight", path)), weights[f"{TABLE}weight"].shape[1]
    settings = {
        "canvas": CANVAS,
        "threshold": THRESHOLD,
        "table_dim": table_dim,
        "common_dim": len(_weight(weights, f"{ATTENTION}attr_transform1.weight", path)),
        "reduction": width // len(_weight(weights, f"{ATTENTION}mlp.fc1.weight", path)),
        "embedding_dim": width,
        "beta": beta,
    }
    if any(name.startswith(LOCAL) for name in weights):
        settings["patch"] = _patch(weights, path)
    model = ModelParams(
        backbone=_resnet(weights, path),
        pooling="avg",
        gem_p=3.0,
        norm_features=False,
        embedding_dim=None,
        image_size=IMAGE_SIZE,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        interpolation="bilinear",
    )
    try:
        return build_attribute_network(model, parse_section(settings, "settings", AttributeModelParams), attributes)
    except UserError as error:
        raise UserError(f"{path}: its weights are of no RPF that can be built ({error}); {MEND}") from error


def _resnet(weights: Mapping[str, Tensor], path: Path) -> str:
    stage = f"{TRUNK}layer3."
    blocks = {name.removeprefix(stage).partition(".")[0] for name in weights if name.startswith(stage)}
    depth = RESNETS.get((f"{stage}0.conv3.weight" in weights, len(blocks)))
    if depth is None:
        raise UserError(
            f"{path}: a trunk of {len(blocks)} blocks in layer3, which no ResNet of torchvision has; {MEND}"
        )
    return f"torchvision/resnet{depth}"


def _patch(weights: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
    kernel = _weight(weights, f"{LOCAL}embeddings.patch_embeddings.weight", path)
    places = _weight(weights, f"{LOCAL}embeddings.position_embeddings", path).shape[-2] - 1  # but the class token's
    name = f"timm/vit_{VITS.get(len(kernel), 'of_unknown_width')}_patch{kernel.shape[-1]}_224"
    if name not in backbone_names():
        raise UserError(
            f"{path}: a ViT of width {len(kernel)} and patches of {kernel.shape[-1]} px, which timm lacks; {MEND}"
        )
    return {"backbone": name, "image_size": round(places**0.5) * kernel.shape[-1]}


def _weight(weights: Mapping[str, Tensor], name: str, path: Path) -> Tensor:
    if name not in weights or weights[name].ndim < 2 or not weights[name].numel():
        raise UserError(f"{path}: weights missing: {name}; {MEND}")
    return weights[name]


def _described(network: AttributeNetwork) -> str:
    second = network.own.patch
    trunks = network.params.backbone + ("" if second is None else f" and {second.backbone}")
    told = "" if second is None else f", beta {network.own.beta:g}"
    return f"{trunks}, {len(network.attributes)} attributes, branches {', '.join(network.branches)}{told}"
