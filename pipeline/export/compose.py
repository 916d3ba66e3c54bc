"""A model of a run as one module, from pixels to embeddings."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.base.names import ModelName
from pipeline.export.options import Resize
from pipeline.export.resizing import WHITE, resized
from pipeline.images.transforms import PictureInput
from pipeline.models.embedder import Embedder
from pipeline.models.folder import check_width, load_heads
from pipeline.models.kinds import load_embedder
from pipeline.table.domains import CODES
from pipeline.views.mix import Mix

PICTURES, DOMAIN, EMBEDDINGS = "pictures", "domain", "embeddings"


class Chosen(NamedTuple):
    """A model of a run: its network with its own head, the folders it is from, and the mix that it indexes by."""

    name: str
    network: Embedder
    folders: tuple[Path, ...]
    mix: Mix | None = None


class Composed(nn.Module):
    """Preprocessing, trunk, pooling, head and length in one; in eval mode, without gradients.

    `resize`: what is done to pictures before, see `options.Resize`. `raw`: the head's output is not brought to unit
    length.
    """

    def __init__(self, network: Embedder, resize: Resize = "none", *, raw: bool = False) -> None:
        super().__init__()
        self.network, self.resize, self.raw = network, resize, raw
        for name, values in (("mean", network.input.mean), ("std", network.input.std)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1))
        self.eval().requires_grad_(False)

    @property
    def wanted(self) -> PictureInput:
        """The pictures that the network takes."""
        return self.network.input

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return (PICTURES, DOMAIN) if self.network.head.tells_domains else (PICTURES,)

    def forward(self, pictures: Tensor, domain: Tensor | None = None) -> Tensor:
        """RGB pictures (B, H, W, 3) uint8, of these domains (B,) int64 -> embeddings (B, D) float32.

        H and W are the network's side unless it resizes. `domain` is for heads with a bias a domain alone.
        """
        images = self.scaled(pictures.permute(0, 3, 1, 2).float())
        pooled = self.network.pool(images)
        return self.network.head.project(pooled, domain) if self.raw else self.network.head(pooled, domain)

    def scaled(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, H, W) float32, 0..255 -> normalised images (B, 3, S, S) float32."""
        return (resized(pixels, self.wanted, self.resize) / WHITE - self.mean) / self.std

    def batch(self, pictures: np.ndarray) -> dict[str, Tensor]:
        """Inputs by name for pictures (B, H, W, 3) uint8: as of domains that take turns, where it is told any."""
        of_domains = torch.arange(len(pictures)) % len(CODES)
        return dict(zip(self.inputs, (torch.tensor(pictures), of_domains), strict=False))

    @torch.inference_mode()
    def run(self, inputs: Mapping[str, Tensor]) -> np.ndarray:
        """Embeddings (B, D) float32 of inputs by name."""
        return self(**inputs).numpy()


def load_chosen(name: str, backbone: Path, adapter: Path) -> Chosen:
    """The model `name` of a run: the folder `backbone`, with a head of the folder `adapter` unless it is the baseline.

    Raises UserError for a model that the run does not have, naming those it has; for folders that are missing or
    damaged; and for a network of another kind than the embedder.
    """
    adapted = {} if name == ModelName.BASELINE else load_heads(adapter)
    if name != ModelName.BASELINE and name not in adapted:
        known = ", ".join([str(ModelName.BASELINE), *adapted])
        raise UserError(f"--model: {name!r} is none of this run; known: {known}; adapt.models says which are made")
    network = load_embedder(backbone)
    if not isinstance(network, Embedder):
        raise UserError(
            f"{backbone}: a network of kind {network.kind}, which is told more than a picture; export takes those of "
            f"kind {Embedder.kind}"
        )
    if name == ModelName.BASELINE:
        return Chosen(name, network, (backbone,))
    head, mix = adapted[name]
    check_width(head, network.head.shape[1], adapter / name)
    network.head = head.eval()  # its own one would be carried along, unused
    return Chosen(name, network, (backbone, adapter / name), mix)
