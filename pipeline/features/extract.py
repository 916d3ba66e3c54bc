"""Features of many pictures, chunk by chunk, so that a killed run goes on from the last whole chunk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from pipeline.base.atomic import replacing
from pipeline.base.progress import progress
from pipeline.images.loading import Pictures, to_device
from pipeline.models.network import Network

Chunk = tuple[np.ndarray, np.ndarray]


@torch.inference_mode()
def extract_chunks(
    embedder: Network,
    pictures: Pictures,
    folder: Path,
    *,
    device: torch.device,
    normalize: bool,
    chunk_rows: int,
    batch_size: int,
    workers: int,
) -> Iterator[Chunk]:
    """Yield (pooled (C, P), embedding (C, D)) float32 of `pictures` in order, C = `chunk_rows` but for the last chunk.

    Each chunk is saved in `folder` before it is yielded; those that are there already are read instead of computed.
    `normalize`: L2-normalise the pooled features (the embedding always comes from the plain ones).
    """
    starts = range(0, len(pictures), chunk_rows)
    files = [folder / f"chunk_{start:09d}.npz" for start in starts]
    n_done = next((i for i, file in enumerate(files) if not file.exists()), len(files))
    for file in files[:n_done]:
        yield _read_chunk(file)
    embedder = embedder.to(device, memory_format=torch.channels_last).eval()
    chunks = [np.arange(start, min(start + chunk_rows, len(pictures))) for start in starts]
    # Batches end where chunks end: a resumed run sees the very batches of an undisturbed one.
    batches = [batch for chunk in chunks[n_done:] for batch in _split(chunk, batch_size)]
    loader = iter(DataLoader(pictures, batch_sampler=batches, num_workers=workers))
    with progress(what="extract", total=len(pictures), initial=n_done * chunk_rows, unit="img") as bar:
        for chunk, file in zip(chunks[n_done:], files[n_done:], strict=True):
            blocks = []
            for _ in _split(chunk, batch_size):
                pooled = embedder.pool(to_device(next(loader), device))
                embedding = embedder.embed(pooled)
                pooled = F.normalize(pooled, dim=1) if normalize else pooled
                blocks.append((pooled.cpu().numpy(), embedding.cpu().numpy()))
                bar.update(len(pooled))
            pooled, embedding = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
            with replacing(file) as aside, open(aside, "wb") as handle:
                np.savez(handle, pooled=pooled, embedding=embedding)
            yield pooled, embedding


def _split(chunk: np.ndarray, batch_size: int) -> list[list[int]]:
    return [chunk[start : start + batch_size].tolist() for start in range(0, len(chunk), batch_size)]


def _read_chunk(file: Path) -> Chunk:
    with np.load(file) as arrays:
        return arrays["pooled"], arrays["embedding"]
