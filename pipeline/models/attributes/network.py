"""A network that is told an attribute: one branch on the whole picture, a second one on the crop that it points at."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE
from pipeline.images.loading import Conditioned
from pipeline.images.transforms import PictureInput
from pipeline.models.attributes.attention import Attended
from pipeline.models.attributes.crop import attention_boxes, crop_resize, resize
from pipeline.models.attributes.settings import AttributeModelParams
from pipeline.models.head import Head
from pipeline.models.headed import Headed, hold_statistics
from pipeline.models.inputs import picture_input
from pipeline.params.finetune import ModelParams

BRANCHES = {"rpf": ("region", "patch"), "asen": ("global", "local")}


class Outputs(NamedTuple):
    """What the branches make of pictures, none of unit length; None: the network has no such branch.

    `region` (B, F): the first branch, ASEN++'s global one too; `patch` (B, F): the second, its local one too;
    `background` (B, F): what is beside the attribute, of RPF alone; `map` (B, h, w): attention, which adds up to 1.
    """

    region: Tensor
    patch: Tensor | None
    background: Tensor | None
    map: Tensor


class MapBranch(nn.Module):
    """A trunk that gives a map, and an attention that reads it."""

    def __init__(self, trunk: nn.Module, attention: nn.Module) -> None:
        super().__init__()
        self.trunk, self.attention = trunk, attention

    def forward(self, view: Tensor, attribute: Tensor) -> Attended:
        """Views (B, 3, S, S), attributes (B, E) -> embeddings, backgrounds and maps."""
        return self.attention(self.trunk(view), attribute)


class Crop(NamedTuple):
    """How the second branch sees its part of a picture: `size` pixels, of this mean and deviation."""

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


class AttributeNetwork(Headed):
    """Embeddings of pictures for one attribute each, which its index in `attributes` tells.

    Pictures come as squares of `own.canvas` pixels. The first branch sees them resized to `params.image_size`, the
    second one, if there is any, sees the square about the bright part of the first one's map. The table of attributes
    is both branches'; no gradient flows through the crop. `branches`: widths of their parts of pooled rows.
    """

    kind = "attributes"

    def __init__(
        self,
        first: MapBranch,
        second: nn.Module | None,
        crop: Crop | None,
        *,
        params: ModelParams,
        own: AttributeModelParams,
        attributes: Sequence[str],
    ) -> None:
        super().__init__()
        self.params, self.own, self.attributes, self.crop = params, own, tuple(attributes), crop
        self.table = nn.Embedding(len(self.attributes), own.table_dim)
        self.first, self.second = first, second
        names = BRANCHES[own.family][: 1 if second is None else 2]
        self.branches = dict.fromkeys(names, own.embedding_dim)
        self.head = Head.identity(sum(self.branches.values()), norm_features=False).requires_grad_(False)
        mean, std = torch.tensor(params.mean), torch.tensor(params.std)
        crop_mean, crop_std = (params.mean, params.std) if crop is None else (crop.mean, crop.std)
        self.register_buffer("black", -mean / std, persistent=False)
        self.register_buffer("crop_scale", (std / torch.tensor(crop_std)).view(-1, 1, 1), persistent=False)
        shift = (mean - torch.tensor(crop_mean)) / torch.tensor(crop_std)
        self.register_buffer("crop_shift", shift.view(-1, 1, 1), persistent=False)

    @property
    def settings(self) -> dict[str, Any]:
        """What `model.json` holds beside the weights."""
        plain = self.params.model_dump() | {"embedding_dim": self.head.shape[0]}
        return plain | {"network": self.own.model_dump(), "attributes": list(self.attributes)}

    @property
    def input(self) -> PictureInput:
        """The pictures that it takes: the centred square, of `canvas` pixels."""
        return picture_input(self.params)._replace(size=self.own.canvas, crop_from=self.own.canvas)

    def conditions(self, table: pd.DataFrame) -> np.ndarray:
        """Indices (N,) int64 of the attributes that the rows of `table` name.

        Raises UserError where the table has no such column, or names one that the network does not know.
        """
        if ATTRIBUTE not in table:
            raise UserError("data.sets: pictures without attributes, where the model is told one beside each picture")
        index = pd.Index(self.attributes).get_indexer(table[ATTRIBUTE]).astype(np.int64)
        if (index < 0).any():
            unknown = table[ATTRIBUTE].to_numpy()[index < 0][0]
            known = ", ".join(self.attributes)
            raise UserError(f"attribute {unknown!r} is unknown to the model; known: {known}; ask for one of these")
        return index

    def train(self, mode: bool = True) -> "AttributeNetwork":
        """As of any module, but with `frozen_bn` batch norms keep their statistics in training too."""
        super().train(mode)
        if self.params.frozen_bn:
            hold_statistics(self)
        return self

    def outputs(self, inputs: Conditioned, *, both: bool = True) -> Outputs:
        """Pictures (B, 3, canvas, canvas) and attributes (B,) -> what the branches make of them, or the first alone."""
        attribute = self.table(inputs.condition)
        seen = self._look(inputs.images, attribute)
        patch = None
        if both and self.second is not None:
            found = self.second(self._crops(inputs.images, seen.map), attribute)
            patch = found.embedding if isinstance(found, Attended) else found
        return Outputs(seen.embedding, patch, seen.background, seen.map)

    def attention(self, inputs: Conditioned) -> tuple[Tensor, Tensor]:
        """As `outputs`, but the maps (B, h, w), and the boxes (B, 4) int64 in pixels of the pictures that they give.

        A box is left, top, right, bottom, and may end a little outside.
        """
        found = self._look(inputs.images, self.table(inputs.condition)).map
        return found, self._boxes(found)

    def pool(self, inputs: Conditioned) -> Tensor:
        """As `outputs`, but the rows (B, P) float32 of unit length that are searched; see `combined`."""
        made = self.outputs(inputs)
        return combined([rows.float() for rows in (made.region, made.patch) if rows is not None], self.own.beta)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """What is trained, by branch; the table of attributes is the first one's. The head is not trained."""
        parts = [[self.table, self.first], [self.second]]
        return {
            name: [parameter for part in modules for parameter in part.parameters()]
            for name, modules in zip(self.branches, parts, strict=False)
        }

    def _look(self, images: Tensor, attribute: Tensor) -> Attended:
        return self.first(resize(images, self.params.image_size), attribute)

    def _boxes(self, maps: Tensor) -> Tensor:
        return attention_boxes(maps, self.params.image_size, self.own.threshold, self.own.canvas)

    def _crops(self, images: Tensor, maps: Tensor) -> Tensor:
        crops = crop_resize(images, self._boxes(maps), self.crop.size, self.black)
        return torch.addcmul(self.crop_shift, crops, self.crop_scale)


def combined(branches: Sequence[Tensor], beta: float) -> Tensor:
    """Rows (B, F) of one or two branches -> rows of unit length (B, sum of F).

    Of two, they are scaled by sqrt(beta) and sqrt(1 - beta), so that the cosine of two rows is the branches' cosines in
    their weighted mean.
    """
    weights = [1.0] if len(branches) == 1 else [beta, 1 - beta]
    return torch.cat(
        [weight**0.5 * F.normalize(rows, dim=1) for weight, rows in zip(weights, branches, strict=True)], dim=1
    )
