"""Vision transformers of timm, as the patch branch takes them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import nn

from pipeline.base.errors import UserError
from pipeline.base.opening import opening
from pipeline.models.attributes.patch import prepare_vit
from pipeline.models.attributes.settings import PatchParams
from pipeline.models.backbones import check_name
from pipeline.models.inputs import OwnInput, own_input_of
from pipeline.models.trunks import BACKBONE, timm_trunk
from pipeline.models.weights import PARAM as WEIGHTS
from pipeline.models.weights import is_local, load_into, read_weights

IMAGE_SIZE = "finetune.model.image_size"
PUBLISHED = ".npz"  # as Google's own ViTs were


class Vit(NamedTuple):
    """`module`: a VisionTransformer without its last norm; `heads`: of its attention."""

    module: nn.Module
    heads: int
    own: OwnInput


def build_vit(params: PatchParams, *, fetch: bool = True) -> Vit:
    """The ViT of `params`; random weights come from torch's global generator. `fetch` as of `build_backbone`.

    Raises UserError, in terms of `finetune.model`, for what `build_backbone` refuses, for what is no ViT, for a size
    that is no whole number of patches, and for weights of another size or patch: they are not resized.
    """
    name, weights = params.backbone, params.weights
    check_name(name)
    published = weights is not None and weights.endswith(PUBLISHED)
    given = read_weights(weights, name) if is_local(weights) and not published else None
    if not name.startswith("timm/"):
        raise _no_vit(name)
    tag = None if given or published else weights
    vit, own = timm_trunk(name.removeprefix("timm/"), tag, given, "avg", params.image_size, fetch=fetch)
    heads = _heads(vit, name)
    size, patch = vit.patch_embed.img_size[0], vit.patch_embed.patch_size[0]
    if size % patch:
        raise UserError(f"{IMAGE_SIZE}: {size} px are no whole number of patches of {patch} px of {name}")
    if published:
        load_published(vit, Path(weights), name)
    elif given is not None:
        shapes = {
            key: given.tensors[key].shape for key in ("pos_embed", "patch_embed.proj.weight") if key in given.tensors
        }
        _check_sizes(vit, shapes, given.origin, name)
        if given.cut:
            load_into(vit, given, (), name)
            own = own_input_of(given.settings)
    prepare_vit(vit, dropout=params.dropout, zero_class_token=params.zero_class_token)
    return Vit(vit, heads, own._replace(size=size))


def load_published(vit: nn.Module, path: Path, name: str) -> None:
    """Load a `.npz` of Google's, by timm's own loader. Raises UserError for what is none, or of another ViT."""
    with opening(path):
        if not path.is_file():
            raise UserError(f"{WEIGHTS}: {path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            shapes = {}
            for key in arrays.files:
                if key.endswith("pos_embedding"):
                    shapes["pos_embed"] = arrays[key].shape
                elif key.endswith("embedding/kernel"):
                    shapes["patch_embed.proj.weight"] = arrays[key].transpose(3, 2, 0, 1).shape
        _check_sizes(vit, shapes, str(path), name)
        vit.load_pretrained(str(path))
    except UserError:
        raise
    except Exception as error:  # the bytes of a stranger's file may raise anything
        reason = str(error).strip().splitlines()[0][:160]
        raise UserError(f"{WEIGHTS}: {path}: not the weights of {name} as a .npz, or damaged ({reason})") from error
    if not all(values.isfinite().all() for values in vit.parameters()):
        raise UserError(f"{WEIGHTS}: {path}: weights not finite; get it again")


def _check_sizes(vit: nn.Module, shapes: dict[str, tuple[int, ...]], origin: str, name: str) -> None:
    expected = vit.state_dict()
    for key, shape in shapes.items():
        if tuple(shape) != (wanted := tuple(expected[key].shape)):
            raise UserError(
                f"{WEIGHTS}: {origin} does not fit {name} at {vit.patch_embed.img_size[0]} px: {key} is {tuple(shape)} "
                f"instead of {wanted}; set {BACKBONE} and image_size to those it is of"
            )


def _heads(vit: nn.Module, name: str) -> int:
    from timm.models.vision_transformer import Block, VisionTransformer

    if not isinstance(vit, VisionTransformer) or not all(isinstance(block, Block) for block in vit.blocks):
        raise _no_vit(name)
    return vit.blocks[0].attn.num_heads


def _no_vit(name: str) -> UserError:
    return UserError(f"{BACKBONE}: {name} is no ViT of timm; set one, as timm/vit_base_patch16_224")
