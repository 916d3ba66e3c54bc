"""The embedding model: backbone -> pooling -> linear head -> (normalisation) -> L2."""

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.models.backbones import Backbone, build_backbone
from pipeline.models.folder import damaged_model, read_model, write_model
from pipeline.models.output import build_output
from pipeline.models.pooling import build_pooling
from pipeline.params.finetune import ModelParams


class Embedder(nn.Module):
    """`pool`: images -> pooled features (B, P); `embed`: pooled -> unit vectors (B, D); `forward` does both.

    `output` names a normalisation of `pipeline.models.output`. `frozen_bn`: batch norms of the backbone keep their
    statistics in training too, while their scales and offsets are trained.
    """

    def __init__(
        self,
        backbone: Backbone,
        pooling: nn.Module,
        embedding_dim: int,
        norm_features: bool,
        *,
        output: str = "none",
        frozen_bn: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.head = nn.Linear(backbone.channels, embedding_dim)
        self.norm_features = norm_features
        self.output = build_output(output, embedding_dim)
        self.frozen_bn = frozen_bn

    def train(self, mode: bool = True) -> "Embedder":
        """As of any module, but frozen batch norms stay in eval mode."""
        super().train(mode)
        if self.frozen_bn:
            for module in self.backbone.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def pool(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, S, S) -> pooled features (B, P) float32, before any L2 normalisation."""
        return self.pooling(self.backbone(images)).float()

    def project(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> normalised output of the head (B, D) float32: embeddings before the final L2."""
        if self.norm_features:
            pooled = F.normalize(pooled, dim=1)
        return self.output(self.head(pooled).float())

    def embed(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> embeddings (B, D) float32 of unit length."""
        return F.normalize(self.project(pooled), dim=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.embed(self.pool(images))


def build_embedder(params: ModelParams) -> Embedder:
    """A fresh model; random weights come from torch's global generator."""
    backbone = build_backbone(params.backbone, pretrained=params.pretrained, image_size=params.image_size)
    pooling = build_pooling(params.pooling, params.gem_p)
    return Embedder(
        backbone,
        pooling,
        params.embedding_dim,
        params.norm_features,
        output=params.output,
        frozen_bn=params.frozen_bn,
    )


def save_embedder(folder: Path, weights: dict[str, Tensor], params: ModelParams) -> None:
    """Write `model.safetensors` (no metadata: stable bytes) and `model.json` into `folder`."""
    write_model(folder, weights, params.model_dump())


def load_embedder(folder: Path) -> tuple[Embedder, ModelParams]:
    """The model in `folder`, in eval mode on the CPU. Raises UserError when it is missing or damaged."""
    settings, weights = read_model(folder)
    try:
        params = ModelParams.model_validate(settings)
        model = build_embedder(params.model_copy(update={"pretrained": False}))
        model.load_state_dict(weights)
    except (ValueError, RuntimeError) as error:
        raise damaged_model(folder, error) from error
    return model.eval(), params


def count_parameters(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
