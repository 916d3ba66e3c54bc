"""The adapted layer: a linear head on pooled features, followed by L2."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from pipeline.base.atomic import write_bytes
from pipeline.base.errors import UserError
from pipeline.base.reports import write_json

NAMES = "adapter.json"


class Head(nn.Module):
    """y = l2(W z + b); `norm_features`: z is L2-normalised first. z (B, P) -> y (B, D) float32."""

    def __init__(self, weight: Tensor, bias: Tensor, norm_features: bool) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        self.norm_features = norm_features

    def forward(self, pooled: Tensor) -> Tensor:
        if self.norm_features:
            pooled = F.normalize(pooled, dim=1)
        return F.normalize(F.linear(pooled, self.weight, self.bias), dim=1)

    @torch.inference_mode()
    def embed(self, pooled: np.ndarray, block_rows: int) -> np.ndarray:
        """Pooled features (N, P) -> embeddings (N, D) float32, in blocks, on the device of the head."""
        blocks = torch.from_numpy(pooled).split(block_rows)
        return torch.cat([self(block.to(self.weight.device)).cpu() for block in blocks]).numpy()


def check_width(weight: Tensor, pooled: np.ndarray, path: Path) -> None:
    """Raise UserError unless the head with `weight` (D, P), from `path`, takes the pooled features (N, P)."""
    if weight.shape[1] != pooled.shape[1]:
        raise UserError(
            f"{path}: a head for pooled features of width {weight.shape[1]}, where the features have "
            f"{pooled.shape[1]}; run `dvc repro` so that both come from one model"
        )


def save_heads(folder: Path, heads: Mapping[str, Head]) -> None:
    """Write the heads and the list of their names; none, where there was nothing to adapt."""
    for name, head in heads.items():
        save_head(folder / f"{name}.safetensors", head)
    write_json(folder / NAMES, {"heads": list(heads)})


def load_heads(folder: Path, pooled: np.ndarray) -> dict[str, Head]:
    """The heads in `folder` by name. Raises UserError for a missing or damaged one, or one not for these features."""
    try:
        paths = {name: folder / f"{name}.safetensors" for name in json.loads((folder / NAMES).read_text())["heads"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / NAMES}: not a list of heads ({error}); run `dvc repro adapt`") from error
    heads = {}
    for name, path in paths.items():
        heads[name] = load_head(path)
        check_width(heads[name].weight, pooled, path)
    return heads


def save_head(path: Path, head: Head) -> None:
    """Write weight, bias and the `norm_features` flag (0 or 1) as safetensors without metadata: stable bytes."""
    flag = torch.tensor([head.norm_features], dtype=torch.uint8)
    tensors = {"weight": head.weight.detach().cpu(), "bias": head.bias.detach().cpu(), "norm_features": flag}
    write_bytes(path, save_tensors(tensors))


def load_head(path: Path) -> Head:
    """The head at `path`. Raises UserError when it is missing or damaged."""
    try:
        tensors = load_tensors(path.read_bytes())
        return Head(tensors["weight"], tensors["bias"], bool(tensors["norm_features"].item()))
    except (OSError, SafetensorError, KeyError) as error:
        raise UserError(f"{path}: not a head of this project ({error}); run `dvc repro adapt`") from error
