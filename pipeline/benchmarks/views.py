"""Drawing street views against the bare forward pass of the trunk that looks at them, on one core each."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from pipeline.benchmarks.case import Case, Trial
from pipeline.benchmarks.pictures import write_picture
from pipeline.images.transforms import PictureInput, framed
from pipeline.models.backbones import build_backbone
from pipeline.views.view import STREET, Studio

PHOTOS = 4


def views_case(backbone: str, image_size: int, views: int) -> Case:
    """So many street views of one picture; none of the drawing should keep the trunk waiting."""
    name = f"drawing {views} views of {image_size} px, for {backbone}"
    prepare = partial(_prepare, backbone=backbone, image_size=image_size, views=views)
    return Case("views", name, "forward passes of the trunk, on one thread as the drawing", prepare, 1, cpu_only=True)


def index_case(backbone: str, image_size: int, pictures: int, views: int) -> Case:
    """A catalogue pooled with so many views of each picture, which are drawn in the same process, one after another."""
    name = f"pooling {pictures} pictures with {views} street views each, {backbone}"
    prepare = partial(_prepare_index, backbone=backbone, image_size=image_size, pictures=pictures, views=views)
    return Case("views", name, "pooling the pictures alone", prepare, 3 * (1 + views), cpu_only=True)


def _prepare(device: torch.device, folder: Path, *, backbone: str, image_size: int, views: int) -> Trial:
    network, batch, studio, garment = _inputs(device, folder, backbone, image_size, views)
    return Trial(partial(_draw, studio, garment, views), partial(_forward, network, batch))


def _prepare_index(
    device: torch.device, folder: Path, *, backbone: str, image_size: int, pictures: int, views: int
) -> Trial:
    network, batch, studio, garment = _inputs(device, folder, backbone, image_size, pictures)

    @torch.inference_mode()
    def with_views() -> None:
        network(batch)
        for _ in range(pictures):
            drawn = np.stack(list(studio.views(garment, {STREET: views}, seed=1, known="0")))
            network(torch.from_numpy(drawn).movedim(-1, 1).float().div(255))

    @torch.inference_mode()
    def without() -> None:
        network(batch)

    return Trial(with_views, without)


def _inputs(
    device: torch.device, folder: Path, backbone: str, image_size: int, pictures: int
) -> tuple[nn.Module, torch.Tensor, Studio, np.ndarray]:
    """A trunk, a batch of pictures for it, a studio, and a garment on even ground."""
    del device  # the CPU
    torch.manual_seed(0)
    network = build_backbone(backbone).eval().to(memory_format=torch.channels_last)
    batch = torch.randn(pictures, 3, image_size, image_size).contiguous(memory_format=torch.channels_last)
    taken = framed(PictureInput(image_size, (0.0,) * 3, (1.0,) * 3))
    picture, *photos = (taken(Image.open(folder / write_picture(folder, number))) for number in range(PHOTOS + 1))
    garment = np.full_like(picture, 255)
    inner = slice(image_size // 4, -image_size // 4)
    garment[inner, inner] = picture[inner, inner]
    return network, batch, Studio(photos), garment


def _draw(studio: Studio, picture: np.ndarray, views: int) -> None:
    for _ in studio.views(picture, {STREET: views}, seed=1, known="0"):
        pass


@torch.inference_mode()
def _forward(network: nn.Module, batch: torch.Tensor) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network(batch)
    finally:
        torch.set_num_threads(threads)
