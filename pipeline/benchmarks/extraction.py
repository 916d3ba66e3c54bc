"""Extraction from JPEG files against the bare forward pass of the same network, batch and precision."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline.base.atomic import remove
from pipeline.base.names import BOX, DIGEST, IMAGE
from pipeline.benchmarks.case import Case, Trial
from pipeline.benchmarks.pictures import write_picture
from pipeline.features.cache import PooledCache
from pipeline.features.extract import extract_chunks
from pipeline.images.loading import Pictures
from pipeline.images.transforms import inference_transform
from pipeline.models.embedder import Embedder, build_embedder
from pipeline.params.finetune import ModelParams


def extraction_case(backbone: str, image_size: int, pictures: int, batch_size: int, workers: int) -> Case:
    """Features of `pictures` JPEG files of 300 x 300 pixels, decoded by `workers` processes."""
    name = f"extraction {backbone} {image_size} px, batch {batch_size}, {workers} workers"
    settings = {"backbone": backbone, "image_size": image_size, "batch_size": batch_size, "workers": workers}
    prepare = partial(_prepare, n=pictures, **settings)
    return Case("extract", name, "forward passes on tensors in memory", prepare, 1 / 0.9)


def _prepare(
    device: torch.device, folder: Path, *, n: int, backbone: str, image_size: int, batch_size: int, workers: int
) -> Trial:
    embedder, table = model_and_pictures(device, folder, n, backbone, image_size)
    pictures = Pictures(table, folder, inference_transform(embedder.input), image_size)
    batch = torch.stack([pictures[number % n] for number in range(batch_size)])
    batch = batch.to(device, memory_format=torch.channels_last)
    settings = {"device": device, "chunk_rows": n, "batch_size": batch_size, "workers": workers}
    cache = PooledCache(folder / "chunks", "bench", table)
    return Trial(partial(_extract, embedder, pictures, cache, settings), partial(_forward, embedder, batch, n))


def model_and_pictures(
    device: torch.device, folder: Path, n: int, backbone: str, image_size: int
) -> tuple[Embedder, pd.DataFrame]:
    """A model of random weights, and rows as of a manifest of `n` JPEG files that are written into `folder`."""
    params = ModelParams(
        backbone=backbone,
        pooling="gem",
        gem_p=3.0,
        norm_features=False,
        embedding_dim=512,
        image_size=image_size,
        crop_from="whole",
    )
    torch.manual_seed(0)
    embedder = build_embedder(params).eval().to(device, memory_format=torch.channels_last)
    table = pd.DataFrame({IMAGE: [write_picture(folder, number) for number in range(n)]}).assign(
        **dict.fromkeys(BOX, np.nan), **{DIGEST: [str(number) for number in range(n)]}
    )
    return embedder, table


def _extract(embedder: Embedder, pictures: Pictures, cache: PooledCache, settings: dict) -> None:
    remove(cache.folder)
    for _ in extract_chunks(embedder, pictures, cache, **settings):
        pass


@torch.inference_mode()
def _forward(embedder: Embedder, batch: Tensor, n: int) -> None:
    for start in range(0, n, len(batch)):
        embedder(batch[: n - start]).cpu()
