"""How well consumer pictures of held-out items find their shop pictures, or pictures of one domain one another."""

from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import Subset

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.base.names import DATASET, DOMAIN, VALIDATION, Domain
from pipeline.images.loading import Pictures, load_batches, to_device
from pipeline.table.products import product_codes
from pipeline.training.processes import gather_lists, share_of


class Validation(Protocol):
    """Figures of a network by name, made on pictures that are held out.

    watched: the name of that which the best epoch has the highest of; first: the first epoch, from 0, that may be it;
    needs: what there must be held out, in words.
    """

    watched: str
    first: int
    needs: str

    def __len__(self) -> int:
        """Number of queries."""

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """The figures, with `watched` among them."""


class RecallAt1:
    """Callable: embedder -> {VALIDATION: share of queries whose nearest gallery picture shows their item}.

    Consumer pictures search shop pictures; of a data set of which the rows of `table` are of one domain only, every
    picture searches, and is searched. Pictures without another of their item in the gallery are no queries. Several
    processes embed a share of the pictures each, and come to the same figure.
    """

    watched = VALIDATION
    first = 0
    needs = "held-out pictures that show the same items"

    def __init__(
        self, pictures: Pictures, table: pd.DataFrame, fabric: Fabric, *, batch_size: int, workers: int
    ) -> None:
        self.pictures = pictures
        self.fabric, self.batch_size, self.workers = fabric, batch_size, workers
        codes = product_codes(table)
        self.items = torch.from_numpy(codes)
        consumer = (table[DOMAIN] == Domain.CONSUMER).to_numpy()
        both = table.groupby(DATASET)[DOMAIN].transform("nunique").to_numpy() > 1
        self.gallery = np.flatnonzero(~(both & consumer))
        self.place = np.full(len(table), -1)  # of a row in the gallery
        self.place[self.gallery] = np.arange(len(self.gallery))
        shown = np.bincount(codes[self.gallery], minlength=codes.max(initial=-1) + 1)
        self.queries = np.flatnonzero((consumer | ~both) & (shown[codes] > (self.place >= 0)))

    def __len__(self) -> int:
        """Number of queries."""
        return len(self.queries)

    @torch.no_grad()
    def __call__(self, embedder: nn.Module) -> dict[str, float]:
        """NaN when there is no query."""
        if not len(self.queries):
            return {VALIDATION: float("nan")}
        embedder.eval()
        own = Subset(self.pictures, share_of(self.fabric).places(len(self.pictures)).tolist())
        batches = load_batches(own, self.batch_size, self.workers)
        on = partial(to_device, device=self.fabric.device, memory_format=torch.preserve_format)
        embeddings = torch.cat(gather_lists([embedder(on(images)).cpu() for images in batches], self.fabric))
        gallery, items = embeddings[self.gallery].T, self.items[self.gallery]
        hits = 0
        for block in slices(len(self.queries), rows_per_block(len(self.gallery))):
            queries, itself = (
                torch.from_numpy(of[self.queries[block]]) for of in (np.arange(len(self.place)), self.place)
            )
            similar = embeddings[queries] @ gallery
            similar[torch.nonzero(itself >= 0)[:, 0], itself[itself >= 0]] = -torch.inf
            hits += int((items[similar.argmax(dim=1)] == self.items[queries]).sum())
        return {VALIDATION: hits / len(self.queries)}
