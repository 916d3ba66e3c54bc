"""What a network of attributes is built from, beside the region trunk, which `finetune.model` describes."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.params import AsTuple, Section
from pipeline.params.finetune import Channels, Positive, Share

PARAM = "recipes.rpf.network"  # where params.yaml has it
Layer = str | Annotated[int, Field(ge=0)]
Pixels = Annotated[int, Field(ge=16)]
Width = Annotated[int, Field(ge=1)]


class PatchParams(Section):
    """The patch branch of RPF: a ViT of timm on the crop.

    `weights`: as those of `finetune.model`, or the `.npz` that a ViT was published in. `image_size`: pixels of the
    crop; null: what the ViT was published with. `zero_class_token`: it starts at zero, whatever the weights have there,
    as RPF was published. `own_input`: the crop gets the mean and deviation that the ViT was published with; false:
    those of the global view, as RPF was published. `mean`, `std`: others; null: as `own_input` says. `dropout`: of
    positions, and behind both layers of the perceptrons of the blocks.
    """

    backbone: str
    weights: str | None = None
    image_size: Pixels | None = None
    zero_class_token: bool = True
    own_input: bool = False
    mean: Channels | None = None
    std: Annotated[tuple[Positive, Positive, Positive], AsTuple] | None = None
    dropout: Share = 0.1


class LocalParams(Section):
    """The local branch of ASEN++: a trunk that is cut behind `layer`, on the crop of `image_size` pixels.

    `common_dim`: of its own attention, as that of the network is of the global one's.
    """

    backbone: str
    weights: str | None = None
    layer: Layer = "layer3"
    image_size: Pixels = 112
    common_dim: Width = 256


class AttributeModelParams(Section):
    """`family` rpf or asen. The second branch is `patch` of rpf and `local` of asen; null: the first one alone.

    `canvas`: pixels of the square from the picture's centre, of which both views are made. `threshold`: how bright
    the map is, from the least to the most, where it is cropped. `layer`: where the region trunk is cut, the name of a
    layer of torchvision's or the index of a feature map of timm's. `table_dim`: width of an attribute's vector;
    `common_dim`: of the space where it meets the map. `reduction`: how much narrower the middle of a perceptron is.
    `embedding_dim`: width of each branch's embedding; null: of the region trunk's map, which rpf asks for in any case.
    `dropout`: behind both layers of the heads' perceptrons. `beta`: share of the first branch in the cosine of
    embeddings.
    """

    family: Literal["rpf", "asen"] = "rpf"
    canvas: Pixels
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.1
    table_dim: Width = 512
    common_dim: Width = 512
    reduction: Width = 2
    embedding_dim: Width | None = 1024
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    layer: Layer = "layer3"
    patch: PatchParams | None = None
    local: LocalParams | None = None
    beta: Annotated[float, Field(gt=0, lt=1)] = 0.4

    @property
    def second(self) -> PatchParams | LocalParams | None:
        """The params of the second branch; None: there is none."""
        return self.patch if self.family == "rpf" else self.local
