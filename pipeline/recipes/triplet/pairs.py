"""Pairs of pictures of one item: the training batches of UDMA's fine-tuning."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, DOMAIN, ITEM, Domain
from pipeline.base.seeds import mixed_seed
from pipeline.images.loading import Pictures

PairMode = Literal["all", "c2s"]


class ItemPairs:
    """The items of `table` that have both a consumer and a shop picture; label = position in sorted order.

    `pictures` are those of the table's rows. An item is one (category, item) pair, since datasets repeat an id across
    categories.
    """

    def __init__(self, pictures: Pictures, table: pd.DataFrame, *, mode: PairMode, seed: int) -> None:
        self.pictures = pictures
        self.mode, self.seed = mode, seed
        self.n_pictures = {domain: int((table[DOMAIN] == domain).sum()) for domain in Domain}
        positions = pd.Series(np.arange(len(table)), index=table.index)
        groups = positions.groupby([table[CATEGORY], table[ITEM], table[DOMAIN]]).apply(np.asarray).unstack()
        groups = groups.reindex(columns=[Domain.CONSUMER, Domain.SHOP]).dropna()
        self.consumer: list[np.ndarray] = groups[Domain.CONSUMER].tolist()
        self.shop: list[np.ndarray] = groups[Domain.SHOP].tolist()

    def __len__(self) -> int:
        return len(self.consumer)

    def draw(self, epoch: int, item: int) -> tuple[int, int]:
        """Two pictures of `item`: consumer and shop, or (mode all) with 1/4 each two consumer or two shop pictures.

        Draws are with replacement, so the two may be the same picture under different augmentations.
        """
        rng = np.random.default_rng([self.seed, epoch, item])
        first, second = self.consumer[item], self.shop[item]
        if self.mode == "all" and rng.random() < 0.5:
            first = second = first if rng.random() < 0.5 else second
        return int(rng.choice(first)), int(rng.choice(second))


class _PairBatches(Dataset):
    """Batches of one epoch as (images (2B, 3, S, S), labels (2B,)): all first pictures, then all second ones."""

    def __init__(self, items: ItemPairs, epoch: int, batches: np.ndarray) -> None:
        self.items, self.epoch, self.batches = items, epoch, batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        labels = self.batches[index]
        pairs = [self.items.draw(self.epoch, int(item)) for item in labels]
        sides = [
            self._load(side, pair[side], int(item)) for side in (0, 1) for pair, item in zip(pairs, labels, strict=True)
        ]
        return torch.stack(sides), torch.from_numpy(np.tile(labels, 2))

    def _load(self, side: int, picture: int, item: int) -> Tensor:
        # Seeded for each picture: neither the number of workers nor an interruption changes an augmentation.
        torch.manual_seed(mixed_seed(self.items.seed, self.epoch, item, side))
        return self.items.pictures[picture]


class PairLoader:
    """Shuffled batches of `batch_items` items, reproducible from (seed, epoch); the last partial one is dropped."""

    def __init__(self, items: ItemPairs, batch_items: int, workers: int) -> None:
        if len(items) < 2:
            found = " and ".join(f"{n} {domain}" for domain, n in items.n_pictures.items())
            raise UserError(
                "finetune.recipe: triplet needs two items with both a consumer and a shop picture, whatever "
                f"recipes.triplet.pairs, and the source has {len(items)} among {found} pictures to train on; add what "
                "is missing, or set finetune.recipe: dada or category_triplet, which need no domains"
            )
        if len(items) < batch_items:
            raise UserError(
                f"recipes.triplet.batch_items: {batch_items} is more than the {len(items)} source items that have "
                "both a consumer and a shop picture; lower it"
            )
        self.items, self.batch_items, self.workers = items, batch_items, workers

    def __len__(self) -> int:
        return len(self.items) // self.batch_items

    def batches(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches `first`, ... of `epoch`: images (2B, 3, S, S) float32, labels (2B,) int64."""
        order = np.random.default_rng([self.items.seed, epoch]).permutation(len(self.items))
        batches = order[: len(self) * self.batch_items].reshape(len(self), self.batch_items)
        dataset = _PairBatches(self.items, epoch, batches[first:])
        yield from DataLoader(dataset, batch_size=None, num_workers=self.workers)
