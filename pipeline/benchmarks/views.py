"""Drawing street views against the bare forward pass of the trunk that looks at them, on one core each."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torch import nn

from pipeline.base.names import DIGEST
from pipeline.benchmarks.case import Case, Trial
from pipeline.benchmarks.extraction import model_and_pictures
from pipeline.benchmarks.pictures import write_picture
from pipeline.features.cache import PooledCache
from pipeline.features.extract import extract_chunks
from pipeline.features.viewing import ViewedPictures, view_chunks
from pipeline.images.loading import Pictures
from pipeline.images.transforms import PictureInput, framed, inference_transform
from pipeline.models.backbones import build_backbone
from pipeline.views.view import STREET, Studio

PHOTOS = 4


def views_case(backbone: str, image_size: int, views: int) -> Case:
    """So many street views of one picture; none of the drawing should keep the trunk waiting."""
    name = f"drawing {views} views of {image_size} px, for {backbone}"
    prepare = partial(_prepare, backbone=backbone, image_size=image_size, views=views)
    return Case("views", name, "forward passes of the trunk, on one thread as the drawing", prepare, 1, cpu_only=True)


def index_case(backbone: str, image_size: int, pictures: int, views: int, workers: int) -> Case:
    """A catalogue with so many views of each picture as the stages extract and draw pool it, against extract alone."""
    name = f"extract and draw of {pictures} pictures, {views} street views each, {backbone} {image_size} px"
    settings = {"backbone": backbone, "image_size": image_size, "pictures": pictures, "views": views}
    prepare = partial(_prepare_index, workers=workers, **settings)
    return Case("views", name, "extract of the pictures alone", prepare, 1.5 * (1 + views), cpu_only=True)


def _prepare(device: torch.device, folder: Path, *, backbone: str, image_size: int, views: int) -> Trial:
    del device  # the CPU
    torch.manual_seed(0)
    network = build_backbone(backbone).eval().to(memory_format=torch.channels_last)
    batch = torch.randn(views, 3, image_size, image_size).contiguous(memory_format=torch.channels_last)
    taken = framed(PictureInput(image_size, (0.0,) * 3, (1.0,) * 3))
    picture, *photos = (taken(Image.open(folder / write_picture(folder, number))) for number in range(PHOTOS + 1))
    garment = np.full_like(picture, 255)
    inner = slice(image_size // 4, -image_size // 4)
    garment[inner, inner] = picture[inner, inner]
    return Trial(partial(_draw, Studio(photos), garment, views), partial(_forward, network, batch))


def _prepare_index(
    device: torch.device, folder: Path, *, backbone: str, image_size: int, pictures: int, views: int, workers: int
) -> Trial:
    network, table = model_and_pictures(device, folder, pictures, backbone, image_size)
    plain = Pictures(table, folder, inference_transform(network.input), image_size)
    framed_ones = Pictures(table, folder, framed(network.input), image_size)
    studio = Studio(np.stack([framed_ones[number] for number in range(PHOTOS)]))
    viewed = ViewedPictures(framed_ones, table[DIGEST].tolist(), [()] * pictures, studio, STREET, views, seed=1)
    sizes = {"device": device, "chunk_rows": pictures, "batch_size": 128, "workers": workers}

    def extract() -> None:
        with TemporaryDirectory(dir=folder) as cache:
            for _ in extract_chunks(network, plain, PooledCache(Path(cache), "bench", table), **sizes):
                pass

    def extract_and_draw() -> None:
        extract()
        with TemporaryDirectory(dir=folder) as cache:
            for _ in view_chunks(network, viewed, Path(cache), table, **sizes):
                pass

    return Trial(extract_and_draw, extract)


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
