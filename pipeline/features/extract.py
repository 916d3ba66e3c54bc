"""Features of many pictures, chunk by chunk, so that a killed run goes on from the last whole chunk."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pipeline.arrays.blocks import slices
from pipeline.base.progress import progress
from pipeline.features.cache import PooledCache
from pipeline.features.colours import Colours
from pipeline.images.loading import Inputs, to_device
from pipeline.models.network import Network

Chunk = tuple[np.ndarray, ...]


@torch.inference_mode()
def extract_chunks(
    embedder: Network,
    pictures: Dataset,
    cache: PooledCache,
    *,
    device: torch.device,
    chunk_rows: int,
    batch_size: int,
    workers: int,
    colours: Colours | None = None,
) -> Iterator[Chunk]:
    """Yield (pooled (C, P), embedding (C, D)) float32 of `pictures` in order, C = `chunk_rows` but for the last chunk.

    With `colours` of the embedder the colour features (C, 3 N) float32 come third. Rows that are in `cache` are read;
    the others are computed, and kept there before they are yielded.
    """
    embedder = embedder.to(device, memory_format=torch.channels_last).eval()
    sizes = {"chunk_rows": chunk_rows, "batch_size": batch_size, "workers": workers}
    width = embedder.head.shape[1]
    pool = embedder.pool if colours is None else lambda inputs: torch.cat(colours.pool(inputs), dim=1)
    for made in pool_chunks(pool, pictures, cache, device=device, **sizes):
        pooled, colour = np.ascontiguousarray(made[:, :width]), made[:, width:]
        # From a tensor of its own, in the batches of the pictures: the same bits for rows that are read and computed.
        batches = [torch.tensor(pooled[part], device=device) for part in slices(len(pooled), batch_size)]
        embedding = np.concatenate([embedder.embed(batch).cpu().numpy() for batch in batches])
        yield (pooled, embedding) if colours is None else (pooled, embedding, colour)


@torch.inference_mode()
def pool_chunks(
    pool: Callable[[Inputs], torch.Tensor],
    pictures: Dataset,
    cache: PooledCache,
    *,
    device: torch.device,
    chunk_rows: int,
    batch_size: int,
    workers: int,
    what: str = "extract",
) -> Iterator[np.ndarray]:
    """What `pool` makes (B, P) of batches of `pictures`, on the `device`, channels last, as chunks (C, P) float32.

    Rows that are in `cache` are read; the others are computed, and kept there before they are yielded.
    """
    chunks = [np.arange(part.start, part.stop) for part in slices(len(pictures), chunk_rows)]
    missing = [chunk for chunk in chunks if not cache.has(chunk)]

    def load(wanted: list[np.ndarray]) -> Iterator[Inputs]:
        # Batches end where chunks end: they are the same ones whichever chunks are there.
        batches = [chunk[part].tolist() for chunk in wanted for part in slices(len(chunk), batch_size)]
        return iter(DataLoader(pictures, batch_sampler=batches, num_workers=workers))

    loader, waiting = load(missing), {int(chunk[0]) for chunk in missing}
    done = len(pictures) - sum(map(len, missing))
    with progress(what=what, total=len(pictures), initial=done, unit="img") as bar:
        for chunk in chunks:
            pooled = None if int(chunk[0]) in waiting else cache.read(chunk)
            if pooled is None:
                images = loader if int(chunk[0]) in waiting else load([chunk])  # the latter: removed meanwhile
                batches = []
                for _ in slices(len(chunk), batch_size):
                    batches.append(pool(to_device(next(images), device)).cpu().numpy())
                    bar.update(len(batches[-1]))
                pooled = np.concatenate(batches)
                cache.write(chunk, pooled)
            yield pooled
