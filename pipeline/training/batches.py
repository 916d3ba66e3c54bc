"""Batches that a sampler draws from rows: pictures, loaded by workers, or stored features, and their labels."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import compress
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.base.seeds import mixed_seed
from pipeline.images.loading import Inputs, Pictures, stack
from pipeline.training.share import Share


class Sampler(ABC):
    """Which rows make a batch; a draw depends only on (`seed`, epoch, index of the batch)."""

    seed: int
    names: list  # of the classes that the labels are, in order
    n_batches: int  # an epoch

    @abstractmethod
    def draw(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (N,) int64 of the table, and labels (B,) int64 of the first B of them."""

    def parts(self, rows: np.ndarray, labels: np.ndarray) -> tuple[int, ...]:
        """How the N rows that `draw` gave fall into parts of which each process has its share: labelled, and not."""
        return len(labels), len(rows) - len(labels)

    def seeds(self, epoch: int, index: int, rows: np.ndarray, labels: np.ndarray) -> Iterator[int]:  # noqa: ARG002  as every sampler
        """The seeds of the random changes of the N rows that `draw` gave: one for each place in the batch."""
        return (mixed_seed(self.seed, epoch, index, place) for place in range(len(rows)))


class Rows(Protocol):
    """The rows of a table as the network takes them."""

    def take(self, rows: np.ndarray, seeds: Iterable[int]) -> Inputs:
        """Rows (N,) int64 as (N, ...) float32, with conditions where the network asks for them.

        Random changes of each follow from its seed.
        """


class PictureRows:
    """Rows as pictures (N, 3, S, S), with conditions where there are any."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures

    def take(self, rows: np.ndarray, seeds: Iterable[int]) -> Inputs:
        """See `Rows`."""
        images = []
        for row, seed in zip(rows.tolist(), seeds, strict=True):
            # Seeded for each picture: neither the number of workers nor an interruption changes an augmentation.
            torch.manual_seed(seed)
            images.append(self.pictures[row])
        return stack(images)


class FeatureRows:
    """Rows as stored features (N, P), which have no random changes; `pooled` holds those of all rows of the table."""

    def __init__(self, pooled: Tensor) -> None:
        self.pooled = pooled

    def take(self, rows: np.ndarray, seeds: Iterable[int]) -> Tensor:  # noqa: ARG002  as in PictureRows
        """See `Rows`."""
        return self.pooled.index_select(0, torch.from_numpy(rows))


class _EpochBatches(Dataset):
    """Batches `first`, ... of one epoch as (inputs (N, ...) of one's share, labels (B,))."""

    def __init__(self, rows: Rows, sampler: Sampler, epoch: int, first: int, share: Share) -> None:
        self.rows, self.sampler, self.epoch, self.first, self.share = rows, sampler, epoch, first, share

    def __len__(self) -> int:
        return self.sampler.n_batches - self.first

    def __getitem__(self, place: int) -> tuple[Inputs, Tensor]:
        index = self.first + place
        rows, labels = self.sampler.draw(self.epoch, index)
        own = self.share.chosen(*self.sampler.parts(rows, labels))
        inputs = self.rows.take(rows[own], compress(self.sampler.seeds(self.epoch, index, rows, labels), own))
        return inputs, torch.from_numpy(labels)


def load_epoch(
    rows: Rows,
    sampler: Sampler,
    *,
    epoch: int,
    first: int,
    workers: int,
    share: Share = Share(),  # noqa: B008  frozen
) -> Iterator[tuple[Inputs, Tensor]]:
    """Batches `first`, ... of `epoch`: inputs (N, ...) float32 as `rows` gives them, labels (B,) int64.

    Of several processes each has the inputs of its `share` alone, of each of the sampler's parts, and all labels.
    """
    yield from DataLoader(_EpochBatches(rows, sampler, epoch, first, share), batch_size=None, num_workers=workers)
