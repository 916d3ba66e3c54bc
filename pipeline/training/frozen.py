"""A frozen backbone: what it makes of the source's pictures is computed once, and trained on in their place."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipeline.base.names import DIGEST
from pipeline.base.runtime import RuntimeParams
from pipeline.base.seeds import mixed_seed
from pipeline.features.cache import PooledCache, maker_key
from pipeline.features.extract import pool_chunks
from pipeline.images.loading import Inputs, Pictures
from pipeline.images.transforms import Transform
from pipeline.models.network import Network


class ViewRows:
    """Rows as pooled features (N, P), one of the views in `pooled` (V, all rows, P) each: which one, its seed says."""

    def __init__(self, pooled: Tensor) -> None:
        self.pooled = pooled

    def take(self, rows: np.ndarray, seeds: Iterable[int]) -> Tensor:
        """See `pipeline.training.batches.Rows`."""
        views = torch.tensor([seed % len(self.pooled) for seed in seeds])
        return self.pooled[views, torch.from_numpy(rows)]


@dataclass(frozen=True)
class FrozenFeatures:
    """Pooled features of the pictures of `source`, all rows of the part source_train, by way of the `cache`.

    They are computed in the chunks and batches of `extract`, which finds them there. `views`: random views of each
    picture, 0: the picture as in extraction.
    """

    source: pd.DataFrame
    raw: Path
    cache: Path
    runtime: RuntimeParams
    device: torch.device
    seed: int
    views: int

    def plain(self, embedder: Network, table: pd.DataFrame, transform: Transform, side: int) -> Tensor:
        """Pooled features (N, P) of the rows `table` of the source, without random changes."""
        pictures = self._pictures(embedder, transform, side)
        return self._pool(embedder, pictures, pictures, view=0)[self._places(table)]

    def rows(self, embedder: Network, table: pd.DataFrame, transform: Transform, side: int) -> ViewRows:
        """The rows `table` of the source under `transform`, which draws; `views` must be above 0."""
        pictures, places = self._pictures(embedder, transform, side), self._places(table)
        digests = [int(digest, 16) for digest in self.source[DIGEST]]
        made = []
        for view in range(self.views):
            number = mixed_seed(self.seed, view) or 1  # 0 is no view
            seeded = _Seeded(pictures, [mixed_seed(number, digest) for digest in digests])
            made.append(self._pool(embedder, pictures, seeded, view=number)[places])
        return ViewRows(torch.stack(made))

    def _pictures(self, embedder: Network, transform: Transform, side: int) -> Pictures:
        return Pictures(self.source, self.raw, transform, side, embedder.conditions(self.source))

    def _pool(self, embedder: Network, pictures: Pictures, shown: Dataset, *, view: int) -> Tensor:
        """Pooled features (N, P) of `shown`, which is `pictures` or a view of them."""
        runtime, device = self.runtime, self.device
        embedder.to(device, memory_format=torch.channels_last).eval()
        made_by = (embedder, pictures.transform, pictures.side)
        maker = maker_key(*made_by, device=device, batch_size=runtime.batch_size, view=view)
        sizes = {"chunk_rows": runtime.chunk_rows, "batch_size": runtime.batch_size, "workers": runtime.workers}
        told = None if pictures.conditions is None else pictures.conditions.numpy()
        cache = PooledCache(self.cache, maker, self.source, told)
        # What is drawn afterwards must not depend on whether rows were cached.
        with torch.random.fork_rng(devices=[]):
            chunks = list(pool_chunks(embedder.pool, shown, cache, device=device, **sizes))
        return torch.from_numpy(np.concatenate(chunks))

    def _places(self, table: pd.DataFrame) -> Tensor:
        return torch.from_numpy(self.source.index.get_indexer(table.index))


class _Seeded(Dataset):
    """Pictures whose random changes follow from a seed each."""

    def __init__(self, pictures: Pictures, seeds: list[int]) -> None:
        self.pictures, self.seeds = pictures, seeds

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Inputs:
        torch.manual_seed(self.seeds[index])
        return self.pictures[index]
