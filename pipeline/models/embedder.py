"""The embedding model: backbone -> pooling -> linear head -> L2."""

import json
from pathlib import Path

import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from pipeline.errors import UserError
from pipeline.io.atomic import write_bytes
from pipeline.models.backbones import Backbone, build_backbone
from pipeline.models.pooling import build_pooling
from pipeline.params.finetune import ModelParams

WEIGHTS, CONFIG = "model.safetensors", "model.json"


class Embedder(nn.Module):
    """`pool`: images -> pooled features (B, P); `embed`: pooled -> unit vectors (B, D); `forward` does both."""

    def __init__(self, backbone: Backbone, pooling: nn.Module, embedding_dim: int, norm_features: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.head = nn.Linear(backbone.channels, embedding_dim)
        self.norm_features = norm_features

    def pool(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, S, S) -> pooled features (B, P) float32, before any L2 normalisation."""
        return self.pooling(self.backbone(images)).float()

    def embed(self, pooled: Tensor) -> Tensor:
        """Pooled features (B, P) -> embeddings (B, D) float32 of unit length."""
        if self.norm_features:
            pooled = F.normalize(pooled, dim=1)
        return F.normalize(self.head(pooled).float(), dim=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.embed(self.pool(images))


def build_embedder(params: ModelParams) -> Embedder:
    """A fresh model; random weights come from torch's global generator."""
    backbone = build_backbone(params.backbone, pretrained=params.pretrained, image_size=params.image_size)
    pooling = build_pooling(params.pooling, params.gem_p)
    return Embedder(backbone, pooling, params.embedding_dim, params.norm_features)


def save_embedder(folder: Path, weights: dict[str, Tensor], params: ModelParams) -> None:
    """Write `model.safetensors` (no metadata: stable bytes) and `model.json` into `folder`."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_bytes(folder / WEIGHTS, save_tensors(tensors))
    write_bytes(folder / CONFIG, (json.dumps(params.model_dump(), indent=2) + "\n").encode())


def load_embedder(folder: Path) -> tuple[Embedder, ModelParams]:
    """The model in `folder`, in eval mode on the CPU. Raises UserError when it is missing or damaged."""
    params, weights = _read(folder)
    model = build_embedder(params.model_copy(update={"pretrained": False}))
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise _damaged(folder, error) from error
    return model.eval(), params


def load_head_weights(folder: Path) -> tuple[Tensor, Tensor, bool]:
    """Weight (D, P) and bias (D,) of the head of the model in `folder`, and its `norm_features`; builds no backbone.

    Raises UserError when the model is missing or damaged.
    """
    params, weights = _read(folder)
    try:
        return weights["head.weight"], weights["head.bias"], params.norm_features
    except KeyError as error:
        raise _damaged(folder, error) from error


def count_parameters(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _read(folder: Path) -> tuple[ModelParams, dict[str, Tensor]]:
    try:
        params = ModelParams.model_validate(json.loads((folder / CONFIG).read_text()))
        return params, load_tensors((folder / WEIGHTS).read_bytes())
    except (OSError, ValueError, SafetensorError) as error:
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> UserError:
    return UserError(
        f"{folder}: not a model of this project ({str(error).splitlines()[0]}); run `dvc repro -f finetune`"
    )
