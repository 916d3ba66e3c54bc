"""The embedding model: backbone -> pooling -> head, and any head that is trained on its pooled features."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import pandas as pd
from torch import Tensor, nn

from pipeline.images.transforms import PictureInput
from pipeline.models.backbones import Backbone, build_backbone
from pipeline.models.head import Head
from pipeline.models.headed import Headed, hold_statistics, planned
from pipeline.models.inputs import picture_input, with_own_input
from pipeline.models.pooling import build_pooling
from pipeline.params.finetune import ModelParams


class Embedder(Headed):
    """`pool`: images -> pooled features (B, P); `embed`: pooled -> unit vectors (B, D); `forward` does both.

    `params` are those it was built from, with a value in place of each null. `frozen_bn` there: batch norms of the
    backbone keep their statistics in training too, while their scales and offsets are trained. `frozen`: backbone and
    pooling stay as they are, and what they make of pictures may be given in place of pictures: `pool` gives such rows
    (B, P) back.
    """

    kind = "embedder"

    def __init__(self, backbone: Backbone, pooling: nn.Module, head: Head, params: ModelParams | None = None) -> None:
        super().__init__()
        self.backbone, self.pooling, self.head, self.params = backbone, pooling, head, params

    @property
    def settings(self) -> dict[str, Any]:
        """What `model.json` holds beside the weights."""
        return {} if self.params is None else self.params.model_dump()

    @property
    def input(self) -> PictureInput:
        """The pictures that it takes."""
        return picture_input(self.params)

    @property
    def frozen(self) -> bool:
        """Whether the head alone is trained."""
        return self.params is not None and self.params.frozen

    def conditions(self, table: pd.DataFrame) -> None:
        """Nothing is asked for beside a picture."""

    def train(self, mode: bool = True) -> "Embedder":
        """As of any module, but what is frozen stays in eval mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
            self.pooling.eval()
        if self.params is not None and self.params.frozen_bn:
            hold_statistics(self.backbone)
        return self

    def pool(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, S, S) -> pooled features (B, P) float32, before any L2 normalisation."""
        if self.frozen and images.ndim == 2:
            return images
        return self.pool_with_map(images)[0]

    @property
    def has_map(self) -> bool:
        """Whether what is pooled is a feature map."""
        return not isinstance(self.pooling, nn.Identity)

    def pool_with_map(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised images (B, 3, S, S) -> pooled features (B, P) float32, and what they are pooled from."""
        maps = self.backbone(images)
        return self.pooling(maps).float(), maps


def build_embedder(params: ModelParams, *, fetch: bool = True) -> Embedder:
    """A new model; random weights come from torch's global generator. `fetch` false: without published weights.

    Raises UserError for a backbone, weights, a pooling or a crop that cannot be had.
    """
    backbone = build_backbone(
        params.backbone, weights=params.weights, pooling=params.pooling, image_size=params.image_size, fetch=fetch
    )
    pooling = build_pooling(params.pooling, params.gem_p)
    params = with_own_input(params, backbone.own)
    params = params.model_copy(update={"embedding_dim": params.embedding_dim or backbone.width})
    head = Head(backbone.width, params.embedding_dim, norm_features=params.norm_features, output=params.output)
    if params.frozen:
        for part in (backbone, pooling):
            part.requires_grad_(False)
    return Embedder(backbone, pooling, head, params)


@cache
def plan_embedder(params: ModelParams) -> Embedder:
    """The same model `planned`. Nothing is fetched; those of many settings are made once."""
    return planned(partial(build_embedder, params, fetch=False))


def restore_embedder(settings: Mapping[str, Any]) -> Embedder:
    """The model of such `settings`, which needs no published weights."""
    params = ModelParams.model_validate(settings)
    model = build_embedder(params.model_copy(update={"weights": None}))
    model.params = params
    return model


def count_parameters(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
