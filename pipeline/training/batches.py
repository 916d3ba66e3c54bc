"""Batches that a sampler draws, loaded by workers: pictures and their labels."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.base.seeds import mixed_seed
from pipeline.images.loading import Pictures


class Sampler(Protocol):
    """Which pictures make a batch; a draw depends only on (`seed`, epoch, index of the batch)."""

    seed: int
    names: list  # of the classes that the labels are, in order
    n_batches: int  # an epoch

    def draw(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (N,) int64 of the table, and labels (B,) int64 of the first B of them."""


class _EpochBatches(Dataset):
    """Batches `first`, ... of one epoch as (images (N, 3, S, S), labels (B,))."""

    def __init__(self, pictures: Pictures, sampler: Sampler, epoch: int, first: int) -> None:
        self.pictures, self.sampler, self.epoch, self.first = pictures, sampler, epoch, first

    def __len__(self) -> int:
        return self.sampler.n_batches - self.first

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        index = self.first + place
        rows, labels = self.sampler.draw(self.epoch, index)
        images = []
        for position, row in enumerate(rows.tolist()):
            # Seeded for each picture: neither the number of workers nor an interruption changes an augmentation.
            torch.manual_seed(mixed_seed(self.sampler.seed, self.epoch, index, position))
            images.append(self.pictures[row])
        return torch.stack(images), torch.from_numpy(labels)


def load_epoch(
    pictures: Pictures, sampler: Sampler, *, epoch: int, first: int, workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches `first`, ... of `epoch`: images (N, 3, S, S) float32, labels (B,) int64."""
    yield from DataLoader(_EpochBatches(pictures, sampler, epoch, first), batch_size=None, num_workers=workers)
